//! The provided operations of every `Cache`.

use crate::support::SECOND;
use core::cell::RefCell;
use core::time::Duration;
use ctu_core::{Bytes, Cache, CacheExt, Error, LruCache, ManualClock, SpinCache, TtlCache};

type Numbers<const N: usize> = SpinCache<LruCache<u32, u32, N>>;

pub(crate) fn insert_get_and_remove_work() {
    let cache = Numbers::<2>::new(LruCache::new());
    assert_eq!(cache.is_empty(), Ok(true));
    assert_eq!(cache.insert(&1, 10), Ok(()));
    assert_eq!(cache.insert(&1, 11), Ok(()));
    assert_eq!((cache.get(&1), cache.len()), (Ok(Some(11)), Ok(1)));
    assert_eq!((cache.contains(&1), cache.contains(&2)), (Ok(true), Ok(false)));
    assert_eq!((cache.remove(&1), cache.remove(&1)), (Ok(true), Ok(false)));
    assert_eq!(cache.insert(&2, 20), Ok(()));
    assert_eq!(cache.clear(), Ok(()));
    assert_eq!((cache.get(&2), cache.is_empty()), (Ok(None), Ok(true)));
}

pub(crate) fn pop_removes_and_returns_the_value() {
    let cache = Numbers::<2>::new(LruCache::new());
    assert_eq!(cache.pop(&1), Ok(None));
    assert_eq!(cache.insert(&1, 10), Ok(()));
    assert_eq!((cache.pop(&1), cache.pop(&1)), (Ok(Some(10)), Ok(None)));
    assert_eq!(cache.len(), Ok(0));
}

pub(crate) fn get_or_insert_with_computes_once() {
    let cache = Numbers::<2>::new(LruCache::new());
    assert_eq!(cache.get_or_insert_with(&1, || 10u32), Ok(10));
    assert_eq!(cache.get_or_insert_with(&1, || -> u32 { unreachable!() }), Ok(10));
    assert_eq!(cache.get(&1), Ok(Some(10)));
}

pub(crate) fn get_or_insert_with_holds_no_lock() {
    fn recursive<C: Cache<Key = u32, Value = u32>>(cache: &C, n: u32) -> Option<u32> {
        match n {
            0 => Some(0),
            _ => cache
                .get_or_insert_with(&n, || n + recursive(cache, n - 1).unwrap_or(0))
                .ok(),
        }
    }
    assert_eq!(recursive(&Numbers::<16>::new(LruCache::new()), 8), Some(36));
    assert_eq!(recursive(&RefCell::new(LruCache::<u32, u32, 16>::new()), 8), Some(36));
}

pub(crate) fn get_or_try_insert_with_stores_no_error() {
    let cache = Numbers::<2>::new(LruCache::new());
    let failed = cache.get_or_try_insert_with(&1, || Err::<u32, _>("no answer"));
    assert_eq!(failed, Ok(Err("no answer")));
    assert_eq!(cache.len(), Ok(0));
    let made = cache.get_or_try_insert_with(&1, || Ok::<u32, ()>(10));
    assert_eq!((made, cache.get(&1)), (Ok(Ok(10)), Ok(Some(10))));
}

pub(crate) fn get_or_insert_with_reports_a_value_that_does_not_fit() {
    let cache = SpinCache::new(LruCache::<Bytes<4>, Bytes<4>, 2>::new());
    let made = cache.get_or_insert_with(b"key", || b"value");
    assert_eq!(made, Err(Error::ValueTooLong { len: 5, max: 4 }));
    let made = cache.get_or_insert_with(b"long key", || b"v");
    assert_eq!(made, Err(Error::KeyTooLong { len: 8, max: 4 }));
    assert_eq!(cache.len(), Ok(0));
}

pub(crate) fn retain_removes_rejected_keys() {
    let cache = Numbers::<4>::new(LruCache::new());
    for key in 1..=4 {
        assert_eq!(cache.insert(&key, key), Ok(()));
    }
    assert_eq!(cache.retain(&mut |key| key % 2 == 0), Ok(()));
    let left = [1, 2, 3, 4].map(|key| cache.contains(&key));
    assert_eq!(left, [Ok(false), Ok(true), Ok(false), Ok(true)]);
}

pub(crate) fn plain_lru_rejects_a_ttl() {
    let cache = Numbers::<1>::new(LruCache::new());
    assert_eq!(cache.insert(&1, 10), Ok(()));
    assert_eq!(cache.insert_with_ttl(&2, 20, SECOND), Err(Error::TtlUnsupported));
    assert_eq!(cache.get_with_ttl(&1), Ok(Some((10, None))));
    assert_eq!(cache.get_with_ttl(&2), Ok(None));
}

pub(crate) fn ttl_is_reported_and_applied() {
    let clock = ManualClock::new();
    let cache = SpinCache::new(TtlCache::<u32, u32, 2, _>::new(10 * SECOND, &clock));
    assert_eq!(cache.insert(&1, 10), Ok(()));
    assert_eq!(cache.insert_with_ttl(&2, 20, SECOND), Ok(()));
    assert_eq!(cache.get_with_ttl(&1), Ok(Some((10, Some(10 * SECOND)))));
    assert_eq!(cache.get_with_ttl(&2), Ok(Some((20, Some(SECOND)))));
    clock.advance(SECOND);
    assert_eq!((cache.get(&2), cache.len()), (Ok(None), Ok(1)));
    assert_eq!(cache.pop(&2), Ok(None));
    clock.advance(9 * SECOND);
    assert_eq!((cache.get(&1), cache.remove(&1)), (Ok(None), Ok(false)));
    let too_long = cache.insert_with_ttl(&1, 10, Duration::MAX);
    assert!(matches!(too_long, Err(Error::TtlTooLong { .. })));
}

pub(crate) fn references_are_caches() {
    fn use_it(cache: impl Cache<Key = u32, Value = u32, Error = Error>) {
        assert_eq!(cache.insert(&1, 10), Ok(()));
        assert_eq!(cache.pop(&1), Ok(Some(10)));
        assert_eq!(cache.get_with_ttl(&1), Ok(None));
        assert_eq!(cache.retain(&mut |_| true), Ok(()));
    }
    let cache = Numbers::<2>::new(LruCache::new());
    use_it(&cache);
    let lent = &&cache;
    use_it(lent);
    use_it(cache);
}

pub(crate) fn cache_works_as_a_trait_object() {
    let locked = Numbers::<2>::new(LruCache::new());
    let single = RefCell::new(LruCache::<u32, u32, 2>::new());
    let caches: [&dyn Cache<Key = u32, Value = u32, Error = Error>; 2] = [&locked, &single];
    for (cache, value) in caches.into_iter().zip([10, 20]) {
        assert_eq!(cache.insert_entry(&1, value, None), Ok(()));
        // Methods with type parameters are reached through the reference.
        assert_eq!((&cache).insert(&2, value), Ok(()));
        assert_eq!(cache.get(&1), Ok(Some(value)));
        assert_eq!(cache.len(), Ok(2));
    }
}
