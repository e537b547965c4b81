//! Locks that make a cache of a store: for cores, for interrupts, and for a single owner.

use crate::support::{Count, SECOND, printed};
use core::cell::RefCell;
use ctu_core::{
    Bytes, Cache, CacheExt, CriticalSectionMutex, Error, LockedCache, LruCache, ManualClock, SpinCache,
    TtlCache,
};

type Numbers = LruCache<u32, u32, 4>;
type InCriticalSection<S> = LockedCache<CriticalSectionMutex, S>;

pub(crate) fn spin_lock_works_in_a_static() {
    static CACHE: SpinCache<LruCache<Bytes<20>, Bytes<16>, 4>> = SpinCache::new(LruCache::new());
    assert_eq!(CACHE.insert(b"key", b"value"), Ok(()));
    assert_eq!(CACHE.get(b"key").map(|v| v.as_deref() == Some(b"value")), Ok(true));
    assert_eq!(CACHE.clear(), Ok(()));
}

pub(crate) fn spin_lock_is_busy_while_held() {
    let cache = SpinCache::new(Numbers::new());
    assert_eq!(cache.insert(&1, 10), Ok(()));
    let meanwhile = cache.with(|_| {
        (
            cache.try_get(&1),
            cache.try_insert(&2, 20u32),
            cache.try_remove(&1),
            cache.try_with(|store| store.len()),
        )
    });
    let busy = Error::Busy;
    assert_eq!(meanwhile, Ok((Err(busy), Err(busy), Err(busy), Err(busy))));
    // The store is unchanged, and the lock is free again.
    assert_eq!((cache.try_get(&1), cache.try_get(&2)), (Ok(Some(10)), Ok(None)));
}

pub(crate) fn critical_section_lock_works_in_a_static() {
    static CACHE: InCriticalSection<LruCache<Bytes<20>, Bytes<16>, 4>> =
        LockedCache::new(LruCache::new());
    assert_eq!(CACHE.insert(b"key", b"value"), Ok(()));
    assert_eq!(CACHE.get(b"key").map(|v| v.as_deref() == Some(b"value")), Ok(true));
    assert_eq!(CACHE.clear(), Ok(()));
}

pub(crate) fn critical_section_is_busy_for_its_holder() {
    // A second lock by the holder would deadlock: every operation returns `Busy`.
    let cache = InCriticalSection::new(Numbers::new());
    assert_eq!(cache.insert(&1, 10), Ok(()));
    let meanwhile = cache.with(|_| (cache.get(&1), cache.insert(&2, 20), cache.try_get(&1)));
    let busy = Error::Busy;
    assert_eq!(meanwhile, Ok((Err(busy), Err(busy), Err(busy))));
    assert_eq!((cache.get(&1), cache.get(&2)), (Ok(Some(10)), Ok(None)));
}

pub(crate) fn ref_cell_is_busy_while_borrowed() {
    let cache = RefCell::new(Numbers::new());
    assert_eq!(cache.insert(&1, 10), Ok(()));
    let borrowed = cache.borrow_mut();
    let busy = Error::Busy;
    assert_eq!((cache.get(&1), cache.insert(&2, 20)), (Err(busy), Err(busy)));
    assert_eq!((cache.len(), cache.clear()), (Err(busy), Err(busy)));
    drop(borrowed);
    assert_eq!((cache.get(&1), cache.len()), (Ok(Some(10)), Ok(1)));
}

pub(crate) fn try_operations_match_the_waiting_ones() {
    let cache = InCriticalSection::new(Numbers::new());
    assert_eq!(cache.try_insert(&1, 10u32), Ok(()));
    assert_eq!((cache.try_get(&1), cache.get(&1)), (Ok(Some(10)), Ok(Some(10))));
    assert_eq!((cache.try_remove(&1), cache.try_remove(&1)), (Ok(true), Ok(false)));
}

pub(crate) fn with_runs_several_operations_under_one_lock() {
    let cache = SpinCache::new(Numbers::new());
    let count = || {
        cache.with(|store| {
            let next = store.get(&1).copied().unwrap_or(0) + 1;
            store.insert(1, next);
            next
        })
    };
    assert_eq!((count(), count(), count()), (Ok(1), Ok(2), Ok(3)));
    assert_eq!(cache.into_inner().peek(&1), Some(&3));
}

/// A value that records on drop whether its cache is locked.
#[derive(Clone)]
struct Witness(&'static Watch);

/// The numbers of values dropped under the lock and after the unlock.
struct Watch {
    is_locked: fn() -> bool,
    under: Count,
    after: Count,
}

impl Watch {
    const fn new(is_locked: fn() -> bool) -> Self {
        Self {
            is_locked,
            under: Count::new(),
            after: Count::new(),
        }
    }

    /// Returns both counts since the last call.
    fn take(&self) -> (usize, usize) {
        (self.under.take(), self.after.take())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let Watch {
            is_locked,
            under,
            after,
        } = self.0;
        if is_locked() { under } else { after }.one();
    }
}

pub(crate) fn values_are_dropped_after_unlock() {
    static CACHE: SpinCache<LruCache<u32, Witness, 1>> = SpinCache::new(LruCache::new());
    static WATCH: Watch = Watch::new(|| CACHE.try_with(|_| ()).is_err());
    // Replaced, evicted, removed: the `Drop` of a value may use its former cache.
    for key in [1, 1, 2] {
        assert_eq!(CACHE.insert(&key, Witness(&WATCH)), Ok(()));
    }
    assert_eq!(CACHE.remove(&2), Ok(true));
    assert_eq!(WATCH.take(), (0, 3));
}

pub(crate) fn expired_values_are_dropped_after_unlock() {
    static CLOCK: ManualClock = ManualClock::new();
    static CACHE: SpinCache<TtlCache<u32, Witness, 2, &ManualClock>> =
        SpinCache::new(TtlCache::new(SECOND, &CLOCK));
    static WATCH: Watch = Watch::new(|| CACHE.try_with(|_| ()).is_err());

    /// Drops of an operation, under the lock and after it, with both entries expired.
    fn drops(operation: impl FnOnce()) -> (usize, usize) {
        assert_eq!(CACHE.clear(), Ok(()));
        for key in [1, 2] {
            assert_eq!(CACHE.insert(&key, Witness(&WATCH)), Ok(()));
        }
        CLOCK.advance(SECOND);
        WATCH.take();
        operation();
        WATCH.take()
    }
    assert_eq!(drops(|| assert!(matches!(CACHE.get(&1), Ok(None)))), (0, 0));
    assert_eq!(drops(|| assert!(matches!(CACHE.get_with_ttl(&1), Ok(None)))), (0, 0));
    assert_eq!(drops(|| assert_eq!(CACHE.contains(&1), Ok(false))), (0, 0));
    assert_eq!(drops(|| assert_eq!(CACHE.insert(&1, Witness(&WATCH)), Ok(()))), (0, 1));
    assert_eq!(drops(|| assert_eq!(CACHE.insert(&3, Witness(&WATCH)), Ok(()))), (0, 1));
    assert_eq!(drops(|| assert_eq!(CACHE.remove(&1), Ok(false))), (0, 1));
    assert_eq!(drops(|| assert_eq!(CACHE.try_remove(&1), Ok(false))), (0, 1));
    assert_eq!(drops(|| assert!(matches!(CACHE.pop(&1), Ok(None)))), (0, 1));
    assert_eq!(drops(|| assert_eq!(CACHE.len(), Ok(0))), (0, 2));
    assert_eq!(drops(|| assert!(CACHE.with(|store| store.pop_expired()).is_ok())), (0, 1));
    // Drops under the lock, as documented.
    assert_eq!(drops(|| assert_eq!(CACHE.with(|store| store.expire()), Ok(2))), (2, 0));
    assert_eq!(drops(|| assert_eq!(CACHE.retain(&mut |_| true), Ok(()))), (2, 0));
    assert_eq!(drops(|| assert_eq!(CACHE.clear(), Ok(()))), (2, 0));
}

pub(crate) fn debug_output_does_not_wait_for_the_lock() {
    let cache = SpinCache::new(Numbers::new());
    assert_eq!(cache.insert(&1, 10), Ok(()));
    assert_eq!(printed(&cache), "LockedCache({1: 10})");
    let held = cache.with(|_| printed(&cache));
    assert_eq!(held.as_deref(), Ok("LockedCache(<locked>)"));
    // The same for every kind of lock.
    let clock = ManualClock::new();
    let cache = SpinCache::new(TtlCache::<u32, u32, 2, _>::new(SECOND, &clock));
    assert_eq!(cache.insert(&1, 10), Ok(()));
    assert_eq!(printed(&cache), "LockedCache({1: 10})");
}
