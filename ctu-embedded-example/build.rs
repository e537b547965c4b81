//! Sets the memory and the timer of the board, and the way of its log.

mod linker;

use std::{env, fs};

/// Where `cargo run` finds the runner of a target.
const CONFIG: &str = ".cargo/config.toml";

fn main() {
    let target = env::var("TARGET").expect("cargo sets TARGET");
    linker::configure(&target, "memory");
    println!("cargo:rustc-link-arg=-Tdefmt.x");
    println!("cargo:rustc-env=TIMER_HZ={}", timer_hz(&target));
    println!("cargo:rustc-check-cfg=cfg(rtt)");
    if has_probe(&target) {
        println!("cargo:rustc-cfg=rtt");
    }
    for file in ["build.rs", "linker.rs", CONFIG] {
        println!("cargo:rerun-if-changed={file}");
    }
}

/// Ticks of the timer in a second, as QEMU emulates the board of `target`.
fn timer_hz(target: &str) -> u32 {
    match target {
        "thumbv7m-none-eabi" => 12_500_000,
        // Four times as fast as the timer of the real board.
        "thumbv6m-none-eabi" => 64_000_000,
        "thumbv7em-none-eabihf" => 25_000_000,
        _ => 10_000_000,
    }
}

/// Whether the runner of `target` is `probe-rs`, which reads the log by RTT.
fn has_probe(target: &str) -> bool {
    let config = fs::read_to_string(CONFIG).unwrap_or_default();
    let header = format!("target.{target}]");
    let mut sections = config.split("\n[");
    let section = sections.find(|section| section.starts_with(&header));
    section.is_some_and(|section| {
        let mut lines = section.lines();
        lines.any(|line| line.starts_with("runner") && line.contains("probe-rs"))
    })
}
