//! Computations that need a thread that waits for them: they end once its wait expires.

use ctu_std::{
    Cache, CacheExt, ConcurrentCache, LockedCache, LruCache, SingleFlightCache, TwoLevelCache,
    cached, cached::SingleFlight,
};
use std::{
    future::{Future, pending},
    pin::pin,
    sync::{
        Arc, Barrier, LazyLock,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};
use tokio::{runtime, sync::Semaphore, task};

/// No time is measured: without a limit these tests never end.
const LIMIT: Duration = Duration::from_millis(20);

type Memory = ConcurrentCache<u32, u32>;

fn memory() -> Memory {
    ConcurrentCache::with_capacity(10)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// A computation that needs another thread, which asks for the same key. The first run waits for
/// it.
fn computed_by(runs: &AtomicU32, other_thread: impl FnOnce() -> u32) -> u32 {
    match runs.fetch_add(1, SeqCst) {
        0 => other_thread(),
        _ => 7,
    }
}

/// In a pool of two threads: the computation splits its work, and the thread that takes half of it
/// asks for the same key.
fn in_a_pool(ask: impl Fn() -> u32 + Sync) -> u32 {
    let taken = Barrier::new(2);
    rayon::join(|| taken.wait(), || (taken.wait(), ask())).1.1
}

fn on_a_thread(ask: impl Fn() -> u32 + Sync) -> u32 {
    thread::scope(|scope| scope.spawn(&ask).join().unwrap())
}

fn pool_of_two() -> rayon::ThreadPool {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(2);
    builder.build().unwrap()
}

/// Both kinds, in caches with a single flight of their own. The result is stored once.
fn ends_in<C>(new: impl Fn() -> C + Sync)
where
    C: Cache<Key = u32, Value = u32, Error: Send + std::fmt::Debug> + Send + Sync,
{
    let nested = |elsewhere: fn(&(dyn Fn() -> u32 + Sync)) -> u32| {
        let (cache, runs) = (new(), AtomicU32::new(0));
        let ask = || {
            let made = cache.get_or_insert_with(&1, || computed_by(&runs, || 7));
            made.unwrap()
        };
        let made = cache.get_or_insert_with(&1, || computed_by(&runs, || elsewhere(&ask)));
        assert_eq!((made.unwrap(), cache.get(&1).unwrap()), (7, Some(7)));
        assert_eq!(runs.into_inner(), 2);
    };
    nested(|ask| on_a_thread(ask));
    pool_of_two().install(|| nested(|ask| in_a_pool(ask)));
}

#[test]
fn single_flight_cache_ends_computations_that_need_a_waiter() {
    ends_in(|| SingleFlightCache::new(memory()).with_wait_limit(LIMIT));
}

#[test]
fn two_level_cache_ends_computations_that_need_a_waiter() {
    ends_in(|| {
        let second = LockedCache::new(LruCache::<u32, u32>::with_capacity(10));
        let builder = TwoLevelCache::builder(memory(), second);
        builder.wait_limit(LIMIT).build()
    });
}

#[test]
fn cached_function_ends_computations_that_need_a_waiter() {
    static CACHE: LazyLock<Memory> = LazyLock::new(memory);
    static FLIGHTS: SingleFlight = SingleFlight::with_wait_limit(LIMIT);
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight = FLIGHTS)]
    fn on_threads(number: u32) -> u32 {
        computed_by(&RUNS, || on_a_thread(|| on_threads(number)))
    }

    #[cached(cache = CACHE, single_flight = FLIGHTS)]
    fn in_pools(number: u32) -> u32 {
        computed_by(&RUNS, || in_a_pool(|| in_pools(number)))
    }

    assert_eq!(on_threads(1), 7);
    assert_eq!(RUNS.swap(0, SeqCst), 2);
    assert_eq!(pool_of_two().install(|| in_pools(2)), 7);
    assert_eq!(RUNS.swap(0, SeqCst), 2);
    assert_eq!(CACHE.len(), Ok(2));
}

/// The recipe of the docs of `#[cached]`: fewer calls at once than the pool has threads.
#[test]
fn async_recipe_ends_with_512_requests_for_one_cold_key() {
    static CALLS: Semaphore = Semaphore::const_new(4);
    let flight = SingleFlightCache::new(memory()).with_wait_limit(Duration::MAX);
    let cache = Arc::new(flight);
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(8)
        .build()
        .unwrap();
    let serve = |cache: Arc<SingleFlightCache<Memory>>| async move {
        let _permit = CALLS.acquire().await.unwrap();
        let handle = runtime::Handle::current();
        // The computation itself needs a thread of the pool.
        let load = move || handle.block_on(task::spawn_blocking(|| 7)).unwrap();
        let call = task::spawn_blocking(move || cache.get_or_insert_with(&1, load).unwrap());
        call.await.unwrap()
    };
    let requests: Vec<_> = (0..512)
        .map(|_| runtime.spawn(serve(Arc::clone(&cache))))
        .collect();
    runtime.block_on(async {
        for request in requests {
            assert_eq!(request.await.unwrap(), 7);
        }
    });
}

#[test]
fn task_that_awaits_its_own_key_does_not_wait() {
    static CACHE: LazyLock<Memory> = LazyLock::new(memory);
    static FLIGHTS: SingleFlight = SingleFlight::with_wait_limit(Duration::MAX);
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight = FLIGHTS)]
    async fn nested(number: u32) -> u32 {
        match RUNS.fetch_add(1, SeqCst) {
            0 => Box::pin(nested(number)).await,
            _ => 7,
        }
    }

    assert_eq!(block_on(nested(1)), 7);
    assert_eq!(RUNS.load(SeqCst), 2);
}

#[test]
fn task_that_gives_up_hands_its_turn_on() {
    let flights = SingleFlight::with_wait_limit(Duration::MAX);
    let mut context = Context::from_waker(Waker::noop());
    let leading = block_on(flights.join_async(&1)).expect("no other computes");
    let mut second = Box::pin(flights.join_async(&1));
    assert!(second.as_mut().poll(&mut context).is_pending());
    for _ in 0..1_000 {
        let given_up = pin!(flights.join_async(&1));
        assert!(given_up.poll(&mut context).is_pending());
    }
    thread::scope(|scope| {
        let third = scope.spawn(|| flights.join(&1).is_some());
        drop(leading);
        // It was woken, and is dropped before it is polled.
        drop(second);
        assert!(third.join().unwrap());
    });
}

#[test]
fn leader_that_is_dropped_hands_its_turn_on() {
    static CACHE: LazyLock<Memory> = LazyLock::new(memory);
    static FLIGHTS: SingleFlight = SingleFlight::with_wait_limit(Duration::MAX);
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight = FLIGHTS)]
    async fn first_hangs(number: u32) -> u32 {
        match RUNS.fetch_add(1, SeqCst) {
            0 => pending().await,
            _ => number,
        }
    }

    let mut context = Context::from_waker(Waker::noop());
    let mut hangs = Box::pin(first_hangs(7));
    assert!(hangs.as_mut().poll(&mut context).is_pending());
    thread::scope(|scope| {
        let next = scope.spawn(|| block_on(first_hangs(7)));
        drop(hangs);
        assert_eq!(next.join().unwrap(), 7);
    });
}
