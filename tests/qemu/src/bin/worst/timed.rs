//! A lock that measures how long it is held.

use core::cell::RefCell;
use core::hint::black_box;
use critical_section::Mutex;
use ctu_core::{CriticalSectionMutex, Error, LockKind};
use ctu_qemu::{count, stack};

/// The critical section, measured.
pub(crate) struct Timed;

impl LockKind for Timed {
    type Raw = <CriticalSectionMutex as LockKind>::Raw;

    #[inline]
    fn with<S, T>(
        lock: &lock_api::Mutex<Self::Raw, S>,
        f: impl FnOnce(&mut S) -> T,
    ) -> Result<T, Error> {
        let begin = count::now();
        let result = CriticalSectionMutex::with(lock, f);
        let end = count::now();
        critical_section::with(|cs| {
            let held = &mut HELD.borrow_ref_mut(cs);
            held.longest = held.longest.max(count::between(begin, end));
        });
        result
    }
}

/// The operations of the sheet.
const OPERATIONS: [&str; 4] = ["get", "insert", "remove", "sweep"];

struct Held {
    /// In the present operation.
    longest: u32,
    /// Of each operation.
    instructions: [u32; OPERATIONS.len()],
    /// The stack where an operation begins, at least.
    before: usize,
}

static HELD: Mutex<RefCell<Held>> = Mutex::new(RefCell::new(Held {
    longest: 0,
    instructions: [0; OPERATIONS.len()],
    before: usize::MAX,
}));

fn held<T>(f: impl FnOnce(&mut Held) -> T) -> T {
    critical_section::with(|cs| f(&mut HELD.borrow_ref_mut(cs)))
}

/// Runs an operation and notes the longest hold of the lock in it.
#[inline(never)]
pub(crate) fn run<T>(operation: &str, op: impl FnOnce() -> T) {
    count::start();
    let before = stack::depth();
    held(|held| {
        held.longest = 0;
        held.before = held.before.min(before);
    });
    black_box(op());
    held(|held| {
        for (name, most) in OPERATIONS.iter().zip(&mut held.instructions) {
            if *name == operation {
                *most = (*most).max(held.longest);
            }
        }
    });
}

/// Prepares the stack for [`report`].
#[inline(always)]
pub(crate) fn begin() {
    stack::paint();
}

/// Prints the figures of a cache of `bytes` bytes, and begins anew.
pub(crate) fn report(subject: &str, bytes: usize) {
    let most = stack::high_water();
    held(|held| {
        for (name, most) in OPERATIONS.iter().zip(&mut held.instructions) {
            defmt::info!("worst;{=str};{=str};{=u32}", subject, *name, *most);
            *most = 0;
        }
        let stack = most.saturating_sub(held.before);
        held.before = usize::MAX;
        defmt::info!("worst;{=str};stack;{=usize}", subject, stack);
        defmt::info!("worst;{=str};RAM;{=usize}", subject, bytes);
    });
}
