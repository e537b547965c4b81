//! Hangs on purpose: a hang must be detected.
#![no_std]
#![no_main]

use ctu_qemu::running;

#[ctu_qemu::entry]
fn main() -> ! {
    running("controls::hangs_on_purpose");
    loop {
        core::hint::spin_loop();
    }
}
