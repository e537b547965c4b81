//! Panics of the code of keys and values, and keys that use their cache.

use super::*;
use std::{
    cell::Cell,
    hash::{Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

thread_local! {
    /// How many more calls go well.
    static FUSE: Cell<u32> = const { Cell::new(u32::MAX) };
}

/// Counts a call of the caller's code, and panics at the one that is due.
fn call() {
    let left = FUSE.get();
    if left == 0 {
        // As a panic does, but for the message.
        resume_unwind(Box::new("the fuse has burnt down"));
    }
    FUSE.set(left - 1);
}

/// Panics in all that it does once the fuse has burnt down.
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

impl StoredKey for Fussy {
    type Lookup = Self;

    fn store(lookup: &Self) -> Result<Self, Error> {
        Ok(lookup.clone())
    }
}

/// Every operation, on a table that grows and evicts.
fn use_all(cache: &ConcurrentCache<Fussy, Fussy>) -> Result<(), Error> {
    for key in 0..30 {
        cache.insert_entry(&Fussy(key), Fussy(key), None)?;
        cache.get(&Fussy(key / 2))?;
    }
    // Often enough to be brought near.
    for _ in 0..70 {
        cache.get(&Fussy(29))?;
    }
    cache.insert_entry(&Fussy(29), Fussy(0), None)?;
    cache.remove(&Fussy(29))?;
    cache.pop(&Fussy(28))?;
    cache.retain(&mut |key| {
        call();
        key.0 % 2 == 0
    })?;
    cache.clear()
}

#[test]
fn a_panic_at_any_call_leaves_the_cache_whole() {
    for calls in 0.. {
        let cache = ConcurrentCache::with_capacity(20);
        FUSE.set(calls);
        let done = catch_unwind(AssertUnwindSafe(|| use_all(&cache)));
        FUSE.set(u32::MAX);
        assert_eq!(cache.validate(), Ok(()), "after {calls} calls");
        use_all(&cache).unwrap();
        assert_eq!(cache.len(), Ok(0), "after {calls} calls");
        if done.is_ok() {
            break;
        }
    }
}

/// A key that is stored with a look into its cache.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Curious(u32);

static CACHE: std::sync::LazyLock<ConcurrentCache<Curious, u32>> =
    std::sync::LazyLock::new(|| ConcurrentCache::with_capacity(2));

impl StoredKey for Curious {
    type Lookup = Self;

    fn store(lookup: &Self) -> Result<Self, Error> {
        CACHE.remove(&Self(lookup.0 + 1))?;
        Ok(lookup.clone())
    }
}

#[test]
fn a_key_may_use_the_cache_while_it_is_stored() {
    for key in 0..10 {
        CACHE.insert(&Curious(key), key).unwrap();
        assert_eq!(CACHE.get(&Curious(key)), Ok(Some(key)));
    }
    assert_eq!(CACHE.validate(), Ok(()));
}
