//! Computed values: one computation for concurrent callers, grace after failures, refresh ahead.

use crate::{
    secs,
    switches::{Resilient, builder, resilient, until},
};
use ctu_std::{Cache, CacheExt, LruCache, PrefixedCache, SingleFlightCache, TwoLevelCache};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
        mpsc::channel,
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

#[test]
fn due_keys_are_refreshed_by_one_computation_and_one_write() {
    let (clock, builder) = builder();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&calls);
    let cache = builder.refresh_ahead_many(0.5, move |keys| {
        log.lock()
            .unwrap()
            .push(keys.iter().map(|key| **key).collect::<Vec<_>>());
        // The last key has no value any more.
        keys.iter()
            .map(|key| (**key != 3).then_some(**key + 100))
            .collect()
    });
    let cache = cache.build();
    cache
        .insert_many(vec![(&1, 1), (&2, 2), (&3, 3)], None)
        .unwrap();
    clock.advance(secs(6));
    cache.insert(&4, 4u32).unwrap();
    let asked = cache.second().asked.load(SeqCst);
    let several = SingleFlightCache::new(&cache);
    let found = several.get_or_insert_many_with(&[&1, &2, &3, &4], |_| unreachable!());
    assert_eq!(found.map(|found| found.len()), Ok(4));
    let first = || [1, 2, 3, 4].map(|key| cache.get_first(&key).unwrap());
    until(|| first() == [Some(101), Some(102), Some(3), Some(4)]);
    assert_eq!(cache.second().asked.load(SeqCst), asked + 1);
    assert_eq!(
        cache.second().get_many(&[&1, &2, &3]),
        Ok(vec![Some(101), Some(102), Some(3)])
    );
    assert_eq!(cache.stats().refreshes, 2);
    // The look-ups above ask for the third key again.
    until(|| calls.lock().unwrap().len() > 1);
    let calls = calls.lock().unwrap();
    assert_eq!(calls[0], [1, 2, 3]);
    assert!(calls[1..].iter().all(|keys| *keys == [3]), "{calls:?}");
}

#[test]
fn refresh_of_many_keys_leaves_keys_that_were_written_meanwhile() {
    let (clock, builder) = builder();
    let (begun, has_begun) = channel();
    let (go_on, goes_on) = channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let cache = builder.refresh_ahead_many(0.5, move |keys| {
        begun.send(()).unwrap();
        goes_on.lock().unwrap().recv().unwrap();
        keys.iter().map(|key| Some(**key + 100)).collect()
    });
    let cache = cache.build();
    cache
        .insert_many(vec![(&1, 1), (&2, 2), (&3, 3)], None)
        .unwrap();
    clock.advance(secs(6));
    cache.get_many(&[&1, &2, &3]).unwrap();
    has_begun.recv().unwrap();
    cache.insert(&2, 20u32).unwrap();
    cache.remove(&3).unwrap();
    go_on.send(()).unwrap();
    until(|| cache.get(&1) == Ok(Some(101)));
    assert_eq!(cache.get_many(&[&2, &3]), Ok(vec![Some(20), None]));
    assert_eq!(cache.second().get_many(&[&2, &3]), Ok(vec![Some(20), None]));
}

#[test]
fn loader_with_another_number_of_values_stores_nothing() {
    let (clock, builder) = builder();
    let cache = builder
        .refresh_ahead_many(0.5, |_| vec![Some(100); 3])
        .build();
    cache.insert_many(vec![(&1, 1), (&2, 2)], None).unwrap();
    clock.advance(secs(6));
    assert_eq!(cache.get_many(&[&1, &2]), Ok(vec![Some(1), Some(2)]));
    until(|| cache.stats().errors == 1);
    assert_eq!(
        (cache.stats().refreshes, cache.get_first(&1)),
        (0, Ok(Some(1)))
    );
}
