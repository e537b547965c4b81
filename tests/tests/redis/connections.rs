use crate::{raw, secs};
use ctu_std::CacheError as _;
use ctu_std::{Cache, Error, NetError, RedisCache, RedisError};
use ctu_tests::servers::RedisServer;
use std::thread;

#[test]
fn are_opened_when_needed_and_shared() {
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
fn serve_many_threads_without_mixing_answers() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    thread::scope(|scope| {
        for n in 0..8_u32 {
            let cache = &cache;
            scope.spawn(move || {
                for round in 0..500_u32 {
                    let key = (n * 1000 + round % 50).to_le_bytes();
                    cache.put(&key, key.repeat(50), None).unwrap();
                    assert_eq!(cache.get(&key), Ok(Some(key.repeat(50))));
                }
            });
        }
    });
}

#[test]
fn are_at_most_as_many_as_the_pool_holds() {
    let server = RedisServer::start();
    let before = raw(&server.url()).stats().unwrap().connections;
    let builder = RedisCache::builder(&server.url()).raw().pool_size(2);
    let cache = builder.deadline(secs(60)).build().unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..100).for_each(|_| cache.insert(b"a", b"1").unwrap()));
        }
    });
    assert!(cache.stats().unwrap().connections - before <= 2);
    let builder = RedisCache::builder(&server.url()).raw().pool_size(0);
    let error = builder.build().unwrap_err();
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
