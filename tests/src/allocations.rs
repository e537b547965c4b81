//! The allocations of a thread, for tests and benchmarks of paths that have none.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The allocator of the system, which counts: `#[global_allocator] static A: Counting = Counting;`.
#[derive(Debug)]
pub struct Counting;

std::thread_local!(static COUNT: Cell<u64> = const { Cell::new(0) });

/// The number of allocations of this thread, under [`Counting`].
pub fn count() -> u64 {
    COUNT.with(Cell::get)
}

// SAFETY: every call goes to the allocator of the system as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending counts no more.
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}
