//! The promises of the traits, checked on caches of both forms over servers.

use crate::on_both;
use ctu_std::{
    AsyncCache, AsyncMemCached, AsyncPrefixedRedisCache, AsyncRedisCache, Cache, ConcurrentCache,
    DebugCache, HasAsyncStats, IsAsync, Mapped, MemCached, Prefix, PrefixedCache,
    PrefixedRedisCache, Ready, RedisBuilder, RedisCache, SingleFlightCache, StatsCache,
    TwoLevelCache,
    test_util::{check_async_cache, check_cache},
};
use ctu_tests::servers::{MemcachedServer, RedisServer};
use std::{fmt::Debug, sync::Arc, time::Duration};

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

/// The hit rate of any cache with statistics.
async fn hit_rate<C: HasAsyncStats<Error: Debug>>(cache: C) -> f64 {
    cache.stats_async().await.unwrap();
    cache.hit_rate_async().await.unwrap()
}

#[test]
fn statistics_of_async_caches_pass_through_wrappers() {
    let (redis_server, memcached) = (RedisServer::start(), MemcachedServer::start());
    on_both(|| async {
        let cache: AsyncRedisCache<str, u64> = redis(&redis_server).build_async().unwrap();
        cache.insert_entry("a", 1, None).await.unwrap();
        assert_eq!(cache.get("a").await, Ok(Some(1)));
        assert!(hit_rate(&cache).await > 0.0);
        let wrapped = DebugCache::new(&cache, "a name", |_| ());
        assert!(hit_rate(SingleFlightCache::new(&wrapped)).await > 0.0);
        let prefixed = Mapped::with_mapping(Arc::new(&cache), Prefix::new("p."));
        assert!(hit_rate(&prefixed).await > 0.0);
        let counted = StatsCache::new(&cache);
        assert_eq!(hit_rate(&counted).await, 0.0);
        counted.get("a").await.unwrap();
        // A future of another task.
        assert_eq!(
            tokio::spawn(async move { hit_rate(cache).await > 0.0 })
                .await
                .ok(),
            Some(true)
        );
        let builder = MemCached::builder(memcached.address()).deadline(PATIENCE);
        let cache: AsyncMemCached<str, u64> = builder.build_async().unwrap();
        cache.insert_entry("a", 1, None).await.unwrap();
        assert_eq!(cache.get("a").await, Ok(Some(1)));
        assert!(hit_rate(&cache).await > 0.0);
        let first = ConcurrentCache::<String, u64>::with_capacity(100);
        let levels: TwoLevelCache<_, _, IsAsync> = TwoLevelCache::builder(first, cache).build();
        assert_eq!(levels.get("a").await, Ok(Some(1)));
        assert_eq!(hit_rate(&levels).await, 1.0);
        let memory = StatsCache::new(ConcurrentCache::<String, u64>::with_capacity(100));
        assert_eq!(hit_rate(Ready(memory)).await, 0.0);
    });
}
