//! Many callers of a cold key.

use crate::block_on;
use ctu_core::{Cache, CacheExt, LruCache, SpinCache, cached, cached::SingleFlight};
use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
};

type Numbers = SpinCache<LruCache<u32, u32, 256>>;

const THREADS: u32 = 8;

/// Lets threads call with the same numbers at once.
fn rush(numbers: u32, call: impl Fn(u32) + Sync) {
    let barrier = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for number in 0..numbers {
                    barrier.wait();
                    call(number);
                }
            });
        }
    });
}

#[test]
fn threads_share_one_computation() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight)]
    fn slow(number: u32) -> u32 {
        RUNS.fetch_add(1, Ordering::Relaxed);
        (0..100).for_each(|_| thread::yield_now());
        number + 1
    }

    rush(200, |number| assert_eq!(slow(number), number + 1));
    assert_eq!(RUNS.load(Ordering::Relaxed), 200);
}

#[test]
fn results_are_right_without_single_flight() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE)]
    fn quick(number: u32) -> u32 {
        number + 1
    }

    rush(200, |number| assert_eq!(quick(number), number + 1));
    assert_eq!(CACHE.len(), Ok(200));
}

#[test]
fn tasks_share_one_computation() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());
    static FLIGHTS: SingleFlight = SingleFlight::new();
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight = FLIGHTS)]
    async fn slow(number: u32) -> Result<u32, ()> {
        RUNS.fetch_add(1, Ordering::Relaxed);
        let mut polls = 0;
        poll_fn(|context| {
            polls += 1;
            context.waker().wake_by_ref();
            if polls > 20 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        Ok(number + 1)
    }

    rush(100, |number| {
        assert_eq!(block_on(slow(number)), Ok(number + 1))
    });
    assert_eq!(RUNS.load(Ordering::Relaxed), 100);
}

#[test]
fn recursion_under_single_flight_terminates() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE, single_flight)]
    fn fibonacci(number: u32) -> u32 {
        match number {
            0 | 1 => number,
            _ => fibonacci(number - 1) + fibonacci(number - 2),
        }
    }

    let mut sums = vec![0, 1];
    while let [.., before, last] = sums[..]
        && sums.len() < 40
    {
        sums.push(before + last);
    }
    rush(40, |number| {
        assert_eq!(fibonacci(number), sums[number as usize])
    });
}

/// After a failed computation, the waiting callers compute one after another.
#[test]
fn waiter_computes_after_a_failure() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());
    static FLIGHTS: SingleFlight = SingleFlight::new();
    static RUNS: AtomicU32 = AtomicU32::new(0);
    static AT_ONCE: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight = FLIGHTS)]
    fn fails(number: u32) -> Result<u32, &'static str> {
        assert_eq!(AT_ONCE.fetch_add(1, Ordering::Relaxed), 0);
        (0..100).for_each(|_| thread::yield_now());
        AT_ONCE.fetch_sub(1, Ordering::Relaxed);
        match RUNS.fetch_add(1, Ordering::Relaxed) % THREADS {
            last if last == THREADS - 1 => Ok(number),
            _ => Err("not the last"),
        }
    }

    rush(50, |number| {
        let _ = fails(number);
    });
    assert_eq!(RUNS.load(Ordering::Relaxed), 50 * THREADS);
    assert_eq!(CACHE.len(), Ok(50));
}

/// A panic stays with its caller and releases the waiting callers.
#[test]
fn waiter_computes_after_a_panic() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());
    static WAITS: Barrier = Barrier::new(2);
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight)]
    fn second_time(number: u32) -> u32 {
        if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
            WAITS.wait();
            // The other is about to board, if it has not yet.
            (0..100).for_each(|_| thread::yield_now());
            panic!("the first");
        }
        number
    }

    thread::scope(|scope| {
        let first = scope.spawn(|| second_time(5));
        WAITS.wait();
        assert_eq!(second_time(5), 5);
        assert!(first.join().is_err());
    });
    assert_eq!(RUNS.load(Ordering::Relaxed), 2);
}

/// Each of many flights is found among them.
#[test]
fn many_keys_compute_at_once() {
    let flights = SingleFlight::new();
    // By tasks: a thread that leads does not wait for itself.
    let lead = |key| block_on(flights.join_async(&key));
    let on: Vec<_> = (0..1000).map(lead).collect();
    let mut context = Context::from_waker(Waker::noop());
    for key in 0..1000 {
        let next = pin!(flights.join_async(&key));
        assert!(next.poll(&mut context).is_pending());
    }
    drop(on);
    for key in 0..1000 {
        let next = pin!(flights.join_async(&key));
        assert!(next.poll(&mut context).is_ready());
    }
}

#[test]
fn failed_or_panicked_leader_hands_over() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight)]
    fn third_time(number: u32) -> Result<u32, &'static str> {
        match RUNS.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("the first"),
            1 => Err("the second"),
            _ => Ok(number),
        }
    }

    let first = thread::spawn(|| third_time(5)).join();
    assert!(first.is_err());
    assert_eq!(third_time(5), Err("the second"));
    assert_eq!((third_time(5), third_time(5)), (Ok(5), Ok(5)));
    assert_eq!(RUNS.load(Ordering::Relaxed), 3);
}

/// Objects with separate caches compute separately: waiting for the flight of another object could
/// deadlock.
#[test]
fn objects_with_own_caches_do_not_share_flights() {
    struct Node<'n> {
        cache: Numbers,
        child: Option<&'n Node<'n>>,
    }
    impl Node<'_> {
        /// Asks the child of the same number, on another thread.
        #[cached(cache = self.cache, single_flight)]
        fn depth(&self, number: u32) -> u32 {
            self.child.map_or(number, |child| {
                thread::scope(|scope| scope.spawn(|| child.depth(number)).join().unwrap() + 1)
            })
        }
        #[cached(cache = self.cache, single_flight)]
        async fn depth_async(&self, number: u32) -> u32 {
            match self.child {
                Some(child) => Box::pin(child.depth_async(number)).await + 1,
                None => number,
            }
        }
    }
    fn node<'n>(child: Option<&'n Node<'n>>) -> Node<'n> {
        let cache = Numbers::new(LruCache::new());
        Node { cache, child }
    }

    let leaf = node(None);
    let (middle, other) = (node(Some(&leaf)), node(None));
    let root = node(Some(&middle));
    assert_eq!((root.depth(1), other.depth(1)), (3, 1));
    for node in [&leaf, &middle, &root] {
        node.cache.clear().unwrap();
    }
    assert_eq!(block_on(root.depth_async(1)), 3);
}

#[test]
fn holders_of_one_cache_share_a_computation() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[derive(Clone)]
    struct Service(Arc<Numbers>);
    impl Service {
        #[cached(cache = self.0, single_flight)]
        fn slow(&self, number: u32) -> u32 {
            RUNS.fetch_add(1, Ordering::Relaxed);
            (0..100).for_each(|_| thread::yield_now());
            number + 1
        }
        #[cached(cache = self.0, single_flight, key = |number| number + 1000)]
        async fn slow_async(&self, number: u32) -> u32 {
            self.slow_uncached(number)
        }
    }

    let service = Service(Arc::new(Numbers::new(LruCache::new())));
    rush(100, |number| {
        assert_eq!(service.clone().slow(number), number + 1);
        assert_eq!(block_on(service.clone().slow_async(number)), number + 1);
    });
    assert_eq!(RUNS.load(Ordering::Relaxed), 200);
}

/// Two levels with their own single flight, with stale values and with negative caching.
mod two_levels {
    use super::*;
    use ctu_core::{ManualClock, TtlCache};
    use ctu_std::TwoLevelCache;
    use std::time::Duration;

    type Level = SpinCache<TtlCache<u32, u32, 8, &'static ManualClock>>;
    type Levels = TwoLevelCache<Level, Level>;

    fn level(clock: &'static ManualClock) -> Level {
        SpinCache::new(TtlCache::new(Duration::from_secs(60), clock))
    }

    #[test]
    fn direct_callers_of_the_cache_share_the_computation() {
        static CLOCK: ManualClock = ManualClock::new();

        #[cached(cache = cache, single_flight)]
        fn value(cache: &Levels, _number: u32) -> u32 {
            panic!("somebody computes it already, in {cache:?}")
        }

        let cache: Levels = TwoLevelCache::builder(level(&CLOCK), level(&CLOCK)).build();
        thread::scope(|scope| {
            let found = cache.get_or_insert_with(&1, || {
                let waiting = scope.spawn(|| value(&cache, 1));
                while cache.stats().waits == 0 {
                    assert!(!waiting.is_finished(), "it did not wait");
                    thread::yield_now();
                }
                7u32
            });
            assert_eq!(found, Ok(7));
        });
        assert_eq!(value(&cache, 1), 7);
    }

    /// A flight of the function in addition to that of the cache would deadlock the two callers.
    #[test]
    fn functions_with_shared_keys_may_call_each_other() {
        static CLOCK: ManualClock = ManualClock::new();

        #[cached(cache = cache, single_flight)]
        fn outer(cache: &Levels, number: u32) -> u32 {
            inner(cache, number)
        }
        #[cached(cache = cache, single_flight)]
        fn inner(cache: &Levels, number: u32) -> u32 {
            let _ = cache;
            (0..100).for_each(|_| thread::yield_now());
            number
        }

        let cache: Levels = TwoLevelCache::builder(level(&CLOCK), level(&CLOCK)).build();
        rush(100, |number| {
            assert_eq!(outer(&cache, number), number);
            assert_eq!(inner(&cache, number + 1), number + 1);
        });
    }

    #[test]
    fn stale_value_is_returned_if_the_function_fails() {
        static CLOCK: ManualClock = ManualClock::new();
        static RUNS: AtomicU32 = AtomicU32::new(0);

        #[cached(cache = cache, single_flight)]
        fn value(cache: &Levels, number: u32) -> Result<u32, &'static str> {
            let _ = cache;
            match RUNS.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(number),
                _ => Err("out of order"),
            }
        }

        let builder = TwoLevelCache::builder(level(&CLOCK), level(&CLOCK)).clock(&CLOCK);
        let cache: Levels = builder.grace(Duration::from_secs(60), 8).build();
        assert_eq!(value(&cache, 5), Ok(5));
        CLOCK.advance(Duration::from_secs(61));
        assert_eq!(value(&cache, 5), Ok(5));
        assert_eq!(cache.stats().stale, 1);
        assert_eq!(RUNS.load(Ordering::Relaxed), 2);
        assert_eq!(value(&cache, 6), Err("out of order"));
        // Stale no more.
        CLOCK.advance(Duration::from_secs(61));
        assert_eq!(value(&cache, 5), Err("out of order"));
    }

    #[test]
    fn removed_value_is_not_returned_as_stale() {
        static CLOCK: ManualClock = ManualClock::new();

        #[cached(cache = cache, single_flight, skip(there))]
        fn value(cache: &Levels, number: u32, there: bool) -> Option<u32> {
            let _ = cache;
            there.then_some(number)
        }

        let builder = TwoLevelCache::builder(level(&CLOCK), level(&CLOCK)).clock(&CLOCK);
        let cache: Levels = builder.grace(Duration::from_secs(60), 8).build();
        assert_eq!(value(&cache, 5, true), Some(5));
        CLOCK.advance(Duration::from_secs(61));
        assert_eq!(value(&cache, 5, false), None);
    }

    #[test]
    fn missing_value_is_looked_up_once() {
        static CLOCK: ManualClock = ManualClock::new();

        #[cached(cache = cache, single_flight)]
        fn value(cache: &Levels, number: u32) -> Option<u32> {
            let _ = cache;
            (number > 5).then_some(number)
        }

        let builder = TwoLevelCache::builder(level(&CLOCK), level(&CLOCK)).clock(&CLOCK);
        let cache: Levels = builder.negative(Duration::from_secs(60), 8).build();
        assert_eq!((value(&cache, 3), value(&cache, 6)), (None, Some(6)));
        assert_eq!((value(&cache, 3), value(&cache, 6)), (None, Some(6)));
        assert!(cache.stats().negative > 0, "{:?}", cache.stats());
    }
}
