//! Where each board has its memory, as the linker is told. A target stands for a board here.

use std::{env, fs, path::Path};

/// Writes `memory.x` for `target`, and has the linker read it and what the run-time crate has.
pub fn tell_linker(target: &str) {
    let memory = match target {
        // lm3s6965evb; mps2-an385 has more at the same addresses
        "thumbv7m-none-eabi" => cortex_m(256, 64),
        // microbit
        "thumbv6m-none-eabi" => cortex_m(256, 16),
        // mps2-an386
        "thumbv7em-none-eabihf" => cortex_m(4096, 4096),
        // QEMU's `virt`
        target if target.starts_with("riscv32") => riscv(),
        target => panic!("add the memory of your board for target {target:?} here"),
    };
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("memory.x"), memory).expect("OUT_DIR can be written to");
    println!("cargo:rustc-link-search={out}");
    if target.starts_with("riscv32") {
        println!("cargo:rustc-link-arg=-Tmemory.x");
    } else {
        // Sections start where they are told, not at a page.
        println!("cargo:rustc-link-arg=--nmagic");
    }
    println!("cargo:rustc-link-arg=-Tlink.x");
}

fn cortex_m(flash_kib: u32, ram_kib: u32) -> String {
    format!(
        "MEMORY {{
  FLASH : ORIGIN = 0x00000000, LENGTH = {flash_kib}K
  RAM : ORIGIN = 0x20000000, LENGTH = {ram_kib}K
}}
"
    )
}

fn riscv() -> String {
    let regions = ["TEXT", "RODATA", "DATA", "BSS", "HEAP", "STACK"];
    let aliases = regions.map(|name| format!("REGION_ALIAS(\"REGION_{name}\", RAM);\n"));
    format!(
        "MEMORY {{ RAM : ORIGIN = 0x80000000, LENGTH = 16M }}\n{}",
        aliases.concat()
    )
}
