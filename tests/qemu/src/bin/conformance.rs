//! Runs the whole conformance suite, the same functions as on the host.
#![no_std]
#![no_main]

use ctu_qemu::{exit, running, stack};

#[ctu_qemu::entry]
fn main() -> ! {
    stack::paint();
    for (name, case) in ctu_conformance::CASES {
        running(name);
        case();
    }
    let (used, room) = (stack::high_water(), stack::room());
    defmt::info!("stack: {=usize} bytes at most, of {=usize}", used, room);
    if used >= room {
        defmt::error!("FAILED: the stack ran into the statics");
        exit(1);
    }
    defmt::info!("passed {=usize}", ctu_conformance::CASES.len());
    exit(0)
}
