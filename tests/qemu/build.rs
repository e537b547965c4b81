//! Passes the memory layout of each board to the linker, and the selected part to the firmware.

#[path = "../../ctu-embedded-example/linker.rs"]
mod linker;

use std::env;

fn main() {
    let target = env::var("TARGET").expect("cargo sets TARGET");
    linker::configure(&target, "../../ctu-embedded-example/memory");
    // The others have no log.
    for logs in [
        "conformance",
        "conformance-heap",
        "costs",
        "fails",
        "flash_kills",
        "flash_power",
        "hangs",
        "worst",
    ] {
        println!("cargo:rustc-link-arg-bin={logs}=-Tdefmt.x");
    }
    // The part of ctu-core in the firmware `flash`.
    println!("cargo:rerun-if-env-changed=CTU_PROBE");
    println!("cargo:rustc-check-cfg=cfg(probe, values(any()))");
    let probe = env::var("CTU_PROBE").unwrap_or_else(|_| "nothing".into());
    println!("cargo:rustc-cfg=probe=\"{probe}\"");
    // The part of the suite in `conformance`, and the number of parts: one, if the flash suffices.
    println!("cargo:rerun-if-env-changed=CTU_PART");
    let part = env::var("CTU_PART").unwrap_or_else(|_| "1/1".into());
    let (part, parts) = part.split_once('/').expect("CTU_PART is like 1/2");
    println!("cargo:rustc-env=CTU_PART={part}");
    println!("cargo:rustc-env=CTU_PARTS={parts}");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../ctu-embedded-example/linker.rs");
}
