//! One computation a key, over caches that each thread would compute for itself in.

use ctu_std::{
    Cache, CacheExt, ConcurrentCache, Error, LockedCache, LruCache, ManualClock, SingleFlightCache,
    StatsCache, TtlCache, cached,
};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Barrier, LazyLock,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

const THREADS: u32 = 8;

/// The results of threads that make `call` concurrently, each with its number.
fn together<T: Send>(call: impl Fn(u32) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        let thread = |number| {
            let (barrier, call) = (&barrier, &call);
            scope.spawn(move || {
                barrier.wait();
                call(number)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(thread).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

/// A computation during which others get to run.
fn slow<T>(made: T) -> T {
    (0..100).for_each(|_| thread::yield_now());
    made
}

fn computes_once<C>(cache: C)
where
    C: Cache<Key = u32, Value = u32, Error = Error> + Sync + Send,
{
    let cache = SingleFlightCache::new(cache);
    let computed = AtomicU32::new(0);
    for key in 0..100 {
        let make = || slow(computed.fetch_add(1, SeqCst));
        let found = together(|_| cache.get_or_insert_with(&key, make).unwrap());
        assert_eq!(found, [key; THREADS as usize]);
        assert_eq!(cache.get(&key), Ok(Some(key)));
    }
    assert_eq!(computed.into_inner(), 100);
}

#[test]
fn threads_share_one_computation() {
    computes_once(ConcurrentCache::<u32, u32>::with_capacity(1_000));
    computes_once(LockedCache::new(LruCache::<u32, u32>::with_capacity(1_000)));
}

#[test]
fn cached_functions_share_flights_of_their_cache() {
    static CACHE: LazyLock<SingleFlightCache<ConcurrentCache<u32, u32>>> =
        LazyLock::new(|| SingleFlightCache::new(ConcurrentCache::with_capacity(1_000)));
    static RUNS: AtomicU32 = AtomicU32::new(0);

    fn double(number: u32) -> u32 {
        RUNS.fetch_add(1, SeqCst);
        slow(2 * number)
    }

    #[cached(cache = CACHE, single_flight)]
    fn one(number: u32) -> u32 {
        double(number)
    }

    #[cached(cache = CACHE, single_flight)]
    fn other(number: u32) -> u32 {
        double(number)
    }

    for number in 0..100 {
        let found = together(|thread| match thread % 3 {
            0 => one(number),
            1 => other(number),
            _ => CACHE
                .get_or_insert_with(&number, || double(number))
                .unwrap(),
        });
        assert_eq!(found, [2 * number; THREADS as usize]);
    }
    assert_eq!(RUNS.load(SeqCst), 100);
}

#[test]
fn failing_computations_run_one_after_another() {
    let cache = SingleFlightCache::new(ConcurrentCache::<u32, u32>::with_capacity(10));
    let running = AtomicU32::new(0);
    let failed: BTreeSet<u32> = together(|thread| {
        let made = cache.get_or_try_insert_with(&1, || {
            assert_eq!(running.fetch_add(1, SeqCst), 0);
            slow(running.fetch_sub(1, SeqCst));
            Err::<u32, _>(thread)
        });
        made.unwrap().unwrap_err()
    })
    .into_iter()
    .collect();
    assert_eq!(failed.len(), THREADS as usize, "each has its own error");
    assert_eq!(cache.len(), Ok(0));
}

#[test]
fn waiter_computes_after_a_panic() {
    let cache = SingleFlightCache::new(ConcurrentCache::<u32, u32>::with_capacity(10));
    let runs = AtomicU32::new(0);
    let found = together(|_| {
        let make = || match slow(runs.fetch_add(1, SeqCst)) {
            0 => panic!("the first"),
            run => run,
        };
        catch_unwind(AssertUnwindSafe(|| cache.get_or_insert_with(&1, make))).ok()
    });
    assert_eq!(found.iter().filter(|found| found.is_none()).count(), 1);
    assert_eq!(
        found.iter().filter(|found| **found == Some(Ok(1))).count(),
        7
    );
    assert_eq!(runs.into_inner(), 2);
}

#[test]
fn computation_may_read_its_own_key() {
    let cache = SingleFlightCache::new(ConcurrentCache::<u32, u32>::with_capacity(10));
    let made = cache.get_or_insert_with(&1, || {
        let within = cache.get_or_insert_with(&1, || 10).unwrap();
        assert_eq!(cache.get(&1), Ok(None));
        within + 1
    });
    assert_eq!((made, cache.get(&1)), (Ok(11), Ok(Some(11))));
}

#[test]
fn write_during_a_computation_survives() {
    type Written = SingleFlightCache<ConcurrentCache<u32, u32>>;
    let writes: [(fn(&Written), _); 8] = [
        (|cache| cache.insert(&1, 5u32).unwrap(), Some(5)),
        (
            |cache| cache.insert_many(vec![(&2, 6), (&1, 5)], None).unwrap(),
            Some(5),
        ),
        (|cache| assert_eq!(cache.remove(&1), Ok(false)), None),
        (
            |cache| assert_eq!(cache.remove_many(&[&2, &1]), Ok(0)),
            None,
        ),
        (|cache| assert_eq!(cache.pop(&1), Ok(None)), None),
        (|cache| cache.clear().unwrap(), None),
        (|cache| cache.retain(&mut |key| *key != 1).unwrap(), None),
        // Another key.
        (|cache| cache.insert(&2, 6u32).unwrap(), Some(0)),
    ];
    for (at, (write, left)) in writes.into_iter().enumerate() {
        for by_another in [true, false] {
            let cache = Written::new(ConcurrentCache::with_capacity(10));
            let made = cache.get_or_insert_with(&1, || {
                match by_another {
                    true => thread::scope(|scope| scope.spawn(|| write(&cache)).join().unwrap()),
                    false => write(&cache),
                }
                0u32
            });
            assert_eq!((made, cache.get(&1)), (Ok(0), Ok(left)), "write {at}");
            // Nothing is left behind: the next computation is stored.
            cache.remove(&1).unwrap();
            assert_eq!(cache.get_or_insert_with(&1, || 7u32), Ok(7));
            assert_eq!(cache.get(&1), Ok(Some(7)));
        }
    }
}

#[test]
fn caller_after_a_removal_does_not_join_an_older_computation() {
    let cache = SingleFlightCache::new(ConcurrentCache::<u32, u32>::with_capacity(10));
    let early = cache.get_or_insert_with(&1, || {
        let late = || {
            cache.remove(&1).unwrap();
            cache.get_or_insert_with(&1, || 2u32)
        };
        let late = thread::scope(|scope| scope.spawn(late).join().unwrap());
        assert_eq!(late, Ok(2));
        1u32
    });
    assert_eq!((early, cache.get(&1)), (Ok(1), Ok(Some(2))));
}

#[test]
fn other_operations_reach_the_inner_cache() {
    let minute = Duration::from_secs(60);
    let store = TtlCache::<String, u32, _>::with_capacity(10, minute, ManualClock::new());
    let cache = SingleFlightCache::new(StatsCache::new(LockedCache::new(store)));
    assert!(cache.has_single_flight() && !cache.get_ref().has_single_flight());
    assert_eq!(cache.default_ttl(), Some(minute));
    assert_eq!(cache.is_empty(), Ok(true));

    let second = Duration::from_secs(1);
    cache.insert_with_ttl("one", 1u32, second).unwrap();
    assert_eq!(cache.get_with_ttl("one"), Ok(Some((1, Some(second)))));
    assert_eq!(cache.get_many(&["two", "one"]), Ok(vec![None, Some(1)]));
    let found = cache.get_many_with_ttl(&["one"]);
    assert_eq!(found, Ok(vec![Some((1, Some(second)))]));
    assert_eq!((cache.contains("one"), cache.len()), (Ok(true), Ok(1)));
    assert_eq!(cache.pop("one"), Ok(Some(1)));

    // A miss is two look-ups, and one write.
    cache.get_ref().reset_stats();
    assert_eq!(cache.get_or_insert_with("two", || 2u32), Ok(2));
    let stats = cache.get_ref().stats().unwrap();
    assert_eq!((stats.reads, stats.writes, stats.hits), (2, 1, 0));
    let below = cache.into_inner();
    assert_eq!(below.get("two"), Ok(Some(2)));
}
