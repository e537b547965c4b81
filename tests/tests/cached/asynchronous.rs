//! Async functions, on every kind of cache.

use crate::block_on;
use ctu_core::{AsyncCache, Cache, LocalAsyncCache, LruCache, Ready, SpinCache, cached};
use ctu_std::LockedCache;
use std::{
    cell::RefCell,
    future::Future,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

type Numbers = SpinCache<LruCache<u32, u32, 8>>;

static BLOCKING: Numbers = SpinCache::new(LruCache::new());
static AWAITED: Ready<Numbers> = Ready(SpinCache::new(LruCache::new()));
static RUNS: AtomicU32 = AtomicU32::new(0);

#[cached(cache: Numbers = BLOCKING, blocking)]
async fn async_function_over_a_blocking_cache_is_cached(number: u32) -> u32 {
    RUNS.fetch_add(1, Ordering::Relaxed);
    std::future::ready(number + 1).await
}

#[cached(cache: Ready<Numbers> = AWAITED)]
async fn async_function_over_an_async_cache_is_cached(number: u32) -> Result<u32, String> {
    let number = std::future::ready(number.checked_add(1).ok_or("too large")).await?;
    Ok(number)
}

fn is_send<T: Send>(value: T) -> T {
    value
}

/// No reference to the returned value is held across an await. A returned value may be `Send`
/// without `Sync`, such as this error.
#[test]
fn returned_value_need_not_be_sync() {
    type Failure = Box<dyn std::error::Error + Send>;

    #[cached(cache = BLOCKING, key = |number| number + 1000)]
    async fn blocking(number: u32) -> Result<u32, Failure> {
        Ok(number)
    }
    #[cached(cache = AWAITED, key = |number| number + 1000, ttl = None::<std::time::Duration>)]
    async fn awaited(number: u32) -> Result<u32, Failure> {
        Ok(number)
    }
    #[cached(cache = AWAITED, key = |number| number + 2000, single_flight)]
    async fn flown(number: u32) -> Result<u32, Failure> {
        Ok(number)
    }

    for _ in 0..2 {
        assert_eq!(block_on(is_send(blocking(1))).unwrap(), 1);
        assert_eq!(block_on(is_send(awaited(1))).unwrap(), 1);
        assert_eq!(block_on(is_send(flown(1))).unwrap(), 1);
    }
    assert_eq!(block_on(is_send(blocking::refresh(1))).unwrap(), 1);
    assert_eq!(block_on(is_send(awaited::refresh(1))).unwrap(), 1);
}

#[test]
fn blocking_and_async_caches_work_alike() {
    assert_eq!(
        block_on(is_send(async_function_over_a_blocking_cache_is_cached(1))),
        2
    );
    assert_eq!(
        block_on(is_send(async_function_over_a_blocking_cache_is_cached(1))),
        2
    );
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    assert_eq!(
        block_on(is_send(
            async_function_over_a_blocking_cache_is_cached::cache_in(1)
        )),
        Ok(true)
    );
    assert_eq!(
        BLOCKING.get(&async_function_over_a_blocking_cache_is_cached::cache_key(1).unwrap()),
        Ok(Some(2))
    );

    assert_eq!(
        block_on(is_send(async_function_over_an_async_cache_is_cached(1))),
        Ok(2)
    );
    assert_eq!(
        block_on(async_function_over_an_async_cache_is_cached(u32::MAX)),
        Err("too large".into())
    );
    assert_eq!(
        block_on(async_function_over_an_async_cache_is_cached::refresh(1)),
        Ok(2)
    );
    assert_eq!(
        block_on(async_function_over_an_async_cache_is_cached::uncached(1)),
        Ok(2)
    );
    assert_eq!(
        block_on(is_send(
            async_function_over_an_async_cache_is_cached::cache_del(1)
        )),
        Ok(true)
    );
    assert_eq!(
        block_on(async_function_over_an_async_cache_is_cached::cache_in(1)),
        Ok(false)
    );
}

#[test]
fn local_async_cache_works_on_one_thread() {
    #[cached(cache = cache, local)]
    async fn local(cache: &Ready<RefCell<LruCache<u32, u32, 8>>>, number: u32) -> u32 {
        number * 2
    }

    let cache = Ready(RefCell::new(LruCache::new()));
    assert_eq!(block_on(local(&cache, 2)), 4);
    assert_eq!(block_on(LocalAsyncCache::get(&cache, &2)), Ok(Some(4)));
    assert!(block_on(local::cache_in(&cache, 2)).unwrap());
}

#[test]
fn generic_caches_work() {
    #[cached(cache: C = cache, prefix = "")]
    async fn squared<C: AsyncCache<Key = u32, Value = u32>>(cache: &C, number: u32) -> u32 {
        number * number
    }

    assert_eq!(block_on(squared(&AWAITED, 100)), 10_000);
    assert_eq!(block_on(squared::cache_in(&AWAITED, 100)), Ok(true));
}

#[test]
fn async_methods_and_recursion_work() {
    struct Sums(LockedCache<ctu_std::LruCache<u64, u64>>);

    impl Sums {
        #[cached(cache = self.0)]
        async fn to(&self, number: u64) -> u64 {
            if number == 0 {
                return 0;
            }
            let rest = Box::pin(self.to(number - 1));
            number + rest.await
        }
    }

    let sums = Sums(LockedCache::new(ctu_std::LruCache::with_capacity(200)));
    assert_eq!(block_on(sums.to(128)), 128 * 129 / 2);
    assert_eq!(sums.0.len(), Ok(129));
    assert!(block_on(sums.to_cache_in(64)).unwrap());
}

trait Fetch {
    fn fetch(&mut self, name: &str) -> impl Future<Output = Result<usize, std::fmt::Error>>;
}

struct Fetcher(LazyLock<SpinCache<LruCache<String, usize, 4>>>, u32);

impl Fetch for Fetcher {
    #[cached(cache = self.0, in_trait)]
    async fn fetch(&mut self, name: &str) -> Result<usize, std::fmt::Error> {
        self.1 += 1;
        std::future::ready(Err(std::fmt::Error).or(Ok(()))).await?;
        Ok(name.len())
    }
}

#[test]
fn methods_of_traits_are_cached() {
    let mut fetcher = Fetcher(LazyLock::new(|| SpinCache::new(LruCache::new())), 0);
    assert_eq!(block_on(fetcher.fetch("abc")), Ok(3));
    assert_eq!(block_on(fetcher.fetch("abc")), Ok(3));
    assert_eq!(fetcher.1, 1);
}
