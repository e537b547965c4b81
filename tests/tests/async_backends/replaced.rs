//! Connections that lead to a server that is not the master any more, or that are old.

use crate::{on_both, raw, within};
use ctu_std::{AsyncCache, AsyncCacheExt, CacheError, RedisCache};
use ctu_tests::servers::{RedisServer, free_port};
use std::time::Duration;
use tokio::task::JoinSet;

#[test]
fn master_that_became_a_replica_costs_no_write() {
    on_both(|| async {
        let (old, new) = (RedisServer::start(), RedisServer::start());
        let name = old.proxy();
        let cache = raw(name.port(), 3);
        for key in 0..16_u8 {
            cache.insert(&[key][..], b"old").await.unwrap();
        }
        old.cli(&["replicaof", "127.0.0.1", &free_port().to_string()]);
        // The name still leads there: an outage.
        let lost = cache.insert(b"a", b"lost").await.unwrap_err();
        assert!(lost.is_outage(), "{lost}");
        name.set_server(new.socket_address()).unwrap();
        let mut tasks = JoinSet::new();
        for key in 0..16_u8 {
            let cache = cache.clone();
            tasks.spawn(async move {
                for _ in 0..10 {
                    cache.insert(&[key][..], b"new").await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        assert_eq!(new.cli(&["dbsize"]), "16");
    });
}

#[test]
fn old_connection_is_replaced_between_requests() {
    let server = RedisServer::start();
    on_both(|| async {
        let builder = RedisCache::builder(server.url()).pool_size(1);
        let builder = builder.max_connection_age(Some(Duration::from_millis(1)));
        let cache = builder.raw().build_async().unwrap();
        let before = raw(server.port(), 1).stats().await.unwrap().connections;
        let mut tasks = JoinSet::new();
        for key in 0..32_u8 {
            let cache = cache.clone();
            tasks.spawn(async move {
                for round in 0..100_u8 {
                    cache.insert(&[key][..], vec![round]).await.unwrap();
                    assert_eq!(cache.get(&[key]).await, Ok(Some(vec![round])));
                }
            });
        }
        tasks.join_all().await;
        let after = raw(server.port(), 1).stats().await.unwrap().connections;
        assert!(after > before + 2, "{before} {after}");
    });
}

#[test]
fn hung_server_is_found_within_a_deadline_and_left_when_it_is_replaced() {
    on_both(|| async {
        let (old, new) = (RedisServer::start(), RedisServer::start());
        let name = old.proxy();
        let cache = within(name.port(), 2, Duration::from_millis(200));
        for key in 0..8_u8 {
            while cache.insert(&[key][..], b"old").await.is_err() {}
        }
        old.pause();
        name.set_server(new.socket_address()).unwrap();
        // One deadline for all requests under way; the connections beside it are left as well.
        assert!(cache.get(&[0]).await.unwrap_err().is_outage());
        for key in 0..8_u8 {
            while cache.insert(&[key][..], b"new").await.is_err() {}
        }
        assert_eq!(new.cli(&["dbsize"]), "8");
        old.resume();
    });
}
