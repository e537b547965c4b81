//! Futures that are dropped at any point.

use crate::{on_both, raw, threads, within};
use ctu_std::{AsyncCache, AsyncRawRedisCache, NetError, RedisError};
use ctu_tests::{
    cancel::{cancel_everywhere, poll_at_most},
    proxy::{Fault, Proxy},
    servers::RedisServer,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::Duration;
use tokio::task::{JoinSet, yield_now};

/// The value of a key: one that no other key has.
fn value(key: &[u8]) -> Vec<u8> {
    key.repeat(5)
}

fn keys(count: u32) -> Vec<Vec<u8>> {
    (0..count)
        .map(|n| format!("key {n}").into_bytes())
        .collect()
}

async fn fill(cache: &AsyncRawRedisCache, keys: &[Vec<u8>]) {
    let entries = keys.iter().map(|key| (&**key, value(key))).collect();
    cache.insert_many(entries, None).await.unwrap();
}

/// Asserts that each reply is that to its own request.
async fn assert_in_step(cache: &AsyncRawRedisCache, keys: &[Vec<u8>]) {
    for key in keys {
        assert_eq!(cache.get(key).await, Ok(Some(value(key))));
    }
    let all: Vec<&[u8]> = keys.iter().map(|key| &**key).collect();
    let expected = keys.iter().map(|key| Some(value(key))).collect();
    assert_eq!(cache.get_many(&all).await, Ok(expected));
}

/// Drops the future of `operation` after each number of polls, and runs `check` after each. Returns
/// the number of polls that end it.
async fn cancel(operation: impl AsyncFn(), check: impl AsyncFn()) -> usize {
    let operation = async |_: &()| operation().await;
    cancel_everywhere(async || (), operation, async |_, _| check().await).await
}

#[test]
fn every_operation_may_be_dropped_at_every_poll() {
    let server = RedisServer::start();
    on_both(|| async {
        let (cache, keys) = (&raw(server.port(), 2), &keys(8));
        fill(cache, keys).await;
        let check = async || assert_in_step(cache, keys).await;
        let key = &*keys[0];
        let many = || keys.iter().map(|key| &**key).collect::<Vec<_>>();
        let entries = || keys.iter().map(|key| (&**key, value(key))).collect();
        let polls = [
            cancel(async || drop(cache.get(key).await), check).await,
            cancel(async || drop(cache.get_with_ttl(key).await), check).await,
            cancel(async || drop(cache.contains(key).await), check).await,
            cancel(
                async || drop(cache.insert_entry(key, value(key), None).await),
                check,
            )
            .await,
            cancel(async || drop(cache.remove(b"none").await), check).await,
            cancel(async || drop(cache.pop(b"none").await), check).await,
            cancel(async || drop(cache.len().await), check).await,
            cancel(async || drop(cache.get_many(&many()).await), check).await,
            cancel(async || drop(cache.get_many_with_ttl(&many()).await), check).await,
            cancel(async || drop(cache.remove_many(&[b"x", b"y"]).await), check).await,
            cancel(
                async || drop(cache.insert_many(entries(), None).await),
                check,
            )
            .await,
            cancel(async || drop(cache.retain(|_| true).await), check).await,
        ];
        assert!(polls.iter().all(|polls| *polls >= 2), "{polls:?}");
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
        let keys = keys(100);
        fill(&cache, &keys).await;
        let before = direct.stats().await.unwrap().connections;
        let mut tasks = JoinSet::new();
        for task in 0..1000_u64 {
            let (cache, keys) = (cache.clone(), keys.clone());
            tasks.spawn(async move {
                let mut random = StdRng::seed_from_u64(task);
                let mut dropped = 0;
                for _ in 0..20 {
                    let key = &keys[random.random_range(0..keys.len())];
                    let polls = match random.random_range(0..10) {
                        0 => random.random_range(1..3),
                        _ => usize::MAX,
                    };
                    match random.random_range(0..4) {
                        0 => {
                            let insert = cache.insert_entry(key, value(key), None);
                            match poll_at_most(polls, insert).await {
                                Some(done) => done.unwrap(),
                                None => dropped += 1,
                            }
                        }
                        1 => {
                            let none: &[u8] = b"none";
                            let keys = [&**key, none];
                            match poll_at_most(polls, cache.get_many(&keys)).await {
                                Some(found) => assert_eq!(found, Ok(vec![Some(value(key)), None])),
                                None => dropped += 1,
                            }
                        }
                        _ => match poll_at_most(polls, cache.get(key)).await {
                            Some(found) => assert_eq!(found, Ok(Some(value(key)))),
                            None => dropped += 1,
                        },
                    }
                }
                dropped
            });
        }
        let dropped: usize = tasks.join_all().await.into_iter().sum();
        assert!(dropped > 500, "{dropped}");
        let opened = direct.stats().await.unwrap().connections - before;
        assert_eq!(opened, 0, "a dropped future costs no connection");
    });
}

#[test]
fn reply_that_comes_after_its_deadline_is_dropped() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    on_both(|| async {
        let keys = keys(2);
        fill(&raw(server.port(), 1), &keys).await;
        let cache = within(proxy.port(), 1, Duration::from_millis(100));
        while cache.get(&keys[0]).await.is_err() {}
        proxy.fail_after(3, Fault::Hold);
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
        assert!(count(&server.cli(&["client", "list"])) > 4);
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
