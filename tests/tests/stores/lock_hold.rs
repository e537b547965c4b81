//! The work under one hold of a lock.

use ctu_core::{
    Cache, CacheExt, Error, LockKind, LockedCache, LruCache, ManualClock, PrefixedCache, TtlCache,
};
use std::{cell::Cell, time::Duration};

thread_local! {
    static HOLDS: Cell<usize> = const { Cell::new(0) };
    static VISITS: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

/// A spin lock that counts its holds, and the most calls of [`visit`] in one of them.
struct Counted;

impl LockKind for Counted {
    type Raw = spin::Mutex<()>;

    fn with<S, T>(
        lock: &lock_api::Mutex<Self::Raw, S>,
        f: impl FnOnce(&mut S) -> T,
    ) -> Result<T, Error> {
        HOLDS.set(HOLDS.get() + 1);
        VISITS.set(0);
        let result = f(&mut lock.lock());
        MOST.set(MOST.get().max(VISITS.get()));
        Ok(result)
    }
}

fn visit() {
    VISITS.set(VISITS.get() + 1);
}

/// A value that is visited where it is dropped.
#[derive(Clone)]
struct Dropped;

impl Drop for Dropped {
    fn drop(&mut self) {
        visit();
    }
}

/// The holds of an operation, and the most visits in one of them.
fn holds(operation: impl FnOnce()) -> (usize, usize) {
    HOLDS.set(0);
    MOST.set(0);
    operation();
    (HOLDS.get(), MOST.get())
}

#[test]
fn retain_holds_the_lock_for_four_entries_at_a_time() {
    let cache = LockedCache::<Counted, _>::new(LruCache::<u32, u32, 100>::new());
    for key in 0..100 {
        cache.insert(&key, key).unwrap();
    }
    let sweep = || {
        let mut keep = |key: &u32| {
            visit();
            key.is_multiple_of(2)
        };
        cache.retain(&mut keep).unwrap();
    };
    assert_eq!(holds(sweep), (25, 4));
    assert_eq!(cache.len(), Ok(50));
}

#[test]
fn clear_by_prefix_holds_the_lock_for_four_entries_at_a_time() {
    let base = LockedCache::<Counted, _>::new(LruCache::<String, Dropped, 64>::new());
    let cache = PrefixedCache::new(&base, "p.");
    for key in 0..32 {
        cache.insert(&format!("{key}"), Dropped).unwrap();
        base.insert(&format!("{key}"), Dropped).unwrap();
    }
    let (count, most) = holds(|| cache.clear().unwrap());
    assert!(most <= 4 && count >= 16);
    assert_eq!(base.len(), Ok(32));
}

#[test]
fn one_expired_entry_leaves_under_a_hold_of_the_lock() {
    let clock = ManualClock::new();
    let ttl = Duration::from_secs(1);
    let store = TtlCache::<u32, Dropped, 64, _>::new(ttl, &clock);
    let cache = LockedCache::<Counted, _>::new(store);
    let fill = || {
        for key in 0..64 {
            cache.insert(&key, Dropped).unwrap();
        }
        clock.advance(ttl);
    };
    fill();
    assert_eq!(holds(|| assert_eq!(cache.len(), Ok(0))), (65, 0));
    fill();
    // Its value is dropped after the unlock.
    assert_eq!(holds(|| cache.insert(&100, Dropped).unwrap()), (1, 0));
    assert_eq!(cache.with(|store| store.len()), Ok(64));
}
