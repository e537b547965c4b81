//! Async operations over a cluster that are dropped at any point.

use crate::{
    at,
    fake::Fake,
    migration::{begin, end, move_keys},
    raw,
};
use ctu_std::{AsyncCache, AsyncRawRedisCache, RedisCache};
use ctu_tests::{
    blocking::{Blocking, RUNTIME},
    cancel::{assert_in_step, cancel, drop_at_random, drop_everywhere, fill, keys, poll_at_most},
    servers::RedisCluster,
};
use std::time::Duration;
use tokio::{runtime::Builder, task::yield_now};

fn tasks(cluster: &RedisCluster) -> AsyncRawRedisCache {
    let Blocking(cache) = raw(cluster);
    cache
}

#[test]
fn every_operation_may_be_dropped_at_every_poll() {
    let cluster = RedisCluster::start(3);
    RUNTIME.block_on(drop_everywhere(&tasks(&cluster)));
}

#[test]
fn first_request_for_the_map_may_be_dropped_at_every_poll() {
    let cluster = RedisCluster::start(3);
    RUNTIME.block_on(async {
        let keys = keys(3);
        fill(&tasks(&cluster), &keys).await;
        let get = async || drop(tasks(&cluster).get(&keys[0]).await);
        cancel(get, async || {}).await;
        // A refresh goes on without the caller that began it, and serves the next one.
        let cache = tasks(&cluster);
        assert!(poll_at_most(1, cache.get(&keys[0])).await.is_none());
        assert_in_step(&cache, &keys).await;
    });
}

#[test]
fn random_drops_while_slots_move_mix_no_replies() {
    let cluster = RedisCluster::start(3);
    let cache = tasks(&cluster);
    let keys = keys(100);
    RUNTIME.block_on(fill(&cache, &keys));
    let work = RUNTIME.spawn({
        let cache = cache.clone();
        async move { drop_at_random(&cache, 500).await }
    });
    for key in keys.iter().take(10) {
        let key = std::str::from_utf8(key).expect("text");
        let slot = cluster.slot(key);
        let own = |node: &usize| cluster.slots(*node).contains(&slot);
        let from = (0..3).find(own).expect("a node");
        let (slot, to) = (slot.to_string(), (from + 1) % 3);
        begin(&cluster, &slot, from, to);
        while move_keys(&cluster, &slot, from, to, "1") {}
        end(&cluster, &slot, from, to);
    }
    RUNTIME.block_on(async {
        work.await.expect("no fault");
        assert_in_step(&cache, &keys).await;
    });
}

#[test]
fn dropped_write_of_a_key_never_overtakes_a_later_one() {
    let cluster = RedisCluster::start(3);
    let cache = tasks(&cluster);
    RUNTIME.block_on(async {
        for round in 0..200_u32 {
            let key = (round % 7).to_le_bytes();
            let polls = 1 + round as usize % 3;
            poll_at_most(polls, cache.insert_entry(&key, b"old".to_vec(), None)).await;
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

/// A stopped runtime holds up no other for longer than the deadline of its request for the map.
#[test]
fn request_for_the_map_on_a_stopped_runtime_is_taken_over() {
    let cluster = RedisCluster::start(1);
    let builder = RedisCache::cluster(cluster.urls()).raw();
    let short = builder.deadline(Duration::from_millis(50));
    let cache = short.build_async().expect("good addresses");
    let stopped = Builder::new_current_thread().enable_all().build();
    let stopped = stopped.expect("a runtime");
    stopped.block_on(async {
        assert!(poll_at_most(1, cache.get(b"a")).await.is_none());
    });
    RUNTIME.block_on(async {
        while cache.get(b"a").await != Ok(None) {
            yield_now().await;
        }
    });
}

#[test]
fn operation_without_a_runtime_is_an_error() {
    let node = Fake::master(|_, _| "$-1\r\n".into());
    let Blocking(cache) = at([node.url()]);
    let mut get = std::pin::pin!(cache.get(b"a"));
    let done = ctu_tests::cancel::poll_now(1, get.as_mut()).expect("an end");
    let error = done.unwrap_err().to_string();
    assert!(error.contains("there is no tokio runtime"), "{error}");
}

#[test]
fn tasks_share_one_request_for_the_map() {
    let node = Fake::master(|_, _| "$-1\r\n".into());
    let Blocking(cache) = at([node.url()]);
    RUNTIME.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..100_u8 {
            let cache = cache.clone();
            tasks.spawn(async move { assert_eq!(cache.get(&[n]).await, Ok(None)) });
        }
        tasks.join_all().await;
    });
    assert_eq!(node.count("CLUSTER"), 1);
}
