//! Sixteen threads on one `ConcurrentCache` beside checkers of its promises. Each test runs a fixed
//! number of operations, and again until `CTU_SOAK_SECONDS` have passed where that is set.

use ctu_std::{Compute, ConcurrentCache, RemovalCause, StdClock, prelude::*};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
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

/// Runs `round` once, and again while the time of a soak lasts.
fn soak(round: fn()) {
    let seconds = std::env::var("CTU_SOAK_SECONDS").ok();
    let seconds = seconds.map_or(0, |seconds| seconds.parse().expect("whole seconds"));
    let start = Instant::now();
    round();
    while start.elapsed() < Duration::from_secs(seconds) {
        round();
    }
}

#[test]
fn sixteen_threads_keep_the_promises_of_the_cache() {
    soak(keep_the_promises);
}

fn keep_the_promises() {
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

/// Keys that one thread writes.
const OWN: u32 = 64;

/// A key that all threads read, and that one thread writes, with a greater version each time.
#[derive(Default)]
struct Versions {
    started: AtomicU64,
    /// The last write or removal that has finished.
    finished: AtomicU64,
}

impl Versions {
    /// Runs the next write. Versions that are multiples of 4 are removals.
    fn write(&self, cache: &ConcurrentCache<u32, u64>, key: u32) {
        let version = self.started.fetch_add(1, SeqCst) + 1;
        match version % 4 {
            0 => drop(cache.remove(&key).unwrap()),
            1 => {
                let done = cache.upsert_with(&key, |old| {
                    assert!(old.is_none_or(|old| old & MASK < version));
                    value(key, version)
                });
                assert_eq!(done, Ok(value(key, version)));
            }
            _ => cache.insert(&key, value(key, version)).unwrap(),
        }
        self.finished.store(version, SeqCst);
    }

    fn read(&self, cache: &ConcurrentCache<u32, u64>, key: u32, step: u64) {
        let finished = self.finished.load(SeqCst);
        let found = match step % 3 {
            0 => cache.peek(&key),
            _ => cache.get(&key).unwrap(),
        };
        let started = self.started.load(SeqCst);
        if let Some(found) = found {
            assert_eq!(found >> 40, u64::from(key));
            let version = found & MASK;
            assert!((finished..=started).contains(&version) && !version.is_multiple_of(4));
        }
    }
}

/// The version of a value.
const MASK: u64 = (1 << 40) - 1;

#[test]
fn no_reader_sees_an_older_value_than_the_last_finished_write() {
    soak(read_beside_writers);
}

fn read_beside_writers() {
    const KEYS: u32 = OWN * THREADS as u32;
    const CAPACITIES: [usize; 3] = [400, 2_000, 300];
    let cache = ConcurrentCache::<u32, u64>::with_capacity(CAPACITIES[0]);
    let versions: Vec<Versions> = (0..KEYS).map(|_| Versions::default()).collect();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (cache, versions) = (&cache, &versions);
            scope.spawn(move || {
                let mut random = thread + 1;
                for step in 0..STEPS {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let any = (random >> 32) as u32;
                    let own = thread as u32 * OWN + any % OWN;
                    // The first key of each thread is hot.
                    let other = match random % 4 {
                        0 => any % KEYS,
                        _ => any % THREADS as u32 * OWN,
                    };
                    match random >> 8 & 7 {
                        0 => versions[own as usize].write(cache, own),
                        1 if step % 512 == 0 => {
                            let capacity = CAPACITIES[any as usize % CAPACITIES.len()];
                            cache.set_capacity(capacity);
                        }
                        _ => versions[other as usize].read(cache, other, step),
                    }
                }
            });
        }
    });
    for capacity in CAPACITIES {
        cache.set_capacity(capacity);
        let entries = cache.entries().count();
        assert_eq!(cache.len(), Ok(entries));
        assert!(entries <= capacity);
    }
}
