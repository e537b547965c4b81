//! Tells the linker where each board has its memory. A target stands for a board here.

use std::{env, fs, path::Path};

fn main() {
    let target = env::var("TARGET").unwrap_or_default();
    let memory = match target.as_str() {
        // lm3s6965evb; mps2-an385 has more at the same addresses.
        "thumbv7m-none-eabi" => cortex_m(256, 64),
        // microbit
        "thumbv6m-none-eabi" => cortex_m(256, 16),
        // mps2-an386
        "thumbv7em-none-eabihf" => cortex_m(4096, 4096),
        // virt
        target if target.starts_with("riscv32") => riscv(),
        target => panic!("no board for target {target:?}; build with `tests/qemu/run`"),
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
    // `flash` and `nopanic` log nothing.
    for logs in ["conformance", "conformance-heap", "costs", "fails", "hangs"] {
        println!("cargo:rustc-link-arg-bin={logs}=-Tdefmt.x");
    }
    // Which part of ctu-core the firmware `flash` has in it.
    println!("cargo:rerun-if-env-changed=CTU_PROBE");
    println!("cargo:rustc-check-cfg=cfg(probe, values(any()))");
    let probe = env::var("CTU_PROBE").unwrap_or_else(|_| "nothing".into());
    println!("cargo:rustc-cfg=probe=\"{probe}\"");
    // Which part of the suite `conformance` has in it, and of how many: one of one, unless there is no room.
    println!("cargo:rerun-if-env-changed=CTU_PART");
    let part = env::var("CTU_PART").unwrap_or_else(|_| "1/1".into());
    let (part, parts) = part.split_once('/').expect("CTU_PART is like 1/2");
    println!("cargo:rustc-env=CTU_PART={part}");
    println!("cargo:rustc-env=CTU_PARTS={parts}");
    println!("cargo:rerun-if-changed=build.rs");
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
