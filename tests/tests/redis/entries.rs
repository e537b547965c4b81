use crate::{json_cache, raw};
use ctu_std::CacheError as _;
use ctu_std::{Cache, Error, RedisError};
use ctu_tests::servers::RedisServer;
use std::collections::BTreeSet;

#[test]
fn are_stored_and_found_and_removed() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    assert_eq!(cache.get(b"a"), Ok(None));
    assert_eq!(cache.contains(b"a"), Ok(false));
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    assert_eq!(cache.contains(b"a"), Ok(true));
    assert_eq!(cache.len(), Ok(1));
    assert_eq!(cache.remove(b"a"), Ok(true));
    assert_eq!(cache.remove(b"a"), Ok(false));
    assert_eq!(cache.is_empty(), Ok(true));
    cache.insert(b"a", b"2").unwrap();
    assert_eq!(cache.pop(b"a"), Ok(Some(b"2".to_vec())));
    assert_eq!(cache.pop(b"a"), Ok(None));
    let made = cache.get_or_insert_with(b"b", || b"3");
    assert_eq!(made, Ok(b"3".to_vec()));
    assert_eq!(cache.get(b"b"), Ok(Some(b"3".to_vec())));
}

#[test]
fn may_hold_every_byte() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    for byte in 0..=255 {
        let key = [byte, b'k', byte];
        cache.put(&key, vec![byte; 300], None).unwrap();
    }
    let all: Vec<u8> = (0..=255).collect();
    cache.put(&all, all.clone(), None).unwrap();
    cache.put(b"", b"no key".to_vec(), None).unwrap();
    for byte in 0..=255 {
        let key = [byte, b'k', byte];
        assert_eq!(cache.get(&key), Ok(Some(vec![byte; 300])));
    }
    assert_eq!(cache.get(&all), Ok(Some(all.clone())));
    assert_eq!(cache.get(b""), Ok(Some(b"no key".to_vec())));
    assert_eq!(cache.len(), Ok(258));
    let keys: BTreeSet<_> = cache.keys().collect::<Result<_, _>>().unwrap();
    assert!(keys.len() == 258 && keys.contains(&all));
}

#[test]
fn may_be_empty_and_are_then_values() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    cache.insert(b"a", b"").unwrap();
    assert_eq!(cache.get(b"a"), Ok(Some(Vec::new())));
    assert_eq!(cache.get_many(&[b"a", b"b"]), Ok(vec![Some(vec![]), None]));
    // As JSON there is no such value, and Python takes it for a miss.
    server.cli(&["set", "\"a\"", ""]);
    assert_eq!(json_cache(&server).get("a"), Ok(None));
}

#[test]
fn may_be_large() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    let large: Vec<u8> = (0..64 << 20)
        .map(|i: u32| (i >> 8) as u8 ^ i as u8)
        .collect();
    cache.put(b"large", large.clone(), None).unwrap();
    assert!(cache.get(b"large").unwrap().unwrap() == large);
    assert_eq!(cache.get(b"other"), Ok(None));
}

#[test]
fn of_other_types_are_errors() {
    let server = RedisServer::start();
    server.cli(&["lpush", "list", "a"]);
    let cache = raw(&server.url());
    assert_eq!(cache.get(b"list"), Err(RedisError::WrongType));
    let before = cache.stats().unwrap().connections;
    assert_eq!(cache.get(b"list"), Err(RedisError::WrongType));
    assert_eq!(cache.remove(b"list"), Ok(true));
    // The connection is as good as before.
    assert_eq!(cache.stats().unwrap().connections, before);
}

#[test]
fn that_are_no_json_are_errors() {
    let server = RedisServer::start();
    server.cli(&["set", "\"a\"", "{"]);
    let error = json_cache(&server).get("a").unwrap_err();
    assert!(matches!(error, RedisError::Core(Error::Decode(_))));
    assert!(!error.is_outage());
}

#[test]
fn are_counted_by_the_server() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    cache.insert(b"a", b"1").unwrap();
    for key in [b"a", b"a", b"a", b"b"] {
        cache.get(key).unwrap();
    }
    let stats = cache.stats().unwrap();
    assert_eq!((stats.hits, stats.misses), (3, 1));
    assert_eq!(stats.to_string(), "75.0 % of 4 reads were hits");
    assert_eq!(cache.hits(), Ok(0.75));
    let info = cache.info("server").unwrap();
    assert!(info.iter().any(|(name, _)| name == "redis_version"));
    assert!(cache.info("").unwrap().len() > info.len());
}
