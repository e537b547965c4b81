//! What differs from board to board: where its memory is, and how fast its timer counts.

use std::{env, fs, path::Path};

fn main() {
    let target = env::var("TARGET").unwrap_or_default();
    let (memory, timer_hz) = match target.as_str() {
        // lm3s6965evb
        "thumbv7m-none-eabi" => (cortex_m(256, 64), 12_500_000),
        // microbit; the emulated one counts four times as fast as the real one
        "thumbv6m-none-eabi" => (cortex_m(256, 16), 64_000_000),
        // mps2-an386
        "thumbv7em-none-eabihf" => (cortex_m(4096, 4096), 25_000_000),
        // QEMU's `virt`
        "riscv32imac-unknown-none-elf" => (riscv(), 10_000_000),
        target => panic!("add your board for target {target:?} here"),
    };
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("memory.x"), memory).expect("OUT_DIR can be written to");
    println!("cargo:rustc-link-search={out}");
    if target.starts_with("riscv32") {
        println!("cargo:rustc-link-arg=-Tmemory.x");
    } else {
        println!("cargo:rustc-link-arg=--nmagic");
    }
    println!("cargo:rustc-link-arg=-Tlink.x");
    println!("cargo:rustc-link-arg=-Tdefmt.x");
    println!("cargo:rustc-env=TIMER_HZ={timer_hz}");
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
