//! The way to the server closes the connection at a large entry.

use crate::backend::{Backend, long_deadline, net};
use ctu_std::{Cache, CacheError, CacheExt, LruCache, NetError, TwoLevelCache, TwoLevelError};
use ctu_tests::servers::Server;
use std::fmt::Debug;

on_every_backend! {
    large_write_that_is_reset_twice_is_the_fault_of_its_entry
    large_read_that_is_reset_twice_is_the_fault_of_its_entry
    reset_of_all_connections_is_an_outage
    large_entries_leave_the_breaker_closed
}

const LIMIT: usize = 200_000;

fn large() -> Vec<u8> {
    vec![b'x'; 3 * LIMIT]
}

fn assert_refused<T: Debug, E: CacheError>(done: Result<T, E>) {
    let error = done.unwrap_err();
    assert!(!error.is_outage() && !error.is_overload(), "{error}");
    assert!(error.is_corrupt());
    let told = error.to_string();
    assert!(
        told.contains("closes the connection at this entry"),
        "{told}"
    );
}

fn large_write_that_is_reset_twice_is_the_fault_of_its_entry<B: Backend>() {
    let server = Server::<B>::start();
    let proxy = server.proxy();
    proxy.limit_requests(LIMIT);
    let cache = long_deadline::<B>(proxy.port());
    // Without a pooled connection there is one attempt: one loss may be an outage.
    let first = net(cache.insert_entry(b"large", large(), None));
    assert!(matches!(first, Err(NetError::Lost { .. })), "{first:?}");
    for _ in 0..3 {
        assert_refused(cache.insert_entry(b"large", large(), None));
        assert_refused(cache.insert_many(vec![(&b"a"[..], vec![1]), (b"large", large())], None));
        cache.insert(b"small", b"1").unwrap();
        assert_eq!(cache.get(b"small"), Ok(Some(b"1".to_vec())));
        // After a success, both attempts are those of one operation.
        assert_refused(cache.insert_entry(b"large", large(), None));
    }
    assert_eq!(cache.get(b"large"), Ok(None));
}

fn large_read_that_is_reset_twice_is_the_fault_of_its_entry<B: Backend>() {
    let server = Server::<B>::start();
    long_deadline::<B>(server.port())
        .insert_entry(b"large", large(), None)
        .unwrap();
    let proxy = server.proxy();
    proxy.limit_replies(LIMIT);
    let cache = long_deadline::<B>(proxy.port());
    let first = net(cache.get(b"large"));
    assert!(matches!(first, Err(NetError::Lost { .. })), "{first:?}");
    for _ in 0..3 {
        assert_refused(cache.get(b"large"));
        assert_refused(cache.get_with_ttl(b"large"));
        assert_refused(cache.get_many(&[b"none", b"large"]));
        cache.insert(b"small", b"1").unwrap();
        // The remaining time shows that no fallback to older commands is in use.
        cache
            .insert_with_ttl(b"timed", b"1", std::time::Duration::from_secs(500))
            .unwrap();
        let timed = cache.get_with_ttl(b"timed").unwrap().unwrap();
        assert!(timed.1.is_some());
        assert_refused(cache.get_many(&[b"small", b"large"]));
        assert_eq!(cache.get(b"small"), Ok(Some(b"1".to_vec())));
    }
}

fn reset_of_all_connections_is_an_outage<B: Backend>() {
    let server = Server::<B>::start();
    let proxy = server.proxy();
    proxy.limit_requests(0);
    let cache = long_deadline::<B>(proxy.port());
    for _ in 0..5 {
        let done = net(cache.insert_entry(b"large", large(), None));
        assert!(matches!(done, Err(NetError::Lost { .. })), "{done:?}");
        let done = net(cache.get(b"large"));
        assert!(matches!(done, Err(NetError::Lost { .. })), "{done:?}");
    }
}

fn large_entries_leave_the_breaker_closed<B: Backend>() {
    let server = Server::<B>::start();
    let direct = long_deadline::<B>(server.port());
    let proxy = server.proxy();
    proxy.limit_requests(LIMIT);
    proxy.limit_replies(LIMIT);
    let first = LruCache::<Vec<u8>, Vec<u8>>::with_capacity(10);
    let cache = TwoLevelCache::builder(first, long_deadline::<B>(proxy.port()));
    let cache = cache.resilient().manual_recovery().build();
    for key in 0..6_u8 {
        direct.insert_entry(&[b'r', key], large(), None).unwrap();
    }
    direct.insert(b"small", b"1").unwrap();
    for key in 0..6_u8 {
        let written = cache.insert_entry(&[b'w', key], large(), None);
        // The first loss alone may be an outage, which a resilient cache does not report.
        match key {
            0 => written.unwrap(),
            _ => assert!(
                matches!(written, Err(TwoLevelError::Second(_))),
                "{written:?}"
            ),
        }
    }
    for key in 0..6_u8 {
        // A value that cannot be transferred is a miss, which a new value overwrites.
        assert_eq!(cache.get(&[b'r', key]), Ok(None));
        let made = cache.get_or_insert_with(&[b'r', key], || vec![key]);
        assert_eq!(made, Ok(vec![key]));
        assert_eq!(direct.get(&[b'r', key]), Ok(Some(vec![key])));
    }
    let stats = cache.stats();
    assert!(
        stats.breaker == Default::default() && stats.opened == 0,
        "{stats}"
    );
    assert_eq!(stats.outages, 1, "{stats}");
    assert!(stats.damaged >= 6, "{stats}");
    assert_eq!(cache.get(b"small"), Ok(Some(b"1".to_vec())));
    assert_eq!(cache.stats().second_hits, stats.second_hits + 1);
    // One large value does not hide the others of a batch.
    direct.insert_entry(b"large", large(), None).unwrap();
    direct.insert(b"other", b"2").unwrap();
    let found = cache.get_many(&[b"large", b"other"]);
    assert_eq!(found, Ok(vec![None, Some(b"2".to_vec())]));
}
