//! Sets the memory and the timer of the board.

mod boards;

use std::env;

fn main() {
    let target = env::var("TARGET").unwrap_or_default();
    boards::tell_linker(&target);
    println!("cargo:rustc-link-arg=-Tdefmt.x");
    println!(
        "cargo:rustc-env=TIMER_HZ={}",
        boards::board(&target).timer_hz
    );
    for file in ["build.rs", "boards.rs", "boards.txt"] {
        println!("cargo:rerun-if-changed={file}");
    }
}
