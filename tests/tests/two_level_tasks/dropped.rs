//! Futures that are dropped at every await.

use crate::{Tested, builder, recover, resilient, secs, slow};
use ctu_std::{AsyncCache, AsyncCacheExt, BreakerState, Cache, ManualClock};
use ctu_tests::cancel::{cancel_everywhere, poll_now};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};
use tokio::join;

const OPERATIONS: usize = 14;

async fn run(cache: &Tested, operation: usize) {
    let result = match operation {
        0 => cache.get(&1).await.map(drop),
        1 => cache.contains(&1).await.map(drop),
        2 => cache.get_many(&[&1, &2]).await.map(drop),
        3 => cache.insert(&1, 10u32).await,
        4 => cache.insert_many(vec![(&1, 10), (&2, 20)], None).await,
        5 => cache.remove(&1).await.map(drop),
        6 => cache.remove_many(&[&1, &2]).await.map(drop),
        7 => cache.clear().await,
        8 => cache.get_or_insert_with(&1, || slow(10)).await.map(drop),
        9 => cache.get_with_ttl(&1).await.map(drop),
        10 => cache.get_many_with_ttl(&[&1, &2]).await.map(drop),
        11 => cache.pop(&1).await.map(drop),
        12 => cache.retain(|key| *key != 1).await,
        _ => {
            let fails = || async {
                slow(0).await;
                Err::<u32, _>("no value")
            };
            cache.get_or_try_insert_with(&1, fails).await.map(drop)
        }
    };
    result.unwrap();
}

/// Whether the first level has the second's value at `key`, or none.
fn levels_agree(cache: &Tested, key: u32) -> bool {
    let first = Cache::get(cache.first(), &key).unwrap();
    first.is_none() || first == cache.second().peek(key)
}

async fn with_old_values() -> (Tested, Arc<ManualClock>) {
    let (cache, clock) = resilient();
    cache.insert(&1, 1u32).await.unwrap();
    cache.insert(&2, 2u32).await.unwrap();
    (cache, clock)
}

#[tokio::test]
async fn first_level_keeps_no_value_that_a_dropped_write_may_have_replaced() {
    for operation in 0..OPERATIONS {
        for in_first_level in [true, false] {
            let polls = cancel_everywhere(
                async || {
                    let (cache, clock) = with_old_values().await;
                    if !in_first_level {
                        cache.clear_first().unwrap();
                    }
                    (cache, clock)
                },
                async |(cache, _)| run(cache, operation).await,
                async |(cache, clock), _| {
                    assert!(levels_agree(cache, 1) && levels_agree(cache, 2));
                    for key in [1, 2] {
                        let found = cache.get(&key).await.unwrap();
                        assert!(found.is_none() || found == cache.second().peek(key));
                    }
                    recover(cache, clock).await;
                    assert!(levels_agree(cache, 1) && levels_agree(cache, 2));
                    assert_eq!(cache.stats().breaker, BreakerState::Closed);
                    // No later operation hangs, and the keys are trusted again.
                    cache.insert(&1, 30u32).await.unwrap();
                    cache.clear_first().unwrap();
                    assert_eq!(cache.get(&1).await, Ok(Some(30)));
                },
            )
            .await;
            let hit = in_first_level && [0, 1, 2, 8, 9, 10, 13].contains(&operation);
            assert!(hit == (polls == 1), "operation {operation}: {polls} polls");
        }
    }
}

#[tokio::test]
async fn dropped_recovery_is_continued_by_a_later_one() {
    let polls = cancel_everywhere(
        async || {
            let (cache, clock) = with_old_values().await;
            cache.second().set_down(true);
            cache.remove(&1).await.unwrap();
            cache.second().set_down(false);
            clock.advance(secs(6));
            (cache, clock)
        },
        async |(cache, _)| {
            cache.recover().await;
        },
        async |(cache, clock), _| {
            recover(cache, clock).await;
            assert_eq!(cache.second().peek(1), None);
            assert_eq!(cache.get(&1).await, Ok(None));
        },
    )
    .await;
    assert!(polls > 1, "{polls}");
}

#[tokio::test]
async fn dropped_write_of_a_plain_cache_is_forgotten_by_the_first_level() {
    for polls in 1..4 {
        let cache = builder().build();
        cache.insert(&1, 1u32).await.unwrap();
        let ended = {
            let mut write = pin!(cache.insert(&1, 2u32));
            poll_now(polls, write.as_mut())
        };
        assert!(levels_agree(&cache, 1), "after {polls} polls");
        assert_eq!(ended.is_some(), polls == 3);
    }
}

#[tokio::test]
async fn callers_that_hang_up_do_not_open_the_breaker() {
    let (cache, clock) = resilient();
    for _ in 0..100 {
        let mut read = Box::pin(cache.get(&1));
        assert_eq!(poll_now(1, read.as_mut()), None);
        clock.advance(secs(1));
        drop(read);
    }
    let stats = cache.stats();
    assert_eq!((stats.breaker, stats.dropped), (BreakerState::Closed, 100));
    assert_eq!(stats.opened, 0);
    cache.insert(&1, 1u32).await.unwrap();
    cache.clear_first().unwrap();
    assert_eq!(cache.get(&1).await, Ok(Some(1)));
}

#[tokio::test]
async fn dropped_probe_is_followed_by_another() {
    let (cache, clock) = resilient();
    cache.second().set_down(true);
    for _ in 0..2 {
        assert_eq!(cache.get(&1).await, Ok(None));
    }
    assert_eq!(cache.stats().breaker, BreakerState::Open);
    cache.second().set_down(false);
    clock.advance(secs(2));
    let mut probe = Box::pin(cache.get(&1));
    assert_eq!(poll_now(1, probe.as_mut()), None);
    assert_eq!(cache.stats().breaker, BreakerState::Probing);
    drop(probe);
    assert_eq!(cache.get(&1).await, Ok(None));
    assert_eq!(cache.stats().breaker, BreakerState::Closed);
}

#[tokio::test]
async fn hit_in_the_first_level_is_ready_at_the_first_poll() {
    let (cache, _) = with_old_values().await;
    cache.second().set_down(true);
    assert_eq!(poll_now(1, pin!(cache.get(&1))), Some(Ok(Some(1))));
    assert_eq!(poll_now(1, pin!(cache.contains(&1))), Some(Ok(true)));
    let computed = cache.get_or_insert_with(&1, || slow(5));
    assert_eq!(poll_now(1, pin!(computed)), Some(Ok(1)));
}

#[tokio::test]
async fn tasks_share_a_computation_whose_future_may_be_dropped() {
    let polls = cancel_everywhere(
        async || builder().build(),
        async |cache| cache.get_or_insert_with(&1, || slow(1)).await,
        async |cache, _| {
            let (one, other) = join!(
                cache.get_or_insert_with(&1, || slow(2)),
                cache.get_or_insert_with(&1, || slow(3)),
            );
            assert_eq!(one, other);
            assert!(levels_agree(cache, 1));
        },
    )
    .await;
    assert!(polls > 6, "{polls}");
}

#[tokio::test]
async fn failed_computation_leaves_its_error_to_the_caller() {
    let cache = builder().build();
    let failed = cache.get_or_try_insert_with(&1, || async { Err::<u32, _>("no value") });
    assert_eq!(failed.await, Ok(Err("no value")));
    assert_eq!(cache.get_or_insert_with(&1, || slow(1)).await, Ok(1));
}

#[tokio::test]
async fn clone_is_a_handle_of_the_same_cache() {
    let cache = builder().build();
    let handle = cache.clone();
    handle.insert(&1, 1u32).await.unwrap();
    assert_eq!(cache.get(&1).await, Ok(Some(1)));
    let computed = AtomicU32::new(0);
    let make = || async {
        computed.fetch_add(1, SeqCst);
        slow(2).await
    };
    let (one, other) = join!(
        cache.get_or_insert_with(&2, make),
        handle.get_or_insert_with(&2, make),
    );
    assert_eq!((one, other, computed.into_inner()), (Ok(2), Ok(2), 1));
}
