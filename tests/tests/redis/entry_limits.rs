//! Limits of a Redis server at which it closes the connection.

use crate::raw;
use ctu_std::{BreakerState, Cache, CacheError, CacheExt, LruCache, RedisError, TwoLevelCache};
use ctu_tests::servers::RedisServer;
use std::fmt::Debug;

const LARGE: usize = 5 << 20;

/// A server with this limit of 1 MiB.
fn limited(option: &str, value: &str) -> RedisServer {
    RedisServer::with(&[option, value])
}

fn assert_refused<T: Debug>(done: Result<T, RedisError>) {
    let error = done.unwrap_err();
    assert!(!error.is_outage() && error.is_corrupt(), "{error}");
    let told = "closes the connection at this entry";
    assert!(error.to_string().contains(told), "{error}");
}

#[test]
fn value_over_the_query_buffer_limit_is_the_fault_of_its_entry() {
    let server = limited("--client-query-buffer-limit", "1mb");
    let cache = raw(&server.url());
    cache.insert(b"small", b"1").unwrap();
    for _ in 0..3 {
        assert_refused(cache.insert_entry(b"large", vec![1; LARGE], None));
        let batch = vec![(&b"a"[..], vec![1]), (b"large", vec![1; LARGE])];
        assert_refused(cache.insert_many(batch, None));
        assert_eq!(cache.get(b"small"), Ok(Some(b"1".to_vec())));
    }
    let first = LruCache::<Vec<u8>, Vec<u8>>::with_capacity(10);
    let levels = TwoLevelCache::builder(first, cache.clone());
    let levels = levels.resilient().manual_recovery().build();
    for key in 0..5_u8 {
        assert!(levels.insert_entry(&[key], vec![1; LARGE], None).is_err());
    }
    let stats = levels.stats();
    assert_eq!((stats.breaker, stats.outages), (BreakerState::Closed, 0));
    assert_eq!(levels.get(b"small"), Ok(Some(b"1".to_vec())));
    assert_eq!(levels.stats().second_hits, 1);
}

#[test]
fn value_over_the_output_buffer_limit_is_the_fault_of_its_entry() {
    let server = limited("--client-output-buffer-limit", "normal 1mb 0 0");
    let cache = raw(&server.url());
    cache.insert(b"small", b"1").unwrap();
    for key in [b'a', b'b', b'c', b'd', b'e'] {
        cache.insert_entry(&[key], vec![1; LARGE], None).unwrap();
    }
    for _ in 0..3 {
        assert_refused(cache.get(b"a"));
        assert_refused(cache.get_with_ttl(b"a"));
        assert_refused(cache.get_many(&[b"small", b"a"]));
        assert_eq!(cache.get(b"small"), Ok(Some(b"1".to_vec())));
    }
    let first = LruCache::<Vec<u8>, Vec<u8>>::with_capacity(10);
    let levels = TwoLevelCache::builder(first, cache.clone());
    let levels = levels.resilient().manual_recovery().build();
    for key in [b'a', b'b', b'c', b'd', b'e'] {
        assert_eq!(levels.get(&[key]), Ok(None));
    }
    let stats = levels.stats();
    assert_eq!((stats.breaker, stats.outages), (BreakerState::Closed, 0));
    assert_eq!(stats.damaged, 5);
    let found = levels.get_many(&[b"a", b"small"]);
    assert_eq!(found, Ok(vec![None, Some(b"1".to_vec())]));
    // The value leaves the server even though its reply is lost.
    assert!(cache.pop(b"a").is_err());
    assert_eq!(cache.get(b"a"), Ok(None));
}
