//! Futures that are dropped at any point.

use crate::{on_both, raw, threads, within};
use ctu_std::{
    AsyncCache, AsyncPrefixedRedisCache, AsyncTags, ConcurrentCache, IsAsync, NetError, RedisCache,
    RedisError, TwoLevelCache, test_util::StreamFault,
};
use ctu_tests::{
    cancel::{
        assert_in_step, cancel, cancel_everywhere, drop_at_random, drop_everywhere, fill, keys,
        poll_at_most, value,
    },
    servers::RedisServer,
};
use std::time::Duration;
use tokio::task::yield_now;

#[test]
fn every_operation_may_be_dropped_at_every_poll() {
    let server = RedisServer::start();
    on_both(|| async {
        let cache = &raw(server.port(), 2);
        drop_everywhere(cache).await;
        // Those of Redis alone.
        let keys = keys(8);
        fill(cache, &keys).await;
        let check = async || assert_in_step(cache, &keys).await;
        let long = Some(Duration::from_secs(600));
        cancel(async || drop(cache.touch(&keys[0], long).await), check).await;
        cancel(async || drop(cache.ttl(&keys[0]).await), check).await;
        cancel(async || drop(cache.keys().next().await), check).await;
        cancel(async || drop(cache.info("stats").await), check).await;
        cancel(async || drop(cache.stats().await), check).await;
        cancel(async || drop(cache.hit_rate().await), check).await;
    });
}

/// The server lacks the scripts at first, so the request with their texts may be dropped, too.
#[test]
fn operations_with_tags_may_be_dropped_at_every_poll() {
    let server = RedisServer::start();
    on_both(|| async {
        let second = RedisCache::builder(server.url()).prefix("app.");
        let second = second.deadline(Duration::from_secs(60)).tags();
        let cache: AsyncPrefixedRedisCache<str, u32> = second.build_async().unwrap();
        let world = async || {
            assert_eq!(server.cli(&["script", "flush"]), "OK");
            cache.remove("k").await.unwrap();
        };
        let check = async |_: &(), _: Option<()>| {
            // The value of this operation, or of none, and no reply to another request.
            assert!(matches!(cache.get("k").await, Ok(None | Some(1))));
            cache.insert_with_tags("l", 7, None, &["b"]).await.unwrap();
            assert_eq!(cache.get("l").await, Ok(Some(7)));
            cache.invalidate_tag("a").await.unwrap();
            assert_eq!(cache.get("k").await, Ok(None));
        };
        let insert = async |_: &()| cache.insert_with_tags("k", 1, None, &["a"]).await.unwrap();
        let mut polls = cancel_everywhere(world, insert, check).await;
        let compute = async |_: &()| {
            let make = || async { 1_u32 };
            let made = cache.get_or_insert_with_tags("k", &["a"], make).await;
            assert_eq!(made, Ok(1));
        };
        polls += cancel_everywhere(world, compute, check).await;
        let read = async |_: &()| drop(cache.get_many_tagged(&["k", "l"]).await.unwrap());
        polls += cancel_everywhere(world, read, check).await;
        // Of two levels, a later caller neither waits for a dropped computation nor gets an invalidated value.
        let first = ConcurrentCache::<String, u32>::with_capacity(10);
        let levels: TwoLevelCache<_, _, IsAsync> = TwoLevelCache::builder(first, &cache)
            .tags()
            .wait_limit(Duration::MAX)
            .build();
        let world = async || {
            world().await;
            levels.remove("k").await.unwrap();
        };
        let compute = async |_: &()| {
            let made = levels.get_or_insert_with_tags("k", &["a"], || async { 1_u32 });
            assert_eq!(made.await, Ok(1));
        };
        polls += cancel_everywhere(world, compute, async |_, _| {
            assert!(matches!(levels.get("k").await, Ok(None | Some(1))));
            levels.invalidate_tag("a").await.unwrap();
            assert_eq!(levels.get("k").await, Ok(None));
            let again = levels.get_or_insert_with_tags("k", &["a"], || async { 2_u32 });
            assert_eq!((again.await, levels.get("k").await), (Ok(2), Ok(Some(2))));
            assert_eq!(cache.get("k").await, Ok(Some(2)));
        })
        .await;
        let invalidate = async |_: &()| levels.invalidate_tag("a").await.unwrap();
        let world = async || levels.insert_with_tags("k", 3, None, &["a"]).await.unwrap();
        polls += cancel_everywhere(world, invalidate, async |_, done| {
            // A future that was polled has invalidated the tag at the first level.
            let found = levels.get("k").await.unwrap();
            assert!(found.is_none() || (done.is_none() && found == Some(3)));
        })
        .await;
        assert!(polls > 10, "{polls}");
    });
}

#[test]
fn connecting_may_be_dropped_at_every_poll() {
    let server = RedisServer::start();
    on_both(|| async {
        let port = server.port();
        fill(&raw(port, 1), &keys(2)).await;
        let get = async || drop(raw(port, 1).get(b"key 0").await);
        cancel(get, async || {}).await;
        // An attempt of a dropped future serves the next caller.
        let cache = raw(port, 1);
        assert!(poll_at_most(1, cache.get(b"key 0")).await.is_none());
        assert_in_step(&cache, &keys(2)).await;
    });
}

#[test]
fn dropped_write_of_a_key_never_overtakes_a_later_one() {
    let server = RedisServer::start();
    on_both(|| async {
        let cache = raw(server.port(), 4);
        for round in 0..200_u32 {
            let key = (round % 7).to_le_bytes();
            poll_at_most(1, cache.insert_entry(&key, b"old".to_vec(), None)).await;
            let new = round.to_le_bytes().to_vec();
            match round % 2 {
                0 => cache.insert_entry(&key, new.clone(), None).await,
                _ => cache.insert_many(vec![(&key, new.clone())], None).await,
            }
            .unwrap();
            assert_eq!(cache.get(&key).await, Ok(Some(new)));
        }
    });
}

#[test]
fn random_drops_among_a_thousand_tasks_mix_no_replies() {
    let server = RedisServer::start();
    let direct = raw(server.port(), 1);
    on_both(|| async {
        let cache = raw(server.port(), 3);
        fill(&cache, &keys(100)).await;
        let before = direct.stats().await.unwrap().connections;
        drop_at_random(&cache, 1000).await;
        let opened = direct.stats().await.unwrap().connections - before;
        assert_eq!(opened, 0, "a dropped future costs no connection");
    });
}

#[test]
fn reply_that_comes_after_its_deadline_is_dropped() {
    let server = RedisServer::start();
    let proxy = server.proxy();
    on_both(|| async {
        let keys = keys(2);
        fill(&raw(server.port(), 1), &keys).await;
        let cache = within(proxy.port(), 1, Duration::from_millis(100));
        while cache.get(&keys[0]).await.is_err() {}
        proxy.fail_reply_after(3, StreamFault::Hold);
        let late = cache.get(&keys[0]).await;
        assert!(is_late(&late), "{late:?}");
        proxy.release();
        let found = loop {
            match cache.get(&keys[1]).await {
                Ok(found) => break found,
                late => assert!(is_late(&late) || is_lost(&late), "{late:?}"),
            }
        };
        assert_eq!(found, Some(value(&keys[1])));
    });
}

#[test]
fn dropped_cache_closes_its_connections() {
    let server = RedisServer::start();
    let runtime = threads();
    runtime.block_on(async {
        let count = |info: &str| info.lines().count();
        let cache = raw(server.port(), 4);
        fill(&cache, &keys(50)).await;
        assert!(count(&server.cli(&["client", "list"])) > 3);
        drop(cache);
        // The list has `redis-cli` itself.
        while count(&server.cli(&["client", "list"])) > 1 {
            yield_now().await;
        }
    });
}

fn is_late<T>(done: &Result<T, RedisError>) -> bool {
    matches!(done, Err(RedisError::Net(NetError::TimedOut { .. })))
}

fn is_lost<T>(done: &Result<T, RedisError>) -> bool {
    matches!(done, Err(RedisError::Net(NetError::Lost { .. })))
}
