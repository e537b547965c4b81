//! Async functions over async caches: two levels, and a single flight.

use crate::block_on;
use ctu_std::{
    AsyncCache, AsyncCacheExt, ConcurrentCache, IsAsync, Ready, SingleFlightCache, TwoLevelCache,
    cached, cached::SingleFlight,
};
use ctu_tests::{
    cancel::{cancel_everywhere, poll_at_most},
    step_cache::{StepCache, yield_once},
};
use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::join;

type Levels = TwoLevelCache<ConcurrentCache<u32, u32>, StepCache, IsAsync>;
type Shared = SingleFlightCache<Ready<ConcurrentCache<(String, u32), u32>>, IsAsync>;

fn levels() -> Levels {
    let first = ConcurrentCache::with_capacity(100);
    TwoLevelCache::builder(first, StepCache::default()).build()
}

#[tokio::test]
async fn async_function_over_two_levels_is_computed_once() {
    static CACHE: LazyLock<Levels> = LazyLock::new(levels);
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight)]
    async fn double(number: u32) -> u32 {
        RUNS.fetch_add(1, SeqCst);
        yield_once().await;
        2 * number
    }

    let (one, two, three) = join!(double(4), double(4), double(4));
    assert_eq!((one, two, three), (8, 8, 8));
    assert_eq!(RUNS.load(SeqCst), 1);
    assert_eq!(CACHE.second().peek(4), Some(8));
    // A clone of the future's task may move between threads.
    assert_eq!(tokio::spawn(double(4)).await.unwrap(), 8);
}

#[tokio::test]
async fn error_of_an_async_function_is_not_cached() {
    static CACHE: LazyLock<Shared> =
        LazyLock::new(|| SingleFlightCache::new(Ready(ConcurrentCache::with_capacity(100))));
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, prefix = "f", single_flight)]
    async fn fails_once(number: u32) -> Result<u32, String> {
        yield_once().await;
        match RUNS.fetch_add(1, SeqCst) {
            0 => Err("the first".into()),
            _ => Ok(number),
        }
    }

    assert_eq!(fails_once(1).await, Err("the first".into()));
    let (one, other) = join!(fails_once(1), fails_once(1));
    assert_eq!((one, other), (Ok(1), Ok(1)));
    assert_eq!(RUNS.load(SeqCst), 2);
}

#[tokio::test]
async fn time_to_live_of_an_async_function_reaches_both_levels() {
    static CACHE: LazyLock<Levels> = LazyLock::new(levels);

    #[cached(cache = CACHE, single_flight, ttl = Duration::from_secs(60))]
    async fn double(number: u32) -> u32 {
        2 * number
    }

    assert_eq!(double(1).await, 2);
    assert_eq!(CACHE.second().peek(1), Some(2));
}

#[tokio::test]
async fn dropped_call_of_an_async_function_blocks_no_other() {
    static CACHE: LazyLock<Levels> = LazyLock::new(levels);

    #[cached(cache = CACHE, single_flight)]
    async fn double(number: u32) -> u32 {
        yield_once().await;
        2 * number
    }

    let polls = cancel_everywhere(
        async || CACHE.clear().await.unwrap(),
        async |()| double(3).await,
        async |(), _| {
            let (one, other) = join!(double(3), double(3));
            assert_eq!((one, other), (6, 6));
        },
    )
    .await;
    assert!(polls > 4, "{polls}");
    assert!(poll_at_most(1, double(4)).await.is_none());
    for companion in 0..4 {
        let polls = cancel_everywhere(
            async || {
                double(3).await;
            },
            async |()| match companion {
                0 => drop(double::refresh(3).await),
                1 => drop(double::cache_del(3).await),
                2 => drop(double::cache_in(3).await),
                _ => drop(double::uncached(3).await),
            },
            async |(), _| assert_eq!(double(3).await, 6),
        )
        .await;
        assert!(polls >= 1, "{polls}");
    }
}

/// No limit ends the wait of a computation for itself.
static ENDLESS: SingleFlight = SingleFlight::with_wait_limit(Duration::MAX);

#[tokio::test]
async fn async_computation_that_calls_itself_does_not_wait_for_itself() {
    static CACHE: LazyLock<Levels> = LazyLock::new(levels);

    #[cached(cache = CACHE, single_flight = ENDLESS, skip(depth))]
    async fn nested(number: u32, depth: u32) -> u32 {
        yield_once().await;
        match depth {
            0 => number,
            // The same key.
            _ => 1 + Box::pin(nested(number, depth - 1)).await,
        }
    }

    assert_eq!(nested(5, 3).await, 8);
    // The outermost result is the last that was stored.
    assert_eq!(CACHE.get(&5).await, Ok(Some(8)));
    // Two parts of one computation request its key, beside a caller that waits.
    #[cached(cache = CACHE, single_flight = ENDLESS, skip(depth))]
    async fn both(number: u32, depth: u32) -> u32 {
        yield_once().await;
        match depth {
            0 => number,
            _ => {
                let (one, other) = join!(Box::pin(both(number, 0)), Box::pin(both(number, 0)));
                one + other
            }
        }
    }
    let (one, other) = join!(both(6, 1), both(6, 1));
    assert_eq!((one, other), (12, 12));
}

#[test]
fn async_and_blocking_computations_within_each_other_do_not_wait() {
    static CACHE: LazyLock<ConcurrentCache<u32, u32>> =
        LazyLock::new(|| ConcurrentCache::with_capacity(100));

    #[cached(cache = CACHE, single_flight = ENDLESS, prefix = "", skip(depth))]
    fn blocking(number: u32, depth: u32) -> u32 {
        match depth {
            0 => number,
            _ => 1 + block_on(awaited(number, depth - 1)),
        }
    }

    #[cached(cache = CACHE, single_flight = ENDLESS, prefix = "", skip(depth))]
    async fn awaited(number: u32, depth: u32) -> u32 {
        yield_once().await;
        match depth {
            0 => number,
            _ => 1 + blocking(number, depth - 1),
        }
    }

    assert_eq!(blocking(1, 4), 5);
    assert_eq!(block_on(awaited(2, 4)), 6);
    let cache = SingleFlightCache::new(Ready(&*CACHE)).with_wait_limit(Duration::MAX);
    let outer = cache.get_or_insert_with(&3, || async {
        let inner = cache.get_or_insert_with(&3, || async { 7_u32 });
        1 + block_on(inner).unwrap()
    });
    assert_eq!(block_on(outer), Ok(8));
}
