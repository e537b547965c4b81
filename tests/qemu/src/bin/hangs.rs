//! Hangs on purpose: shows that a hang is seen.
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
