//! The runtimes of callers.

use crate::{on_both, one_thread, raw, threads};
use ctu_std::{AsyncCache, AsyncCacheExt, AsyncRawRedisCache, NetError, RedisCache, RedisError};
use ctu_tests::servers::RedisServer;
use std::{
    pin::pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
    thread,
};
use tokio::task::JoinSet;

#[test]
fn static_cache_serves_consecutive_runtimes() {
    static CACHE: OnceLock<AsyncRawRedisCache> = OnceLock::new();
    let server = RedisServer::start();
    let cache = CACHE.get_or_init(|| raw(server.port(), 2));
    for round in 0..3_u8 {
        on_both(|| async move {
            let insert = cache.insert_entry(b"a", vec![round], None);
            insert.await.unwrap();
            assert_eq!(cache.get(b"a").await, Ok(Some(vec![round])));
        });
    }
}

#[test]
fn stalled_runtime_blocks_no_other() {
    let server = RedisServer::start();
    let cache = raw(server.port(), 1);
    let idle = one_thread();
    idle.block_on(cache.get(b"a")).unwrap();
    let other = one_thread();
    other.block_on(cache.get(b"a")).unwrap();
    idle.block_on(cache.get(b"a")).unwrap();
}

#[test]
fn callers_on_several_runtimes_share_one_cache() {
    let server = RedisServer::start();
    let cache = raw(server.port(), 2);
    thread::scope(|scope| {
        for n in 0..4_u8 {
            let cache = &cache;
            scope.spawn(move || {
                one_thread().block_on(async {
                    for round in 0..50_u8 {
                        let value = vec![n, round];
                        cache.insert_entry(&[n], value.clone(), None).await.unwrap();
                        assert_eq!(cache.get(&[n]).await, Ok(Some(value)));
                    }
                });
            });
        }
    });
}

#[test]
fn operation_without_a_runtime_is_an_error() {
    let cache = raw(1, 1);
    let mut get = pin!(cache.get(b"a"));
    let done = get.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Err(RedisError::Net(error @ NetError::Unreachable { .. }))) = done else {
        panic!("{done:?}");
    };
    let text = "no Redis at 127.0.0.1:1: there is no tokio runtime";
    assert_eq!(error.to_string(), text);
}

#[test]
fn callers_of_a_missing_server_share_one_attempt() {
    on_both(|| async {
        let cache = Arc::new(raw(1, 1));
        let mut tasks = JoinSet::new();
        for _ in 0..50 {
            let cache = cache.clone();
            tasks.spawn(async move { cache.get(b"a").await });
        }
        for done in tasks.join_all().await {
            let refused = matches!(done, Err(RedisError::Net(NetError::Unreachable { .. })));
            assert!(refused, "{done:?}");
        }
    });
}

#[test]
fn connections_are_few_and_opened_once() {
    let server = RedisServer::start();
    let runtime = threads();
    runtime.block_on(async {
        let direct = raw(server.port(), 1);
        let before = direct.stats().await.unwrap().connections;
        let cache = raw(server.port(), 3);
        let mut tasks = JoinSet::new();
        for n in 0..500_u32 {
            let cache = cache.clone();
            tasks.spawn(async move { cache.get(&n.to_le_bytes()).await.unwrap() });
        }
        tasks.join_all().await;
        let opened = direct.stats().await.unwrap().connections - before;
        // The third is for large values.
        assert_eq!(opened, 2);
        cache
            .insert_entry(b"a", vec![b'x'; 1 << 20], None)
            .await
            .unwrap();
        for _ in 0..3 {
            cache.get(b"a").await.unwrap();
        }
        let opened = direct.stats().await.unwrap().connections - before;
        assert_eq!(opened, 3);
    });
}

#[test]
fn futures_can_be_spawned() {
    fn is_send(_: &(impl Send + 'static)) {}
    let builder = RedisCache::builder("redis://127.0.0.1").prefix("a.");
    let cache = builder.build_async::<str, u32>().unwrap();
    is_send(&{
        let cache = cache.clone();
        async move { cache.get_or_insert_with("a", || async { 1_u32 }).await }
    });
    is_send(&async move { cache.clear().await });
}
