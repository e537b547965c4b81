//! What differs from board to board: where its memory is, and how fast its timer counts.

mod memory;

use std::env;

fn main() {
    let target = env::var("TARGET").unwrap_or_default();
    let timer_hz = match target.as_str() {
        // lm3s6965evb
        "thumbv7m-none-eabi" => 12_500_000,
        // microbit; the emulated one counts four times as fast as the real one
        "thumbv6m-none-eabi" => 64_000_000,
        // mps2-an386
        "thumbv7em-none-eabihf" => 25_000_000,
        // QEMU's `virt`
        "riscv32imac-unknown-none-elf" => 10_000_000,
        target => panic!("add the timer of your board for target {target:?} here"),
    };
    memory::tell_linker(&target);
    println!("cargo:rustc-link-arg=-Tdefmt.x");
    println!("cargo:rustc-env=TIMER_HZ={timer_hz}");
    println!("cargo:rerun-if-changed=build.rs");
}
