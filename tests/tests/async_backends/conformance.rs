//! The promises of the traits, checked on caches of both forms over servers.

use crate::on_both;
use ctu_std::{
    AsyncCache, AsyncMemCached, AsyncPrefixedRedisCache, AsyncRedisCache, Cache, ConcurrentCache,
    IsAsync, Mapped, MemCached, Prefix, PrefixedCache, PrefixedRedisCache, RedisBuilder,
    RedisCache, SingleFlightCache, StatsCache, TwoLevelCache,
    test_util::{check_async_cache, check_cache},
};
use ctu_tests::servers::{MemcachedServer, RedisServer};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn key(number: u32) -> String {
    format!("key {number}")
}

fn redis(server: &RedisServer) -> RedisBuilder {
    let builder = RedisCache::builder(server.url()).deadline(PATIENCE);
    builder.ttl(Duration::from_secs(600))
}

/// Checks `cache`, which is cleared before each check.
fn check<C>(cache: C, clear: impl Fn())
where
    C: Cache<Key = str, Value = u64, Error: Send> + Sync,
{
    let make = || {
        clear();
        &cache
    };
    check_cache(make, key, u64::from);
}

async fn check_async<C>(cache: C, clear: impl AsyncFn())
where
    C: AsyncCache<Key = str, Value = u64>,
{
    let make = async || {
        clear().await;
        &cache
    };
    check_async_cache(make, key, u64::from).await;
}

#[test]
fn blocking_caches_on_redis_pass() {
    let server = RedisServer::start();
    let cache: RedisCache<str, u64> = redis(&server).build().unwrap();
    let clear = || cache.clear().unwrap();
    check(&cache, clear);
    check(StatsCache::new(&cache), clear);
    check(PrefixedCache::new(&cache, "p."), clear);
    check(SingleFlightCache::new(&cache), clear);
    let prefixed: PrefixedRedisCache<str, u64> = redis(&server).prefix("q.").build().unwrap();
    check(&prefixed, || prefixed.clear().unwrap());
    let first = ConcurrentCache::<String, u64>::with_capacity(100);
    let levels = TwoLevelCache::builder(first, cache.clone()).resilient();
    let levels = levels.build();
    check(&levels, || levels.clear().unwrap());
}

#[test]
fn async_caches_on_redis_pass() {
    let server = RedisServer::start();
    on_both(|| async {
        let cache: AsyncRedisCache<str, u64> = redis(&server).build_async().unwrap();
        let clear = async || cache.clear().await.unwrap();
        check_async(&cache, clear).await;
        check_async(StatsCache::new(&cache), clear).await;
        check_async(Mapped::with_mapping(&cache, Prefix::new("p.")), clear).await;
        check_async(SingleFlightCache::new(&cache), clear).await;
        let prefixed = redis(&server).prefix("q.").build_async();
        let prefixed: AsyncPrefixedRedisCache<str, u64> = prefixed.unwrap();
        check_async(&prefixed, async || prefixed.clear().await.unwrap()).await;
        let first = ConcurrentCache::<String, u64>::with_capacity(100);
        let levels = TwoLevelCache::builder(first, cache.clone()).resilient();
        let levels: TwoLevelCache<_, _, IsAsync> = levels.build();
        check_async(&levels, async || levels.clear().await.unwrap()).await;
    });
}

#[test]
fn caches_of_both_forms_on_memcached_pass() {
    let server = MemcachedServer::start();
    let builder = || MemCached::builder(server.address()).deadline(PATIENCE);
    let cache: MemCached<str, u64> = builder().build().unwrap();
    check(&cache, || cache.clear().unwrap());
    on_both(|| async {
        let cache: AsyncMemCached<str, u64> = builder().build_async().unwrap();
        let clear = async || cache.clear().await.unwrap();
        check_async(&cache, clear).await;
        check_async(SingleFlightCache::new(&cache), clear).await;
    });
}
