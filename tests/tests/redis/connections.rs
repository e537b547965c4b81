use crate::raw;
use ctu_std::CacheError as _;
use ctu_std::{Cache, CacheExt, Error, NetError, RedisCache, RedisError};
use ctu_tests::servers::{CannedServer, RedisServer, free_port};

#[test]
fn pooled_connections_are_not_pinged() {
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
fn connection_closed_by_the_server_fails_no_operation() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    for _ in 0..10 {
        cache.insert(b"a", b"1").unwrap();
        server.cli(&["client", "kill", "type", "normal", "skipme", "yes"]);
        assert_eq!(cache.pop(b"a"), Ok(Some(b"1".to_vec())));
    }
}

#[test]
fn pool_is_bounded() {
    let none = RedisCache::builder("redis://localhost").pool_size(0);
    let error = none.build::<str, u8>().unwrap_err();
    assert!(matches!(error, RedisError::Core(Error::OutOfRange { .. })));
}

#[test]
fn unix_socket_works() {
    let server = RedisServer::start();
    let cache = raw(&format!("unix://{}?db=3", server.socket().display()));
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(server.cli(&["-n", "3", "get", "a"]), "1");
}

#[test]
fn external_connection_works() {
    let mut server = RedisServer::start();
    let client = redis::Client::open(server.url()).unwrap();
    let connection = client.get_connection().unwrap();
    let cache: RedisCache<str, u8> = RedisCache::from_connection(connection).build().unwrap();
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

#[test]
fn external_connection_is_kept_after_an_error_reply() {
    let server = RedisServer::start();
    let client = redis::Client::open(server.url()).unwrap();
    let over = RedisCache::from_connection(client.get_connection().unwrap()).raw();
    let cache = over.build().unwrap();
    cache.insert(b"a", b"1").unwrap();
    server.cli(&["replicaof", "127.0.0.1", &free_port().to_string()]);
    let error = cache.insert(b"a", b"2").unwrap_err();
    assert!(matches!(error, RedisError::ReadOnly { .. }), "{error}");
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    server.cli(&["replicaof", "no", "one"]);
    assert_eq!(cache.insert(b"a", b"3"), Ok(()));
    // Nor is one lost that has yet to log in.
    let server = RedisServer::with(&["--requirepass", "right"]);
    let client = redis::Client::open(server.url()).unwrap();
    let over = RedisCache::from_connection(client.get_connection().unwrap()).raw();
    let cache = over.build().unwrap();
    for _ in 0..2 {
        let error = cache.get(b"a").unwrap_err();
        assert!(matches!(error, RedisError::Auth { .. }), "{error}");
    }
    server.cli(&["-a", "right", "config", "set", "requirepass", ""]);
    assert_eq!(cache.get(b"a"), Ok(None));
}

#[test]
fn external_connection_is_closed_after_a_malformed_reply() {
    // To a command that has a number for an answer.
    let server = CannedServer::start("+OK\r\n".repeat(9)).unwrap();
    let url = format!("redis://127.0.0.1:{}", server.port());
    let client = redis::Client::open(url).unwrap();
    let over = RedisCache::from_connection(client.get_connection().unwrap()).raw();
    let cache = over.build().unwrap();
    let error = cache.contains(b"a").unwrap_err();
    assert!(
        matches!(error, RedisError::Net(NetError::Protocol { .. })),
        "{error}"
    );
    let error = cache.contains(b"a").unwrap_err();
    assert!(
        matches!(error, RedisError::Net(NetError::Unreachable { .. })),
        "{error}"
    );
}
