//! Runs the conformance cases that need a heap, with 8 KiB.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use ctu_conformance::HEAP_CASES;
use ctu_qemu::{exit, running};
use embedded_alloc::LlffHeap;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

const SIZE: usize = 8 * 1024;
static mut MEMORY: [MaybeUninit<u8>; SIZE] = [MaybeUninit::uninit(); SIZE];

#[ctu_qemu::entry]
fn main() -> ! {
    // Called once, before any allocation; no other code uses the memory.
    unsafe { HEAP.init(&raw mut MEMORY as usize, SIZE) };
    for (name, case) in HEAP_CASES {
        running(name);
        let before = HEAP.used();
        case();
        assert_eq!(HEAP.used(), before, "all that was allocated is given back");
    }
    defmt::info!("passed {=usize}", HEAP_CASES.len());
    exit(0)
}
