//! Keys and values whose code panics, hashers that return a constant, and the least capacities: a
//! store or cache stays whole, and loses no capacity.

mod caches;
mod capacities;
mod stores;

use ctu_core::{Error, Store, StoredKey};
use std::{
    cell::Cell,
    hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
    time::Duration,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// The same in every run, and yet it scatters.
type Scattered = BuildHasherDefault<DefaultHasher>;

thread_local! {
    /// How many more calls succeed.
    static FUSE: Cell<u32> = const { Cell::new(u32::MAX) };
}

/// The payload of a panic on purpose.
struct Burnt;

/// Counts a call of the code of a key or value, and panics at the one that is due.
fn call() {
    let left = FUSE.get();
    FUSE.set(left.wrapping_sub(1));
    if left == 0 {
        // As a panic does, but for the message.
        resume_unwind(Box::new(Burnt));
    }
}

/// Runs `operation` with a panic at the call number `calls`. Returns whether it came to its end.
fn ends_despite_panic_at(calls: u32, operation: impl FnOnce()) -> bool {
    FUSE.set(calls);
    let ended = catch_unwind(AssertUnwindSafe(operation));
    FUSE.set(u32::MAX);
    match ended {
        Ok(()) => true,
        Err(panic) if panic.is::<Burnt>() => false,
        Err(panic) => resume_unwind(panic),
    }
}

/// Panics in any of its operations once the fuse has burnt down.
#[derive(Debug)]
struct Fussy(u32);

impl Hash for Fussy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        call();
        self.0.hash(state);
    }
}

impl PartialEq for Fussy {
    fn eq(&self, other: &Self) -> bool {
        call();
        self.0 == other.0
    }
}

impl Eq for Fussy {}

impl Clone for Fussy {
    fn clone(&self) -> Self {
        call();
        Self(self.0)
    }
}

impl Drop for Fussy {
    fn drop(&mut self) {
        // A second panic would abort the program.
        if !thread::panicking() {
            call();
        }
    }
}

impl StoredKey for Fussy {
    type Lookup = Self;

    fn store(lookup: &Self) -> Result<Self, Error> {
        Ok(lookup.clone())
    }
}

/// Hashes every key to the same number.
#[derive(Clone, Default)]
struct Constant;

impl Hasher for Constant {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        7
    }
}

/// A store that refuses a new key instead of an eviction is full afterwards.
fn insert<S: Store<Key = Fussy, Value = Fussy>>(store: &mut S, key: u32, value: u32) {
    match store.insert_entry(&Fussy(key), Fussy(value), None) {
        Ok(_) | Err(Error::Full) => {}
        Err(error) => panic!("{error}"),
    }
}
