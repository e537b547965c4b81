//! Two levels over async Redis: outages, and randomly dropped futures of tasks.

use crate::{on_both, threads};
use ctu_std::{
    AsyncCache, AsyncCacheExt, AsyncPrefixedRedisCache, AsyncRedisCache, BreakerState,
    ConcurrentCache, IsAsync, RedisCache, TrackingState, TwoLevelCache,
};
use ctu_tests::{cancel::poll_at_most, servers::RedisServer};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{join, task::JoinSet};

type First = ConcurrentCache<String, String>;
type Tested = TwoLevelCache<First, AsyncRedisCache<str, String>, IsAsync>;

const SETTLE: Duration = Duration::from_millis(100);

fn two_levels(port: u16) -> Tested {
    let builder = RedisCache::builder(format!("redis://127.0.0.1:{port}"));
    let builder = builder.deadline(Duration::from_secs(5));
    let second = builder.build_async().expect("a good address");
    let pause = Duration::from_millis(20);
    TwoLevelCache::builder(First::with_capacity(1_000), second)
        .open_for(pause, pause)
        .settle_time(SETTLE)
        .resilient()
        .build()
}

/// Waits until the background task has replayed the journal.
async fn recovered(cache: &Tested) {
    while cache.stats().journal > 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn async_two_levels_recover_from_an_outage() {
    let server = Mutex::new(RedisServer::start());
    on_both(|| async {
        let cache = two_levels(server.lock().unwrap().port());
        cache.insert("k", "old").await.unwrap();
        assert!(cache.second().contains("k").await.unwrap());
        server.lock().unwrap().kill();
        cache.remove("k").await.unwrap();
        assert_eq!(cache.get("k").await, Ok(None));
        cache.insert("other", "kept").await.unwrap();
        assert_eq!(cache.get("other").await, Ok(Some("kept".into())));
        assert_eq!(cache.stats().journal, 2);
        let made = cache.get_or_insert_with("made", || async { "value" }).await;
        assert_eq!(made.as_deref(), Ok("value"));
        server.lock().unwrap().start_again();
        recovered(&cache).await;
        assert_eq!(cache.second().get("k").await, Ok(None));
        cache.insert("k", "new").await.unwrap();
        cache.clear_first().unwrap();
        assert_eq!(cache.get("k").await, Ok(Some("new".into())));
        assert_eq!(cache.stats().breaker, BreakerState::Closed);
    });
}

#[test]
fn dropped_futures_show_no_older_value_and_open_no_breaker() {
    const KEYS: u32 = 40;
    let server = RedisServer::start();
    let last = Arc::new(AtomicU32::new(0));
    threads().block_on(async {
        let cache = Arc::new(two_levels(server.port()));
        let mut tasks = JoinSet::new();
        for key in 0..KEYS {
            let (cache, last) = (Arc::clone(&cache), Arc::clone(&last));
            tasks.spawn(async move {
                let name = format!("key {key}");
                let mut random = StdRng::seed_from_u64(key.into());
                // The least number that a read of this key may find.
                let mut least = 0;
                for _ in 0..200 {
                    // One operation in ten is dropped.
                    let polls = match random.random_ratio(1, 10) {
                        true => random.random_range(1..4),
                        false => usize::MAX,
                    };
                    match random.random_range(0..4) {
                        0 => {
                            let number = last.fetch_add(1, SeqCst) + 1;
                            let value = format!("{name} {number}");
                            let write = cache.insert(&name, value);
                            if let Some(written) = poll_at_most(polls, write).await {
                                written.unwrap();
                            }
                            least = number;
                        }
                        1 => {
                            if let Some(removed) = poll_at_most(polls, cache.remove(&name)).await {
                                removed.unwrap();
                            }
                            least = last.load(SeqCst) + 1;
                        }
                        2 => {
                            let number = last.fetch_add(1, SeqCst) + 1;
                            let make = || async { format!("{name} {number}") };
                            let made = cache.get_or_insert_with(&name, make);
                            if let Some(made) = poll_at_most(polls, made).await {
                                check(&name, &made.unwrap(), least);
                            }
                        }
                        _ => {
                            let found = poll_at_most(polls, cache.get(&name)).await;
                            if let Some(found) = found.and_then(Result::unwrap) {
                                check(&name, &found, least);
                            }
                        }
                    }
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        let stats = cache.stats();
        assert!(stats.dropped > 0, "{stats}");
        assert_eq!((stats.opened, stats.errors), (0, 0), "{stats}");
        recovered(&cache).await;
        for key in 0..KEYS {
            let name = format!("key {key}");
            let (first, second) = join!(cache.get(&name), cache.second().get(&name));
            let (first, second) = (first.unwrap(), second.unwrap());
            // The replay of a dropped write may have deleted a later value at the second level.
            let differ = first.is_some() && second.is_some() && first != second;
            assert!(!differ, "{first:?} {second:?}");
        }
    });
}

/// The value is of the key, and not older than the last write.
fn check(name: &str, value: &str, least: u32) {
    let number = value.strip_prefix(name).expect("a value of another key");
    let number: u32 = number.trim().parse().unwrap();
    assert!(number >= least, "{value}, after {least}");
}

#[test]
fn async_first_level_follows_writes_of_other_programs() {
    let server = RedisServer::start();
    on_both(|| async {
        let builder = RedisCache::builder(server.url()).prefix("app.");
        let second: AsyncPrefixedRedisCache<str, u64> = builder.build_async().unwrap();
        let first = ConcurrentCache::<String, u64>::with_capacity(100);
        let cache: TwoLevelCache<_, _, IsAsync> = TwoLevelCache::builder(first, second)
            .invalidation_bound(Duration::from_secs(1))
            .build();
        server.cli(&["set", "app.k", "1"]);
        assert_eq!(cache.get("k").await, Ok(Some(1)));
        while cache.stats().tracking != TrackingState::Subscribed {
            tokio::task::yield_now().await;
        }
        while cache.get_first("k").unwrap().is_none() {
            assert_eq!(cache.get("k").await, Ok(Some(1)));
        }
        server.cli(&["set", "app.k", "2"]);
        while cache.get("k").await != Ok(Some(2)) {
            tokio::task::yield_now().await;
        }
        server.cli(&["client", "kill", "type", "pubsub"]);
        while cache.stats().unsubscribed == 0 || cache.stats().tracking != TrackingState::Subscribed
        {
            cache.get("k").await.unwrap();
            tokio::task::yield_now().await;
        }
        server.cli(&["flushall"]);
        while cache.get("k").await != Ok(None) {
            tokio::task::yield_now().await;
        }
    });
}
