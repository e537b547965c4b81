use crate::{builder, raw, shown};
use ctu_std::{Cache, Error, MemCached, MemCachedError};
use ctu_tests::servers::MemcachedServer;
use std::thread;

#[test]
fn are_opened_when_needed_and_shared() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    let other = raw(&server.address());
    let before = other.stats().unwrap()[0].connections;
    for _ in 0..100 {
        cache.insert(b"a", b"1").unwrap();
    }
    assert_eq!(other.stats().unwrap()[0].connections - before, 1);
}

#[test]
fn serve_many_threads_without_mixing_answers() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
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
    let server = MemcachedServer::start();
    let other = raw(&server.address());
    let before = other.stats().unwrap()[0].connections;
    let cache = builder(&server.address()).raw().pool_size(2).build();
    let cache = cache.unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..100).for_each(|_| cache.insert(b"a", b"1").unwrap()));
        }
    });
    assert!(other.stats().unwrap()[0].connections - before <= 2);
    let none = builder(&server.address()).raw().pool_size(0).build();
    let refused = matches!(none, Err(MemCachedError::Core(Error::OutOfRange { .. })));
    assert!(refused);
}

#[test]
fn may_be_over_a_unix_socket() {
    let mut server = MemcachedServer::on_socket();
    let cache = raw(&server.address());
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    let same: MemCached<[u8], Vec<u8>, _> = raw(&format!("unix://{}", server.address()));
    assert_eq!(same.get(b"a"), Ok(Some(b"1".to_vec())));
    server.restart();
    assert_eq!(cache.get(b"a"), Ok(None));
    server.kill();
    let error = cache.get(b"a").unwrap_err();
    let text = format!("no Memcached at {}: connection refused", server.address());
    assert_eq!(shown(error), text);
}
