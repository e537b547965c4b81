use crate::{raw, secs};
use ctu_std::{Cache, CacheExt, Error, RawRedisCache, RedisCache, RedisError};
use ctu_tests::servers::RedisServer;
use std::time::Duration;

/// The remaining time-to-live on the server, in milliseconds.
fn left(server: &RedisServer, key: &str) -> i64 {
    server.cli(&["pttl", key]).parse().unwrap()
}

fn for_ever(server: &RedisServer) -> RawRedisCache {
    let builder = RedisCache::builder(server.url()).raw().no_ttl();
    builder.deadline(secs(60)).build().unwrap()
}

#[test]
fn entry_ttl_overrides_the_default() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    cache.insert(b"default", b"").unwrap();
    cache.insert_with_ttl(b"own", b"", secs(5000)).unwrap();
    let odd = Duration::from_micros(5_000_000_500);
    cache.insert_with_ttl(b"odd", b"", odd).unwrap();
    assert!((1..=600_000).contains(&left(&server, "default")));
    assert!((600_001..=5_000_000).contains(&left(&server, "own")));
    assert!((600_001..=5_000_001).contains(&left(&server, "odd")));
    assert!(cache.ttl(b"own").unwrap().unwrap() > secs(600));
    assert_eq!(cache.ttl(b"none"), Ok(None));
    let (value, ttl) = cache.get_with_ttl(b"own").unwrap().unwrap();
    assert!(value.is_empty() && ttl.unwrap() > secs(600));
    assert_eq!(cache.get_with_ttl(b"none"), Ok(None));
}

#[test]
fn ttl_may_be_unlimited() {
    let server = RedisServer::start();
    let cache = for_ever(&server);
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(left(&server, "a"), -1);
    assert_eq!(cache.ttl(b"a"), Ok(None));
    assert_eq!(cache.get_with_ttl(b"a"), Ok(Some((b"1".to_vec(), None))));
}

#[test]
fn touch_changes_the_ttl() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(cache.touch(b"a", Some(secs(5000))), Ok(true));
    assert!(left(&server, "a") > 600_000);
    assert_eq!(cache.touch(b"a", None), Ok(true));
    assert!(left(&server, "a") <= 600_000);
    assert_eq!(cache.touch(b"none", None), Ok(false));
    let for_ever = for_ever(&server);
    assert_eq!(for_ever.touch(b"a", None), Ok(true));
    assert_eq!(left(&server, "a"), -1);
    assert_eq!(for_ever.touch(b"none", None), Ok(false));
    assert_eq!(cache.touch(b"a", Some(Duration::ZERO)), Ok(true));
    assert_eq!(cache.contains(b"a"), Ok(false));
}

#[test]
fn zero_ttl_removes_and_huge_ttl_is_rejected() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    cache.insert(b"a", b"1").unwrap();
    cache.insert_with_ttl(b"a", b"2", Duration::ZERO).unwrap();
    assert_eq!(cache.get(b"a"), Ok(None));
    cache.insert(b"a", b"1").unwrap();
    let error = cache
        .insert_with_ttl(b"a", b"2", Duration::MAX)
        .unwrap_err();
    assert!(matches!(error, RedisError::Core(Error::TtlTooLong { .. })));
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
}
