//! The network between cache and server fails.

use crate::{raw, secs};
use ctu_std::{Cache, NetError, RawRedisCache, RedisCache, RedisError};
use ctu_tests::{
    load::under_load,
    proxy::{Fault, Proxy},
    servers::RedisServer,
};
use std::{thread, time::Duration};

const FAULTS: [Fault; 2] = [Fault::Cut, Fault::Reset];

fn over_proxy() -> (RedisServer, Proxy, RawRedisCache) {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let cache = raw(&proxy.url());
    (server, proxy, cache)
}

#[test]
fn every_cut_of_a_reply_on_a_fresh_connection_is_an_error() {
    let (_server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"value").unwrap();
    let reply = b"$5\r\nvalue\r\n".len();
    for fault in FAULTS {
        for bytes in 0..reply {
            let fresh = raw(&proxy.url());
            proxy.fail_after(bytes, fault);
            let found = fresh.get(b"a");
            let lost = matches!(found, Err(RedisError::Net(NetError::Lost { .. })));
            assert!(lost, "{fault:?} after {bytes}: {found:?}");
            assert_eq!(fresh.get(b"a"), Ok(Some(b"value".to_vec())));
        }
    }
}

#[test]
fn no_cut_of_a_reply_on_a_pooled_connection_costs_an_operation() {
    let (_server, proxy, cache) = over_proxy();
    cache
        .put_many(vec![(b"a", b"1".to_vec()), (b"b", b"2".to_vec())], None)
        .unwrap();
    let both = Ok(vec![Some(b"1".to_vec()), None, Some(b"2".to_vec())]);
    let reply = b"*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n".len();
    for fault in FAULTS {
        for bytes in 0..reply {
            proxy.fail_after(bytes, fault);
            let found = cache.get_many(&[b"a", b"x", b"b"]);
            assert_eq!(found, both, "{fault:?} after {bytes}");
            assert!(proxy.has_failed());
        }
    }
}

#[test]
fn no_cut_of_a_request_on_a_pooled_connection_costs_an_operation() {
    let (server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"0").unwrap();
    let request = b"*5\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\n100\r\n$2\r\nEX\r\n$3\r\n600\r\n".len();
    for bytes in 0..request {
        let value = format!("{:0>3}", bytes);
        proxy.fail_request_after(bytes, Fault::Cut);
        assert_eq!(
            cache.insert(b"a", value.as_bytes()),
            Ok(()),
            "after {bytes}"
        );
        assert!(proxy.has_failed());
        assert_eq!(server.cli(&["get", "a"]), value);
        // On a fresh one the caller is told, and half a request is none.
        let fresh = raw(&proxy.url());
        proxy.fail_request_after(bytes, Fault::Cut);
        let lost = fresh.insert(b"a", b"xxx");
        assert!(
            matches!(lost, Err(RedisError::Net(NetError::Lost { .. }))),
            "{lost:?}"
        );
        assert_eq!(server.cli(&["get", "a"]), value);
    }
}

#[test]
fn a_delay_is_waited_for_and_never_mixes_answers() {
    let (_server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"1").unwrap();
    cache.insert(b"b", b"2").unwrap();
    for bytes in [0, 1, 5] {
        proxy.fail_after(bytes, Fault::Hold);
        let found = thread::scope(|scope| {
            let found = scope.spawn(|| cache.get(b"a"));
            while !proxy.has_failed() {
                thread::yield_now();
            }
            proxy.release();
            found.join().unwrap()
        });
        assert_eq!(found, Ok(Some(b"1".to_vec())));
    }
    // Longer than the deadline: what comes then is for nobody.
    let builder = RedisCache::builder(&proxy.url()).raw();
    let hasty = builder.deadline(Duration::from_millis(50)).build().unwrap();
    while hasty.get(b"a").is_err() {}
    proxy.fail_after(0, Fault::Hold);
    let error = hasty.get(b"a").unwrap_err();
    assert!(
        matches!(error, RedisError::Net(NetError::TimedOut { .. })),
        "{error}"
    );
    proxy.release();
    let found = (0..).find_map(|_| hasty.get(b"b").ok());
    assert_eq!(found, Some(Some(b"2".to_vec())));
}

#[test]
fn what_must_not_be_done_twice_is_not() {
    let (server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"1").unwrap();
    proxy.fail_after(3, Fault::Cut);
    let found = cache.pop(b"a");
    assert!(
        matches!(found, Err(RedisError::Net(NetError::Lost { .. }))),
        "{found:?}"
    );
    assert_eq!(server.cli(&["exists", "a"]), "0");
}

#[test]
fn a_black_hole_ends_by_the_deadline_and_is_left() {
    let (_server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"1").unwrap();
    let builder = RedisCache::builder(&proxy.url()).raw();
    let hasty = builder.deadline(Duration::from_millis(50)).build().unwrap();
    for bytes in [0, 1, 5] {
        while hasty.get(b"a").is_err() {}
        proxy.fail_after(bytes, Fault::BlackHole);
        let error = hasty.get(b"a").unwrap_err();
        assert!(
            matches!(error, RedisError::Net(NetError::TimedOut { .. })),
            "{error}"
        );
        // A fresh connection is not in the hole.
        while hasty.get(b"a").is_err() {}
    }
}

#[test]
fn a_reply_that_nobody_asked_for_is_nobodys_value() {
    let (_server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"1").unwrap();
    cache.insert(b"b", b"2").unwrap();
    let reply = b"$1\r\n1\r\n".len();
    for bytes in 0..=reply {
        proxy.fail_after(bytes, Fault::Insert(b"$1\r\nx\r\n"));
        let found = cache.get(b"a");
        let told = matches!(found, Err(RedisError::Net(NetError::Protocol { .. })));
        assert!(told, "after {bytes}: {found:?}");
        assert_eq!(cache.get(b"b"), Ok(Some(b"2".to_vec())));
    }
}

#[test]
fn faults_under_load_lose_nothing_that_was_acknowledged() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let builder = RedisCache::builder(&proxy.url()).raw().no_ttl();
    let cache = builder.deadline(secs(60)).build().unwrap();
    let nobodys = Fault::Insert(b"$4\r\nevil\r\n");
    under_load(&cache, &raw(&server.url()), &proxy, nobodys);
}
