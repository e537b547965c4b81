//! The network between cache and server fails.

use crate::{builder, raw};
use ctu_std::{Cache, MemCached, MemCachedError, NetError, RawMemCached};
use ctu_tests::{
    load::under_load,
    proxy::{Fault, Proxy},
    servers::MemcachedServer,
};
use std::{thread, time::Duration};

const FAULTS: [Fault; 2] = [Fault::Cut, Fault::Reset];

fn address(proxy: &Proxy) -> String {
    format!("127.0.0.1:{}", proxy.port())
}

fn over_proxy() -> (MemcachedServer, Proxy, RawMemCached) {
    let server = MemcachedServer::start();
    let proxy = Proxy::to(server.port());
    let cache = raw(&address(&proxy));
    (server, proxy, cache)
}

/// As long as what the server answers to `get` of one key of one byte.
fn reply(value: &str) -> usize {
    let key = ctu_std::memcached::encode_key("", "b'a'").unwrap();
    let key = String::from_utf8(key).unwrap();
    format!("VALUE {key} 1 {}\r\n{value}\r\nEND\r\n", value.len()).len()
}

#[test]
fn every_cut_of_a_reply_on_a_fresh_connection_is_an_error() {
    let (_server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"value").unwrap();
    for fault in FAULTS {
        for bytes in 0..reply("value") {
            let fresh = raw(&address(&proxy));
            proxy.fail_after(bytes, fault);
            let found = fresh.get(b"a");
            let lost = matches!(found, Err(MemCachedError::Net(NetError::Lost { .. })));
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
    let both = vec![Some(b"1".to_vec()), None, Some(b"2".to_vec())];
    for fault in FAULTS {
        for bytes in 0..2 * reply("1") - b"END\r\n".len() {
            proxy.fail_after(bytes, fault);
            let found = cache.get_many(&[b"a", b"x", b"b"]);
            assert_eq!(found, Ok(both.clone()), "{fault:?} after {bytes}");
            assert!(proxy.has_failed());
        }
        for bytes in 0..b"STORED\r\n".len() {
            proxy.fail_after(bytes, fault);
            assert_eq!(cache.insert(b"c", b"3"), Ok(()));
        }
    }
}

#[test]
fn no_cut_of_a_request_on_a_pooled_connection_costs_an_operation() {
    let (server, proxy, cache) = over_proxy();
    let direct = raw(&server.address());
    cache.insert(b"a", b"0").unwrap();
    let key = ctu_std::memcached::encode_key("", "b'a'").unwrap();
    for bytes in 0..b"set  1 0 3\r\n000\r\n".len() + key.len() {
        let value = format!("{bytes:0>3}").into_bytes();
        proxy.fail_request_after(bytes, Fault::Cut);
        assert_eq!(
            cache.put(b"a", value.clone(), None),
            Ok(()),
            "after {bytes}"
        );
        assert!(proxy.has_failed());
        assert_eq!(direct.get(b"a"), Ok(Some(value.clone())));
        // On a fresh one the caller is told, and half a request is none.
        let fresh = raw(&address(&proxy));
        proxy.fail_request_after(bytes, Fault::Cut);
        let lost = fresh.insert(b"a", b"xxx");
        assert!(
            matches!(lost, Err(MemCachedError::Net(NetError::Lost { .. }))),
            "{lost:?}"
        );
        assert_eq!(direct.get(b"a"), Ok(Some(value)));
    }
}

#[test]
fn a_delay_is_waited_for_and_never_mixes_answers() {
    let (_server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"1").unwrap();
    cache.insert(b"b", b"2").unwrap();
    for bytes in [0, 1, 20] {
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
    let builder = MemCached::builder(&address(&proxy)).raw();
    let hasty = builder.deadline(Duration::from_millis(50)).build().unwrap();
    while hasty.get(b"a").is_err() {}
    proxy.fail_after(0, Fault::Hold);
    let error = hasty.get(b"a").unwrap_err();
    let late = matches!(error, MemCachedError::Net(NetError::TimedOut { .. }));
    assert!(late, "{error}");
    proxy.release();
    let found = (0..).find_map(|_| hasty.get(b"b").ok());
    assert_eq!(found, Some(Some(b"2".to_vec())));
}

#[test]
fn what_must_not_be_done_twice_is_not() {
    let (server, proxy, cache) = over_proxy();
    cache.insert(b"warm", b"up").unwrap();
    proxy.fail_after(3, Fault::Cut);
    let added = cache.add(b"a", b"1", None);
    let lost = matches!(added, Err(MemCachedError::Net(NetError::Lost { .. })));
    assert!(lost, "{added:?}");
    assert_eq!(raw(&server.address()).get(b"a"), Ok(Some(b"1".to_vec())));
}

#[test]
fn a_black_hole_ends_by_the_deadline_and_is_left() {
    let (_server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"1").unwrap();
    let builder = MemCached::builder(&address(&proxy)).raw();
    let hasty = builder.deadline(Duration::from_millis(50)).build().unwrap();
    for bytes in [0, 1, 5] {
        while hasty.get(b"a").is_err() {}
        proxy.fail_after(bytes, Fault::BlackHole);
        let error = hasty.get(b"a").unwrap_err();
        let late = matches!(error, MemCachedError::Net(NetError::TimedOut { .. }));
        assert!(late, "{error}");
        // A fresh connection is not in the hole.
        while hasty.get(b"a").is_err() {}
    }
}

#[test]
fn a_reply_that_nobody_asked_for_is_nobodys_value() {
    let (_server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"1").unwrap();
    cache.insert(b"b", b"2").unwrap();
    for bytes in 0..=reply("1") {
        proxy.fail_after(bytes, Fault::Insert(b"END\r\n"));
        let found = cache.get(b"a");
        // In the middle of a line it is a line of another kind.
        let told = matches!(
            found,
            Err(MemCachedError::Net(
                NetError::Protocol { .. } | NetError::Lost { .. }
            ))
        );
        assert!(told, "after {bytes}: {found:?}");
        assert_eq!(cache.get(b"b"), Ok(Some(b"2".to_vec())));
    }
}

#[test]
fn a_proxy_with_nothing_behind_it_is_an_error() {
    let (mut server, proxy, cache) = over_proxy();
    cache.insert(b"a", b"1").unwrap();
    server.kill();
    let error = builder(&address(&proxy))
        .raw()
        .build()
        .unwrap()
        .get(b"a")
        .unwrap_err();
    assert!(
        matches!(error, MemCachedError::Net(NetError::Lost { .. })),
        "{error}"
    );
}

#[test]
fn faults_under_load_lose_nothing_that_was_acknowledged() {
    let (server, proxy, cache) = over_proxy();
    let direct = raw(&server.address());
    under_load(&cache, &direct, &proxy, Fault::Insert(b"STORED\r\n"));
}
