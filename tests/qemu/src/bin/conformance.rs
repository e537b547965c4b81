//! Runs the conformance suite, the functions of the host; or a part of it on a board with little flash.
#![no_std]
#![no_main]

use ctu_conformance::{CASES, Case, part};
use ctu_qemu::{exit, running, stack};

const fn number(text: &str) -> usize {
    match usize::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("CTU_PART is like 1/2"),
    }
}

const PART: usize = number(env!("CTU_PART"));
const PARTS: usize = number(env!("CTU_PARTS"));
static MINE: [Option<Case>; CASES.len()] = part(PART - 1, PARTS);

#[ctu_qemu::entry]
fn main() -> ! {
    defmt::info!(
        "part {=usize} of {=usize} of {=usize} cases",
        PART,
        PARTS,
        CASES.len()
    );
    stack::paint();
    let mut passed = 0usize;
    for (name, case) in MINE.iter().flatten() {
        running(name);
        case();
        passed += 1;
    }
    let (used, room) = (stack::high_water(), stack::room());
    defmt::info!("stack: {=usize} bytes at most, of {=usize}", used, room);
    if used >= room {
        defmt::error!("FAILED: the stack ran into the statics");
        exit(1);
    }
    defmt::info!("passed {=usize}", passed);
    exit(0)
}
