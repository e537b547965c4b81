use crate::raw;
use ctu_std::CacheError as _;
use ctu_std::{Cache, Error, NetError, RedisCache, RedisError};
use ctu_tests::servers::RedisServer;

#[test]
fn are_not_asked_whether_they_live() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    let before = raw(&server.url()).stats().unwrap();
    for _ in 0..100 {
        cache.insert(b"a", b"1").unwrap();
    }
    let stats = cache.stats().unwrap();
    assert_eq!(stats.connections - before.connections, 1);
    // The INFO before, and no PING.
    assert_eq!(stats.commands - before.commands, 101);
}

#[test]
fn that_the_server_closed_cost_no_operation() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    for _ in 0..10 {
        cache.insert(b"a", b"1").unwrap();
        server.cli(&["client", "kill", "type", "normal", "skipme", "yes"]);
        assert_eq!(cache.pop(b"a"), Ok(Some(b"1".to_vec())));
    }
}

#[test]
fn are_some() {
    let none = RedisCache::builder("redis://localhost").pool_size(0);
    let error = none.build::<str, u8>().unwrap_err();
    assert!(matches!(error, RedisError::Core(Error::OutOfRange { .. })));
}

#[test]
fn may_be_over_a_unix_socket() {
    let server = RedisServer::start();
    let cache = raw(&format!("unix://{}?db=3", server.socket().display()));
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(server.cli(&["-n", "3", "get", "a"]), "1");
}

#[test]
fn may_be_given() {
    let mut server = RedisServer::start();
    let client = redis::Client::open(server.url()).unwrap();
    let connection = client.get_connection().unwrap();
    let cache: RedisCache<str, u8> = RedisCache::over(connection).build().unwrap();
    cache.insert("a", 1).unwrap();
    assert_eq!(cache.get_with_ttl("a").unwrap().unwrap().0, 1);
    assert_eq!(cache.keys().collect::<Result<Vec<_>, _>>().unwrap(), ["a"]);
    server.cli(&["lpush", "\"list\"", "a"]);
    assert_eq!(cache.get("list"), Err(RedisError::WrongType));
    server.kill();
    let error = cache.get("a").unwrap_err();
    assert!(error.is_outage(), "{error}");
    let error = cache.get("a").unwrap_err();
    assert!(
        matches!(error, RedisError::Net(NetError::Unreachable { .. })),
        "{error}"
    );
}
