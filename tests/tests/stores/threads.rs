//! Shared caches under contention, and every order in which two threads can meet in one.

use ctu_core::{
    Bytes, Cache, CacheExt, EncryptedCache, LockedCache, LruCache, ManualClock, PrefixedCache,
    SpinCache, StatsCache, heap,
};
use std::{
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

const THREADS: u32 = 8;
const OPERATIONS: u32 = 20_000;

/// A value that contains its key and the number of the thread that wrote it.
fn value(key: u32, thread: u32, step: u32) -> u64 {
    u64::from(key) << 40 | u64::from(thread) << 32 | u64::from(step)
}

/// Every thread writes, reads and removes shared keys. Each value read was written for its key. A
/// thread reads its last value or none at a key that only it writes.
fn contend<C>(cache: &C, own_keys_stay: bool)
where
    C: Cache<Key = u32, Value = u64> + Sync,
{
    let barrier = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                let mut random = thread + 1;
                for step in 0..OPERATIONS {
                    // xorshift32
                    random ^= random << 13;
                    random ^= random >> 17;
                    random ^= random << 5;
                    let key = random % 64;
                    match random >> 8 & 7 {
                        0 => drop(cache.remove(&key).unwrap()),
                        1 | 2 => cache.insert(&key, value(key, thread, step)).unwrap(),
                        3 => {
                            let found = cache
                                .get_or_insert_with(&key, || value(key, thread, step))
                                .unwrap();
                            assert_eq!(found >> 40, u64::from(key));
                        }
                        4 => {
                            let own = 1_000 + thread;
                            let mine = value(own, thread, step);
                            cache.insert(&own, mine).unwrap();
                            let found = cache.get(&own).unwrap();
                            assert!(found == Some(mine) || (!own_keys_stay && found.is_none()));
                        }
                        _ => {
                            if let Some(found) = cache.get(&key).unwrap() {
                                assert_eq!(found >> 40, u64::from(key));
                            }
                        }
                    }
                }
            });
        }
    });
}

#[test]
fn spin_cache_is_consistent_without_eviction() {
    static CACHE: SpinCache<LruCache<u32, u64, 256>> = SpinCache::new(LruCache::new());
    contend(&CACHE, true);
    CACHE
        .with(|cache| assert_eq!(cache.validate(), Ok(())))
        .unwrap();
}

#[test]
fn spin_cache_is_consistent_with_eviction() {
    static CACHE: SpinCache<LruCache<u32, u64, 17>> = SpinCache::new(LruCache::new());
    contend(&CACHE, false);
    // The last operation of a thread may be a removal: fill the cache before the count.
    for key in 0..64 {
        CACHE.insert(&key, value(key, 0, 0)).unwrap();
    }
    CACHE
        .with(|cache| assert_eq!((cache.validate(), cache.len()), (Ok(()), 17)))
        .unwrap();
}

#[test]
fn concurrent_cache_with_room_for_all() {
    contend(
        &ctu_std::ConcurrentCache::<u32, u64>::with_capacity(256),
        true,
    );
}

#[test]
fn concurrent_cache_that_evicts() {
    let cache = ctu_std::ConcurrentCache::<u32, u64>::with_capacity(17);
    contend(&cache, false);
    // The last operation of a thread may be a removal: fill the cache before the count.
    for key in 0..64 {
        cache.insert(&key, value(key, 0, 0)).unwrap();
    }
    assert_eq!(cache.len(), Ok(17));
}

/// One thread per key writes and removes it and announces each operation. Other threads read it,
/// and fill, clear and filter the cache. A read never returns a state from before the last
/// operation that was announced before the read began.
fn no_old_value<C>(cache: &C)
where
    C: Cache<Key = u32, Value = u64> + Sync,
{
    const KEYS: u32 = 3;
    let done = [const { AtomicU64::new(0) }; KEYS as usize];
    thread::scope(|scope| {
        for key in 0..KEYS {
            let done = &done[key as usize];
            scope.spawn(move || {
                for version in 1..=u64::from(OPERATIONS) {
                    if version % 3 == 0 {
                        cache.remove(&key).unwrap();
                    } else {
                        cache.insert(&key, version).unwrap();
                    }
                    done.store(version, Ordering::SeqCst);
                }
            });
        }
        for thread in 0..4 {
            let done = &done;
            scope.spawn(move || {
                for step in 0..OPERATIONS {
                    let key = step % KEYS;
                    let before = done[key as usize].load(Ordering::SeqCst);
                    let found = match step % 2 {
                        0 => cache.get(&key),
                        _ => cache
                            .get_with_ttl(&key)
                            .map(|found| found.map(|(value, _)| value)),
                    };
                    // A version that removed is not there to be found.
                    let found = found.unwrap();
                    assert!(found.is_none_or(|found| found >= before && found % 3 != 0));
                    let other = 1_000 + thread * OPERATIONS + step;
                    cache.insert(&other, 0u64).unwrap();
                    match step % 1_000 {
                        300 => cache.clear().unwrap(),
                        600 => cache.retain(&mut |key| key % 2 == 0).unwrap(),
                        _ => {}
                    }
                }
            });
        }
    });
}

#[test]
fn concurrent_cache_shows_nothing_old_while_it_grows_shrinks_and_evicts() {
    no_old_value(&ctu_std::ConcurrentCache::<u32, u64>::with_capacity(20));
    no_old_value(&ctu_std::ConcurrentCache::<u32, u64>::with_capacity(2_000));
    let shards = || heap::LruCache::<u32, u64>::with_capacity(5);
    no_old_value(&ctu_std::ShardedCache::new(4, shards));
}

/// Of several concurrent removals, exactly one returns true.
#[test]
fn an_entry_of_concurrent_cache_is_removed_once() {
    let cache = ctu_std::ConcurrentCache::<u32, u64>::with_capacity(2_000);
    for _ in 0..50 {
        for key in 0..1_000 {
            cache.insert(&key, 0u64).unwrap();
        }
        let (barrier, removed) = (Barrier::new(4), AtomicU64::new(0));
        thread::scope(|scope| {
            for thread in 0..4 {
                let (cache, barrier, removed) = (&cache, &barrier, &removed);
                scope.spawn(move || {
                    barrier.wait();
                    for key in 0..1_000 {
                        let there = match (key + thread) % 2 {
                            0 => cache.remove(&key).unwrap(),
                            _ => cache.pop(&key).unwrap().is_some(),
                        };
                        removed.fetch_add(there.into(), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!((removed.into_inner(), cache.len()), (1_000, Ok(0)));
    }
}

#[test]
fn critical_section_cache_is_consistent() {
    let cache =
        LockedCache::<ctu_core::CriticalSectionMutex, _>::new(LruCache::<u32, u64, 17>::new());
    contend(&cache, false);
    cache
        .with(|cache| assert_eq!(cache.validate(), Ok(())))
        .unwrap();
}

#[test]
fn expiring_cache_is_consistent() {
    let clock = ManualClock::new();
    let store = heap::TtlCache::<u32, u64, _>::with_capacity(40, Duration::from_millis(1), &clock);
    let cache = ctu_std::LockedCache::new(store);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..1_000 {
                clock.advance(Duration::from_millis(1));
                thread::yield_now();
            }
        });
        contend(&cache, false);
    });
    cache
        .with(|cache| assert_eq!(cache.validate(), Ok(())))
        .unwrap();
}

#[test]
fn every_operation_is_counted() {
    let cache = StatsCache::new(SpinCache::new(LruCache::<u32, u64, 8>::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for step in 0..OPERATIONS {
                    cache.insert(&(step % 8), 0u64).unwrap();
                    cache.get(&(step % 8)).unwrap();
                    cache.contains(&9).unwrap();
                }
            });
        }
    });
    let stats = cache.stats().unwrap();
    let all = (THREADS * OPERATIONS) as usize;
    assert_eq!(
        (stats.writes, stats.reads, stats.hits, stats.tests),
        (all, all, all, all)
    );
}

#[test]
fn whole_stack_works_in_a_static() {
    static BASE: SpinCache<LruCache<Bytes<16>, Bytes<16>, 64>> = SpinCache::new(LruCache::new());
    static VAULT: PrefixedCache<EncryptedCache<&SpinCache<LruCache<Bytes<16>, Bytes<16>, 64>>>> =
        PrefixedCache::new(
            EncryptedCache::new(&BASE, b"thirty-two bytes that none knows"),
            b"cfg.",
        );
    thread::scope(|scope| {
        for thread in 0..THREADS as u8 {
            scope.spawn(move || {
                for step in 0..200u8 {
                    VAULT.insert(&[thread], &[step, thread]).unwrap();
                    assert_eq!(VAULT.get(&[thread]).unwrap().unwrap(), [step, thread]);
                }
            });
        }
    });
}

/// A lock that hands the processor over wherever two threads could meet, so that shuttle tries
/// their orders.
mod shuttle_lock {
    use shuttle::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    pub(super) struct RawShuttle(std::sync::OnceLock<AtomicBool>);

    impl RawShuttle {
        fn held(&self) -> &AtomicBool {
            self.0.get_or_init(|| AtomicBool::new(false))
        }
    }

    // SAFETY: the holder is the thread that set `held` from false to true, until it resets `held`.
    unsafe impl lock_api::RawMutex for RawShuttle {
        #[allow(clippy::declare_interior_mutable_const)]
        const INIT: Self = Self(std::sync::OnceLock::new());
        type GuardMarker = lock_api::GuardSend;

        fn lock(&self) {
            while !self.try_lock() {
                thread::yield_now();
            }
        }

        fn try_lock(&self) -> bool {
            !self.held().swap(true, Ordering::SeqCst)
        }

        unsafe fn unlock(&self) {
            self.held().store(false, Ordering::SeqCst);
        }
    }
}

/// Runs a case in thousands of random orders.
fn in_many_orders(case: impl Fn() + Send + Sync + 'static) {
    shuttle::check_random(case, 3_000);
}

type Explored<S> = LockedCache<shuttle_lock::RawShuttle, S>;

#[test]
fn concurrent_computations_of_a_key_agree() {
    in_many_orders(|| {
        let cache =
            std::sync::Arc::new(Explored::new(heap::LruCache::<u32, u64>::with_capacity(4)));
        let threads: Vec<_> = (0..3u64)
            .map(|thread| {
                let cache = std::sync::Arc::clone(&cache);
                shuttle::thread::spawn(move || cache.get_or_insert_with(&1, || thread).unwrap())
            })
            .collect();
        let returned: Vec<u64> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        let kept = cache.get(&1).unwrap().unwrap();
        assert!(
            returned.contains(&kept),
            "{returned:?} were returned, and {kept} kept"
        );
        cache
            .with(|cache| assert_eq!(cache.validate(), Ok(())))
            .unwrap();
    });
}

#[test]
fn concurrent_remove_and_insert_leave_one_outcome() {
    in_many_orders(|| {
        let cache =
            std::sync::Arc::new(Explored::new(heap::LruCache::<u32, u64>::with_capacity(2)));
        cache.insert(&1, 10u64).unwrap();
        let (a, b) = (std::sync::Arc::clone(&cache), std::sync::Arc::clone(&cache));
        let remover = shuttle::thread::spawn(move || a.pop(&1).unwrap());
        let writer = shuttle::thread::spawn(move || {
            b.insert(&1, 11u64).unwrap();
            b.insert(&2, 20u64).unwrap();
            b.insert(&3, 30u64).unwrap();
        });
        let popped = remover.join().unwrap();
        writer.join().unwrap();
        // 10 before the writer came, 11 after; nothing once 1 had to make room.
        assert!(matches!(popped, None | Some(10 | 11)));
        cache
            .with(|cache| {
                assert_eq!(cache.validate(), Ok(()));
                assert_eq!(cache.peek(&3), Some(&30));
                assert!(cache.len() <= 2);
            })
            .unwrap();
    });
}

#[test]
fn try_operation_is_busy_and_changes_nothing() {
    in_many_orders(|| {
        let cache =
            std::sync::Arc::new(Explored::new(heap::LruCache::<u32, u64>::with_capacity(2)));
        let other = std::sync::Arc::clone(&cache);
        let waiting = shuttle::thread::spawn(move || other.insert(&1, 1u64).unwrap());
        let tried = cache.try_insert(&2, 2u64);
        waiting.join().unwrap();
        assert_eq!(cache.get(&1).unwrap(), Some(1));
        match tried {
            Ok(()) => assert_eq!(cache.get(&2).unwrap(), Some(2)),
            Err(error) => {
                assert_eq!(error, ctu_core::Error::Busy);
                assert_eq!(cache.get(&2).unwrap(), None);
            }
        }
    });
}
