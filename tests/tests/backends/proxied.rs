//! The network between cache and server fails.

use crate::backend::{Backend, assert_late, long_deadline, net, short_deadline};
use ctu_std::{
    Cache, CacheExt, NetError,
    test_util::{FaultProxy, StreamFault},
};
use ctu_tests::{load::under_load, servers::Server};
use std::thread;

on_every_backend! {
    reply_cut_anywhere_on_a_fresh_connection_is_an_error
    reply_cut_anywhere_on_a_pooled_connection_is_retried
    request_cut_anywhere_on_a_pooled_connection_is_retried
    delayed_replies_are_never_mixed
    unsafe_operation_is_never_retried
    black_hole_times_out_and_its_connection_is_closed
    unsolicited_reply_is_never_a_value
    proxy_without_a_server_is_an_error
    faults_under_load_lose_no_acknowledged_write
}

const FAULTS: [StreamFault; 2] = [StreamFault::Close, StreamFault::Reset];

/// A server, a proxy before it, and a cache that waits long and goes through that.
fn over_proxy<B: Backend>() -> (Server<B>, FaultProxy, B::Cache) {
    let server = Server::start();
    let proxy = server.proxy();
    let cache = long_deadline::<B>(proxy.port());
    (server, proxy, cache)
}

fn reply_cut_anywhere_on_a_fresh_connection_is_an_error<B: Backend>() {
    let (_server, proxy, cache) = over_proxy::<B>();
    cache.insert(b"a", b"value").unwrap();
    for fault in FAULTS {
        for bytes in 0..B::get_answer(b"value").len() {
            let fresh = long_deadline::<B>(proxy.port());
            proxy.fail_reply_after(bytes, fault);
            let found = net(fresh.get(b"a"));
            let lost = matches!(found, Err(NetError::Lost { .. }));
            assert!(lost, "{fault:?} after {bytes}: {found:?}");
            assert_eq!(fresh.get(b"a"), Ok(Some(b"value".to_vec())));
        }
    }
}

fn reply_cut_anywhere_on_a_pooled_connection_is_retried<B: Backend>() {
    let (_server, proxy, cache) = over_proxy::<B>();
    cache
        .insert_many(vec![(b"a", b"1".to_vec()), (b"b", b"2".to_vec())], None)
        .unwrap();
    let both = Ok(vec![Some(b"1".to_vec()), None, Some(b"2".to_vec())]);
    for fault in FAULTS {
        for bytes in 0..B::get_many_answer().len() {
            proxy.fail_reply_after(bytes, fault);
            let found = cache.get_many(&[b"a", b"x", b"b"]);
            assert_eq!(found, both, "{fault:?} after {bytes}");
            assert!(proxy.has_failed());
        }
        for bytes in 0..B::PUT_ANSWER.len() {
            proxy.fail_reply_after(bytes, fault);
            assert_eq!(cache.insert(b"a", b"1"), Ok(()));
            assert!(proxy.has_failed());
        }
    }
}

fn request_cut_anywhere_on_a_pooled_connection_is_retried<B: Backend>() {
    let (server, proxy, cache) = over_proxy::<B>();
    let direct = long_deadline::<B>(server.port());
    cache.insert(b"a", b"0").unwrap();
    for bytes in 0..B::put_request(b"000").len() {
        let value = format!("{bytes:0>3}").into_bytes();
        proxy.fail_request_after(bytes, StreamFault::Close);
        let done = cache.insert_entry(b"a", value.clone(), None);
        assert_eq!(done, Ok(()), "after {bytes}");
        assert!(proxy.has_failed());
        assert_eq!(direct.get(b"a"), Ok(Some(value.clone())));
        // On a fresh one the caller is told, and half a request is none.
        let fresh = long_deadline::<B>(proxy.port());
        proxy.fail_request_after(bytes, StreamFault::Close);
        let done = net(fresh.insert(b"a", b"xxx"));
        assert!(matches!(done, Err(NetError::Lost { .. })), "{done:?}");
        assert_eq!(direct.get(b"a"), Ok(Some(value)));
    }
}

fn delayed_replies_are_never_mixed<B: Backend>() {
    let (_server, proxy, cache) = over_proxy::<B>();
    cache.insert(b"a", b"1").unwrap();
    cache.insert(b"b", b"2").unwrap();
    for bytes in [0, 1, B::get_answer(b"1").len() - 2] {
        proxy.fail_reply_after(bytes, StreamFault::Hold);
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
    // The answer comes after the deadline, and no caller may get it.
    let short_deadline = short_deadline::<B>(proxy.port(), 16);
    while short_deadline.get(b"a").is_err() {}
    proxy.fail_reply_after(0, StreamFault::Hold);
    assert_late(short_deadline.get(b"a"));
    proxy.release();
    let found = (0..).find_map(|_| short_deadline.get(b"b").ok());
    assert_eq!(found, Some(Some(b"2".to_vec())));
}

fn unsafe_operation_is_never_retried<B: Backend>() {
    let (server, proxy, cache) = over_proxy::<B>();
    B::before_once(&cache).unwrap();
    proxy.fail_reply_after(3, StreamFault::Close);
    let done = net(B::once(&cache));
    assert!(matches!(done, Err(NetError::Lost { .. })), "{done:?}");
    assert!(B::was_done(&long_deadline::<B>(server.port())));
}

fn black_hole_times_out_and_its_connection_is_closed<B: Backend>() {
    let (_server, proxy, cache) = over_proxy::<B>();
    cache.insert(b"a", b"1").unwrap();
    let short_deadline = short_deadline::<B>(proxy.port(), 16);
    for bytes in [0, 1, 5] {
        while short_deadline.get(b"a").is_err() {}
        proxy.fail_reply_after(bytes, StreamFault::BlackHole);
        assert_late(short_deadline.get(b"a"));
        // A fresh connection is not in the hole.
        while short_deadline.get(b"a").is_err() {}
    }
}

fn unsolicited_reply_is_never_a_value<B: Backend>() {
    let (_server, proxy, cache) = over_proxy::<B>();
    cache.insert(b"a", b"1").unwrap();
    cache.insert(b"b", b"2").unwrap();
    for bytes in 0..=B::get_answer(b"1").len() {
        proxy.fail_reply_after(bytes, StreamFault::Insert(B::UNASKED));
        let found = net(cache.get(b"a"));
        let told = matches!(found, Err(NetError::Protocol { .. }));
        assert!(told, "after {bytes}: {found:?}");
        assert_eq!(cache.get(b"b"), Ok(Some(b"2".to_vec())));
    }
}

fn proxy_without_a_server_is_an_error<B: Backend>() {
    let (mut server, proxy, cache) = over_proxy::<B>();
    cache.insert(b"a", b"1").unwrap();
    server.kill();
    let found = net(long_deadline::<B>(proxy.port()).get(b"a"));
    assert!(matches!(found, Err(NetError::Lost { .. })), "{found:?}");
}

fn faults_under_load_lose_no_acknowledged_write<B: Backend>() {
    let (server, proxy, cache) = over_proxy::<B>();
    let direct = long_deadline::<B>(server.port());
    under_load(&cache, &direct, &proxy, B::UNASKED_UNDER_LOAD);
}
