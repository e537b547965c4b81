//! Stores under a lock and in shards, and the concurrent cache.

use super::{Fussy, HOUR, Scattered, call, ends_despite_panic_at};
use ctu_core::{ManualClock, heap, prelude::*};
use ctu_std::{ConcurrentCache, LockedCache, ShardedCache};
use std::fmt::Debug;

trait Hostile: Cache<Key = Fussy, Value = Fussy, Error: Debug + PartialEq> {}

impl<C: Cache<Key = Fussy, Value = Fussy, Error: Debug + PartialEq>> Hostile for C {}

/// Every operation, on a cache that fills up and evicts.
fn use_all<C: Hostile>(cache: &C) -> Result<(), C::Error> {
    let insert = |key, value| cache.insert_entry(&Fussy(key), Fussy(value), None);
    for key in 0..16 {
        insert(key, key)?;
        cache.get(&Fussy(key / 2))?;
    }
    insert(15, 0)?;
    cache.get_or_insert_with(&Fussy(30), || {
        call();
        Fussy(30)
    })?;
    cache.get_with_ttl(&Fussy(15))?;
    cache.contains(&Fussy(14))?;
    cache.insert_many(vec![(&Fussy(1), Fussy(1)), (&Fussy(40), Fussy(40))], None)?;
    cache.get_many(&[&Fussy(1), &Fussy(40)])?;
    cache.remove(&Fussy(40))?;
    cache.pop(&Fussy(1))?;
    cache.retain(&mut |key| {
        call();
        !key.0.is_multiple_of(3)
    })?;
    cache.clear()?;
    insert(21, 21)
}

/// The cache has 8 entries, and room for as many of the keys 1, 5, 9 and so on.
fn panic_at_each_call<C: Hostile>(new: impl Fn() -> C, whole: impl Fn(&C) -> bool) {
    for calls in 0.. {
        let cache = new();
        let ended = ends_despite_panic_at(calls, || use_all(&cache).unwrap());
        assert!(whole(&cache), "after {calls} calls");
        use_all(&cache).unwrap();
        for key in (1..200).step_by(4) {
            cache
                .insert_entry(&Fussy(key), Fussy(key + 1_000), None)
                .unwrap();
            let found = cache.get(&Fussy(key)).unwrap().map(|value| value.0);
            assert_eq!(found, Some(key + 1_000), "after {calls} calls");
        }
        assert_eq!(cache.len(), Ok(8), "after {calls} calls");
        assert!(whole(&cache), "after {calls} calls");
        if ended {
            return;
        }
    }
}

#[test]
fn panic_at_any_call_leaves_a_locked_store_usable() {
    let lru = || heap::LruCache::<Fussy, _, _>::with_capacity_and_hasher(8, Scattered::new());
    panic_at_each_call(|| LockedCache::new(lru()), |_| true);
    panic_at_each_call(|| ShardedCache::new(1, lru), |_| true);
    panic_at_each_call(
        || {
            let store =
                heap::AdaptiveCache::<Fussy, _, _>::with_capacity_and_hasher(8, Scattered::new());
            LockedCache::new(store)
        },
        |_| true,
    );
}

#[test]
fn panic_at_any_call_leaves_the_concurrent_cache_its_capacity() {
    let new = || ConcurrentCache::<Fussy, _>::with_capacity(8).with_hasher(Scattered::new());
    panic_at_each_call(new, |cache| cache.entries().count() == cache.len().unwrap());
}

#[test]
fn panic_at_any_call_leaves_the_concurrent_cache_its_weight() {
    let weight = |key: &Fussy| u64::from(key.0 % 4);
    let new = || {
        ConcurrentCache::builder(8)
            .max_weight(12, move |key: &Fussy, _| {
                call();
                weight(key)
            })
            .listener(|_, _, _| call())
            .hasher(Scattered::new())
            .clock(ManualClock::new())
            .expire_after_read(HOUR)
            .build()
    };
    panic_at_each_call(new, |cache| {
        let entries = cache.entries().map(|entry| weight(&entry.key));
        entries.sum::<u64>() == cache.weight()
    });
}

#[test]
fn concurrent_cache_of_one_entry_keeps_one() {
    let cache = ConcurrentCache::<u32, u32>::with_capacity(1);
    for key in 0..100 {
        cache.insert(&key, key).unwrap();
        assert_eq!((cache.get(&key), cache.len()), (Ok(Some(key)), Ok(1)));
        assert_eq!(cache.get(&key.wrapping_sub(1)), Ok(None));
    }
    assert_eq!((cache.pop(&99), cache.len()), (Ok(Some(99)), Ok(0)));
}
