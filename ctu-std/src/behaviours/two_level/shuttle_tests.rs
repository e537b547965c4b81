//! Every order in which threads can meet in a `TwoLevelCache`, tried at random by shuttle.

mod invalidation;

use super::TwoLevelCache;
use crate::{
    behaviours::shuttle::{
        Remote, in_many_orders, in_orders, one_computation::tests_of_one_computation, spawn,
    },
    caches::LockedCache,
};
use ctu_core::{Cache, CacheExt, ManualClock, heap::LruCache};
use shuttle::thread::yield_now;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

type Explored = TwoLevelCache<LockedCache<LruCache<String, u32>>, Remote>;

fn plain() -> Arc<Explored> {
    let first = LruCache::with_capacity(4);
    let builder = TwoLevelCache::builder(first, Remote::default());
    Arc::new(builder.build())
}

fn resilient(clock: &Arc<ManualClock>) -> Arc<Explored> {
    let first = LruCache::with_capacity(4);
    let builder = TwoLevelCache::builder(first, Remote::default())
        .manual_recovery()
        .breaker(1, Duration::from_secs(1))
        .open_for(Duration::from_secs(1), Duration::from_secs(1))
        .settle_time(Duration::from_secs(5))
        .clock(Arc::clone(clock));
    Arc::new(builder.seed(1).build())
}

tests_of_one_computation!(plain, TwoLevelCache::second);

#[test]
fn last_write_wins() {
    in_many_orders(|| {
        let cache = plain();
        cache.insert("k", 0u32).unwrap();
        cache.first().remove("k").unwrap();
        let threads = [
            spawn(&cache, |cache| {
                cache.get("k").unwrap();
            }),
            spawn(&cache, |cache| cache.insert("k", 1u32).unwrap()),
            spawn(&cache, |cache| cache.insert("k", 2u32).unwrap()),
        ];
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let second = cache.second().get("k").unwrap();
        assert_eq!(cache.get("k").unwrap(), second);
    });
}

#[test]
fn removed_entry_is_a_miss_for_later_reads() {
    in_many_orders(|| {
        let cache = plain();
        cache.insert("k", 1u32).unwrap();
        cache.first().remove("k").unwrap();
        let reader = spawn(&cache, |cache| drop(cache.get_many(&["k"]).unwrap()));
        let remover = spawn(&cache, |cache| {
            cache.remove("k").unwrap();
            assert_eq!(cache.get("k").unwrap(), None);
        });
        reader.join().unwrap();
        remover.join().unwrap();
        assert_eq!(cache.get("k").unwrap(), None);
    });
}

#[test]
fn value_computed_before_a_removal_is_not_seen_after_it() {
    nothing_computed_before_is_seen_after(20_000, |cache| cache.remove("k").map(drop));
}

#[test]
fn value_computed_before_a_clear_is_not_seen_after_it() {
    nothing_computed_before_is_seen_after(5_000, Cache::clear);
}

fn nothing_computed_before_is_seen_after<E: fmt::Debug + 'static>(
    orders: usize,
    remove: fn(&Explored) -> Result<(), E>,
) {
    in_orders(orders, move || {
        let cache = plain();
        let source = Arc::new(AtomicU32::new(1));
        let compute = |source: &Arc<AtomicU32>| {
            let source = Arc::clone(source);
            move |cache: &Explored| {
                let make = || {
                    let value = source.load(SeqCst);
                    yield_now();
                    value
                };
                cache.get_or_insert_with("k", make).unwrap()
            }
        };
        let early = [
            spawn(&cache, compute(&source)),
            spawn(&cache, compute(&source)),
        ];
        let (changed, late) = (Arc::clone(&source), compute(&source));
        let changer = spawn(&cache, move |cache| {
            changed.store(2, SeqCst);
            remove(cache).unwrap();
            late(cache)
        });
        assert_eq!(changer.join().unwrap(), 2);
        for thread in early {
            thread.join().unwrap();
        }
        cache.first().remove("k").unwrap();
        let last = cache.get("k").unwrap();
        assert!(last.is_none_or(|last| last == 2), "{last:?}");
    });
}

#[test]
fn open_breaker_admits_one_probe() {
    in_many_orders(|| {
        let clock = Arc::new(ManualClock::new());
        let cache = resilient(&clock);
        cache.second().down.store(true, SeqCst);
        assert_eq!(cache.get("k"), Ok(None));
        clock.advance(Duration::from_secs(2));
        cache.second().most_asking.store(0, SeqCst);
        let threads: Vec<_> = (0..3)
            .map(|_| spawn(&cache, |cache| assert_eq!(cache.get("k"), Ok(None))))
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(cache.second().most_asking.load(SeqCst), 1);
    });
}

#[test]
fn outage_and_recovery_resurrect_nothing() {
    in_many_orders(|| {
        let clock = Arc::new(ManualClock::new());
        let cache = resilient(&clock);
        cache.insert("k", 1u32).unwrap();
        let network = spawn(&cache, |cache| {
            cache.second().down.store(true, SeqCst);
            yield_now();
            cache.second().down.store(false, SeqCst);
        });
        let time = Arc::clone(&clock);
        let recovery = spawn(&cache, move |cache| {
            for _ in 0..4 {
                time.advance(Duration::from_secs(1));
                cache.recover();
            }
        });
        let reader = spawn(&cache, |cache| {
            cache.first().remove("k").unwrap();
            cache.get("k").unwrap();
        });
        let writer = spawn(&cache, |cache| {
            cache.insert("k", 2u32).unwrap();
            cache.first().remove("k").unwrap();
            let found = cache.get("k").unwrap();
            assert!(matches!(found, None | Some(2)), "{found:?} is not the last");
            cache.remove("k").unwrap();
            assert_eq!(cache.get("k").unwrap(), None);
        });
        for thread in [network, recovery, reader, writer] {
            thread.join().unwrap();
        }
        assert_eq!(cache.get("k").unwrap(), None);
        for _ in 0..20 {
            clock.advance(Duration::from_secs(6));
            cache.recover();
        }
        assert_eq!(cache.stats().journal, 0);
        assert_eq!(cache.second().get("k").unwrap(), None);
    });
}
