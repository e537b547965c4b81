//! Computed values: one computation for concurrent callers, grace after failures, refresh ahead.

use crate::{
    secs,
    switches::{Resilient, builder, resilient, until},
};
use ctu_std::{Cache, CacheExt, LruCache, PrefixedCache, TwoLevelCache};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
};

#[test]
fn wrappers_share_one_computation() {
    const THREADS: u32 = 8;
    let level = || LruCache::<String, u32>::with_capacity(10);
    let cache = TwoLevelCache::builder(level(), level()).build();
    let prefixed = PrefixedCache::new(&cache, "p.");
    let (computed, barrier) = (AtomicU32::new(0), Barrier::new(THREADS as usize));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                barrier.wait();
                let value = prefixed.get_or_insert_with("k", || {
                    computed.fetch_add(1, SeqCst);
                    // All others wait by now, or find the value.
                    until(|| cache.stats().waits == u64::from(THREADS) - 1);
                    7u32
                });
                assert_eq!(value, Ok(7));
            });
        }
    });
    assert_eq!(computed.load(SeqCst), 1);
    assert_eq!(cache.get("p.k"), Ok(Some(7)));
}

#[test]
fn waiter_computes_after_a_panic() {
    let (_clock, cache) = resilient();
    thread::scope(|scope| {
        let cache = &cache;
        let begun = Arc::new(Barrier::new(2));
        let first_begun = Arc::clone(&begun);
        let first = scope.spawn(move || {
            catch_unwind(AssertUnwindSafe(|| {
                cache.get_or_insert_with(&1, || -> u32 {
                    first_begun.wait();
                    until(|| cache.stats().waits == 1);
                    panic!("as it is told to");
                })
            }))
        });
        begun.wait();
        assert_eq!(cache.get_or_insert_with(&1, || 5u32), Ok(5));
        assert!(first.join().unwrap().is_err());
    });
    assert_eq!(cache.get(&1), Ok(Some(5)));
}

#[test]
fn recursive_computation_does_not_deadlock() {
    let (_clock, cache) = resilient();
    let value = cache.get_or_insert_with(&1, || cache.get_or_insert_with(&1, || 2u32).unwrap() + 1);
    assert_eq!(value, Ok(3));
}

#[test]
fn recursive_computation_replaces_no_newer_value() {
    let (_clock, cache) = resilient();
    let writes: [fn(&Resilient, &u32); 2] = [
        |cache, key| cache.insert(key, 2u32).unwrap(),
        |cache, key| assert!(cache.remove(key).is_ok()),
    ];
    for (key, (write, newest)) in (0u32..).zip(writes.into_iter().zip([Some(2), None])) {
        let outer = cache.get_or_insert_with(&key, || {
            let inner = cache.get_or_insert_with(&key, || {
                let read = 1u32;
                // The source changes, and another thread stores the new value.
                thread::scope(|scope| drop(scope.spawn(|| write(&cache, &key))));
                read
            });
            inner.unwrap()
        });
        assert_eq!(outer, Ok(1));
        assert_eq!(cache.get(&key), Ok(newest));
        assert_eq!(cache.second().get(&key), Ok(newest));
    }
}

#[test]
fn grace_serves_a_stale_value_if_the_computation_fails() {
    let (clock, builder) = builder();
    let cache = builder.grace(secs(5), 10).build();
    let fails = || cache.get_or_try_insert_with(&1, || Err::<u32, _>("fails"));
    cache.insert_with_ttl(&1, 1u32, secs(10)).unwrap();
    clock.advance(secs(14));
    assert_eq!(cache.get(&1), Ok(None));
    assert_eq!(fails(), Ok(Ok(1)));
    assert_eq!(cache.stats().stale, 1);
    clock.advance(secs(1));
    assert_eq!(fails(), Ok(Err("fails")));
    cache.insert_with_ttl(&1, 1u32, secs(10)).unwrap();
    cache.remove(&1).unwrap();
    assert_eq!(fails(), Ok(Err("fails")));
}

#[test]
fn refresh_ahead_runs_in_the_background() {
    let (clock, builder) = builder();
    let loaded = Arc::new(AtomicU32::new(0));
    let loads = Arc::clone(&loaded);
    let cache = builder.refresh_ahead(0.5, move |key| {
        loads.fetch_add(1, SeqCst);
        (*key == 1).then_some(100)
    });
    let cache = cache.build();
    cache.insert(&1, 1u32).unwrap();
    cache.insert(&2, 2u32).unwrap();
    clock.advance(secs(4));
    assert_eq!((cache.get(&1), loaded.load(SeqCst)), (Ok(Some(1)), 0));
    clock.advance(secs(2));
    // The read does not wait for it.
    assert!(matches!(cache.get(&1), Ok(Some(1 | 100))));
    until(|| cache.get(&1) == Ok(Some(100)));
    assert_eq!(cache.get(&2), Ok(Some(2)));
    until(|| loaded.load(SeqCst) >= 2);
    assert_eq!(cache.get(&2), Ok(Some(2)));
    assert_eq!(cache.stats().refreshes, 1);
}
