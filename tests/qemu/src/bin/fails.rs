//! Fails on purpose: a failure must be detected.
#![no_std]
#![no_main]

use ctu_qemu::{exit, running};

#[ctu_qemu::entry]
fn main() -> ! {
    running("controls::passes");
    running("controls::fails_on_purpose");
    assert_eq!(core::hint::black_box(1), 2, "on purpose");
    exit(0)
}
