//! Soft and hard limits of a computation. The runtime's time is paused.

use crate::{Builder, builder, secs};
use ctu_std::{AsyncCache, AsyncCacheExt, Cache, TwoLevelError};
use ctu_tests::cancel::poll_at_most;
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};
use tokio::{
    join,
    time::{Instant, sleep},
};

async fn take(seconds: u64, value: u32) -> u32 {
    sleep(secs(seconds)).await;
    value
}

fn with_limits() -> Builder {
    let builder = builder().grace(secs(1_000), 10);
    builder.soft_limit(secs(1)).hard_limit(secs(10))
}

#[tokio::test(start_paused = true)]
async fn stale_value_is_returned_at_the_soft_limit_and_the_computation_goes_on() {
    let cache = with_limits().build();
    cache.insert(&1, 1u32).await.unwrap();
    // Both levels have lost it.
    Cache::remove(cache.first(), &1).unwrap();
    AsyncCache::remove(cache.second(), &1).await.unwrap();
    let began = Instant::now();
    assert_eq!(cache.get_or_spawn_with(&1, || take(5, 2)).await, Ok(1));
    assert_eq!(began.elapsed(), secs(1));
    assert_eq!(cache.stats().stale, 1);
    sleep(secs(5)).await;
    assert_eq!(cache.get(&1).await, Ok(Some(2)));
}

#[tokio::test(start_paused = true)]
async fn without_a_stale_value_the_caller_waits_for_the_computation() {
    let cache = with_limits().build();
    assert_eq!(cache.get_or_spawn_with(&1, || take(5, 2)).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn computation_is_stopped_at_the_hard_limit() {
    let cache = with_limits().build();
    let began = Instant::now();
    let stopped = cache.get_or_insert_with(&1, pending::<u32>).await;
    assert!(matches!(stopped, Err(TwoLevelError::ComputationStopped)));
    assert_eq!(began.elapsed(), secs(10));
    let stopped = cache.get_or_spawn_with(&1, pending::<u32>).await;
    assert!(matches!(stopped, Err(TwoLevelError::ComputationStopped)));
    assert_eq!(cache.get_or_insert_with(&1, || take(1, 3)).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn spawned_computation_outlives_its_caller() {
    let cache = with_limits().build();
    let dropped = poll_at_most(1, cache.get_or_spawn_with(&1, || take(5, 2))).await;
    assert!(dropped.is_none());
    sleep(secs(6)).await;
    assert_eq!(cache.get(&1).await, Ok(Some(2)));
}

#[tokio::test(start_paused = true)]
async fn callers_share_a_spawned_computation_and_its_error() {
    let (cache, computed) = (with_limits().build(), Arc::new(AtomicU32::new(0)));
    let make = || {
        let computed = Arc::clone(&computed);
        move || {
            let computed = Arc::clone(&computed);
            async move {
                computed.fetch_add(1, SeqCst);
                take(2, 7).await
            }
        }
    };
    let (one, other) = join!(
        cache.get_or_spawn_with(&1, make()),
        cache.get_or_spawn_with(&1, make()),
    );
    assert_eq!((one, other), (Ok(7), Ok(7)));
    assert_eq!(computed.load(SeqCst), 1);
    let failed = cache.get_or_try_spawn_with(&2, || async { Err::<u32, _>("no value") });
    assert_eq!(failed.await, Ok(Err("no value")));
}

#[tokio::test]
async fn computation_borrows_from_its_caller() {
    let (cache, word) = (builder().build(), String::from("seven"));
    let mut computed = 0;
    let value = cache.get_or_insert_with(&1, || {
        computed += 1;
        let word = &word;
        async move { word.len() as u32 }
    });
    assert_eq!((value.await, computed), (Ok(5), 1));
}
