//! Tells the linker where each board has its memory, and firmware which part of it to be.

#[path = "../../ctu-embedded-example/memory.rs"]
mod memory;

use std::env;

fn main() {
    memory::tell_linker(&env::var("TARGET").unwrap_or_default());
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
