//! Sixteen threads on one `ConcurrentCache` beside a checker of its promises.

use ctu_std::{Compute, ConcurrentCache, RemovalCause, StdClock, prelude::*};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

const THREADS: u64 = 16;
/// Some seconds of a machine with two processors.
const STEPS: u64 = 40_000;
const CAPACITY: usize = 2_000;
const MAX_WEIGHT: u64 = 6_000;

/// A value has its key, and the number of the write.
fn value(key: u32, write: u64) -> u64 {
    u64::from(key) << 40 | write
}

#[test]
fn sixteen_threads_keep_the_promises_of_the_cache() {
    let (came, left) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&left);
    let cache = ConcurrentCache::<u32, u64>::builder(CAPACITY)
        .max_weight(MAX_WEIGHT, |key, _| u64::from(key % 7))
        .listener(move |key, value, cause| {
            assert_eq!(value >> 40, u64::from(*key), "{cause:?}");
            assert_ne!(cause, RemovalCause::Expired);
            count.fetch_add(1, SeqCst);
        })
        .count()
        .clock(StdClock::new())
        .expire_after_read(Duration::MAX)
        .build();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers = (0..THREADS).map(|thread| {
            let (cache, came) = (&cache, &came);
            scope.spawn(move || work(cache, thread, came))
        });
        let workers: Vec<_> = workers.collect();
        scope.spawn(|| {
            while !done.load(SeqCst) {
                assert!(cache.len().unwrap() <= CAPACITY);
                assert!(cache.weight() <= MAX_WEIGHT);
                let entries = cache.entries().take(500);
                entries.for_each(|entry| assert_eq!(entry.value >> 40, u64::from(entry.key)));
                thread::yield_now();
            }
        });
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap());
        done.store(true, SeqCst);
    });
    // Each entry that came has left, or is there.
    let there = cache.len().unwrap() as u64;
    assert_eq!(came.load(SeqCst), left.load(SeqCst) + there);
    let stats = cache.stats().unwrap();
    assert_eq!(
        stats.insertions,
        stats.evicted + stats.replaced + stats.removed + there
    );
    cache.clear().unwrap();
    assert_eq!((cache.len(), cache.weight()), (Ok(0), 0));
    assert_eq!(came.load(SeqCst), left.load(SeqCst));
}

fn work(cache: &ConcurrentCache<u32, u64, StdClock>, thread: u64, came: &AtomicU64) {
    let mut random = thread + 1;
    // A key that this thread alone writes, and its last value.
    let own = 1_000_000 + thread as u32;
    let mut last = None;
    for step in 0..STEPS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let key = ((random >> 32) % 5_000) as u32;
        let write = thread * STEPS + step;
        match random % 16 {
            0 => drop(cache.remove(&key).unwrap()),
            1 => {
                let popped = cache.pop(&key).unwrap();
                assert!(popped.is_none_or(|found| found >> 40 == u64::from(key)));
            }
            2..6 => {
                cache.insert(&key, value(key, write)).unwrap();
                came.fetch_add(1, SeqCst);
            }
            6 => {
                let done = cache.and_compute_with(&key, |old| {
                    assert!(old.is_none_or(|old| old >> 40 == u64::from(key)));
                    match old {
                        Some(_) if write.is_multiple_of(3) => Compute::Remove,
                        Some(_) if write % 3 == 1 => Compute::Keep,
                        _ => Compute::Put(value(key, write)),
                    }
                });
                came.fetch_add(
                    u64::from(done.unwrap().new == Some(value(key, write))),
                    SeqCst,
                );
            }
            7 => {
                cache.insert(&own, value(own, write)).unwrap();
                came.fetch_add(1, SeqCst);
                last = Some(value(own, write));
            }
            8 => {
                let found = cache.get(&own).unwrap();
                assert!(found.is_none() || found == last, "an older value came back");
            }
            9 if step % 5_000 == 0 => cache.retain(&mut |key| key % 11 != 0).unwrap(),
            _ => {
                let found = cache.get(&key).unwrap();
                assert!(found.is_none_or(|found| found >> 40 == u64::from(key)));
            }
        }
    }
}
