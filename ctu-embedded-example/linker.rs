//! Passes the memory of the board to the linker. A target stands for a board.

use std::{env, fs, path::Path};

/// Puts the memory of `target`, a file of the folder `memory`, where the linker looks for it, and
/// selects the script of the run-time crate.
pub fn configure(target: &str, memory: &str) {
    let from = Path::new(memory).join(target).with_extension("x");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    if let Err(error) = fs::copy(&from, Path::new(&out).join("memory.x")) {
        panic!(
            "write the memory of your board to {}: {error}",
            from.display()
        );
    }
    println!("cargo:rerun-if-changed={}", from.display());
    println!("cargo:rustc-link-search={out}");
    if target.starts_with("riscv32") {
        println!("cargo:rustc-link-arg=-Tmemory.x");
    } else {
        // Sections start at their address in the script, not at a page.
        println!("cargo:rustc-link-arg=--nmagic");
    }
    println!("cargo:rustc-link-arg=-Tlink.x");
}
