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
fn use_all<T: Clock>(cache: &ConcurrentCache<Fussy, Fussy, T>) -> Result<(), Error> {
    for key in 0..30 {
        cache.insert_entry(&Fussy(key), Fussy(key), None)?;
        cache.get(&Fussy(key / 2))?;
    }
    // Often enough to be brought near.
    for _ in 0..130 {
        cache.get(&Fussy(29))?;
    }
    cache.insert_entry(&Fussy(29), Fussy(0), None)?;
    cache.upsert_with(&Fussy(29), |old| {
        call();
        Fussy(old.map_or(0, |old| old.0 + 1))
    })?;
    cache.and_compute_with(&Fussy(29), |_| Compute::Remove)?;
    cache.insert_entry(&Fussy(29), Fussy(0), None)?;
    cache.set_capacity(10);
    cache.set_capacity(20);
    assert!(cache.entries().count() <= 10);
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
    panic_at_each_call(|| ConcurrentCache::with_capacity(20));
}

#[test]
fn a_panic_of_weigher_listener_or_times_leaves_the_cache_whole() {
    panic_at_each_call(|| {
        ConcurrentCache::builder(20)
            .max_weight(30, |key: &Fussy, _| {
                call();
                u64::from(key.0 % 4)
            })
            .listener(|_, _, _| call())
            .count()
            .clock(ManualClock::new())
            .expire_after_read(SECOND)
            .expire_each(|_, _| {
                call();
                None
            })
            .build()
    });
}

fn panic_at_each_call<T: Clock>(new: impl Fn() -> ConcurrentCache<Fussy, Fussy, T>) {
    for calls in 0.. {
        let cache = new();
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

/// Panics when it is dropped, where it is armed.
#[derive(Clone)]
struct Bomb(bool);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 && !thread::panicking() {
            resume_unwind(Box::new("of the drop"));
        }
    }
}

#[test]
fn a_panic_in_the_drop_of_a_value_comes_after_its_entry_has_left() {
    let cache = ConcurrentCache::<u32, Bomb>::with_capacity(5);
    for key in 0..50 {
        let insert = || cache.insert_entry(&key, Bomb(key % 3 == 0), None);
        // The evicted value may panic, after the new one is stored.
        drop(catch_unwind(AssertUnwindSafe(insert)));
        assert_eq!((cache.contains(&key), cache.validate()), (Ok(true), Ok(())));
    }
    assert_eq!(cache.len(), Ok(5));
    drop(catch_unwind(AssertUnwindSafe(|| cache.clear())));
    assert_eq!((cache.len(), cache.validate()), (Ok(0), Ok(())));
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
