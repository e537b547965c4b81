//! Recovery and refresh ahead in background tasks. The runtime's time is paused.

use crate::{Builder, builder, secs};
use ctu_core::heap::TtlCache;
use ctu_std::{AsyncCache, AsyncCacheExt, Clock, ConcurrentCache, TwoLevelCache};
use ctu_tests::step_cache::StepCache;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep},
};

fn resilient() -> Builder {
    builder().settle_time(secs(1)).resilient()
}

fn paused() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap()
}

/// The paused time of the runtime.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn task_replays_the_journal_after_an_outage() {
    let cache = resilient().build();
    cache.insert(&1, 1u32).await.unwrap();
    cache.second().set_down(true);
    cache.remove(&1).await.unwrap();
    sleep(secs(60)).await;
    assert_eq!(cache.stats().journal, 1);
    cache.second().set_down(false);
    sleep(secs(60)).await;
    assert_eq!(cache.stats().journal, 0);
    assert_eq!(cache.second().peek(1), None);
}

#[tokio::test(start_paused = true)]
async fn task_removes_the_entry_of_a_dropped_write() {
    let cache = resilient().build();
    cache.insert(&1, 1u32).await.unwrap();
    let dropped = ctu_tests::cancel::poll_at_most(2, cache.insert(&1, 2u32)).await;
    assert!(dropped.is_none());
    assert_eq!(cache.get(&1).await, Ok(None));
    sleep(secs(60)).await;
    assert_eq!(cache.stats().journal, 0);
    assert_eq!(cache.second().peek(1), None);
}

#[test]
fn recovery_goes_on_in_a_second_runtime() {
    let cache = resilient().build();
    paused().block_on(async {
        cache.second().set_down(true);
        cache.insert(&1, 1u32).await.unwrap();
        assert_eq!(cache.stats().journal, 1);
    });
    cache.second().set_down(false);
    paused().block_on(async {
        sleep(secs(60)).await;
        // The first runtime took the task with it; a read of the key starts another.
        cache.clear_first().unwrap();
        assert_eq!(cache.get(&1).await, Ok(None));
        sleep(secs(60)).await;
        assert_eq!(cache.stats().journal, 0);
    });
}

#[tokio::test(start_paused = true)]
async fn task_ends_with_its_cache() {
    let second = Arc::new(StepCache::default());
    let first = ConcurrentCache::<u32, u32>::with_capacity(10);
    let cache = TwoLevelCache::builder(first, Arc::clone(&second)).resilient();
    let cache = cache.build();
    second.set_down(true);
    cache.insert(&1, 1u32).await.unwrap();
    sleep(secs(1)).await;
    drop(cache);
    sleep(secs(1)).await;
    assert_eq!(Arc::strong_count(&second), 1);
}

#[tokio::test(start_paused = true)]
async fn entry_with_little_time_left_is_refreshed_in_a_task() {
    let clock = Paused(Instant::now());
    let first = TtlCache::<u32, u32, _>::with_capacity(10, secs(10), clock);
    let computed = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&computed);
    let cache = TwoLevelCache::builder(first, StepCache::default())
        .refresh_ahead(0.5, move |key| {
            let count = Arc::clone(&count);
            async move {
                sleep(secs(1)).await;
                count.fetch_add(1, SeqCst);
                Some(key + 100)
            }
        })
        .build();
    cache.insert(&1, 1u32).await.unwrap();
    sleep(secs(4)).await;
    assert_eq!(cache.get(&1).await, Ok(Some(1)));
    sleep(secs(2)).await;
    assert_eq!(computed.load(SeqCst), 0, "it is not due");
    for _ in 0..3 {
        assert_eq!(cache.get(&1).await, Ok(Some(1)), "a read does not wait");
    }
    sleep(secs(2)).await;
    assert_eq!(computed.load(SeqCst), 1);
    assert_eq!(cache.get(&1).await, Ok(Some(101)));
    assert_eq!(cache.second().peek(1), Some(101));
}

#[tokio::test(start_paused = true)]
async fn due_keys_are_refreshed_by_one_computation_and_one_write_in_a_task() {
    let clock = Paused(Instant::now());
    let first = TtlCache::<u32, u32, _>::with_capacity(10, secs(10), clock);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&calls);
    let cache = TwoLevelCache::builder(first, StepCache::default())
        .refresh_ahead_many(0.5, move |keys: Vec<u32>| {
            log.lock().unwrap().push(keys.clone());
            async move {
                sleep(secs(1)).await;
                // The last key has no value any more.
                let value = |key: &u32| (*key != 3).then_some(key + 100);
                keys.iter().map(value).collect()
            }
        })
        .build();
    let entries = vec![(&1, 1), (&2, 2), (&3, 3)];
    cache.insert_many(entries, None).await.unwrap();
    sleep(secs(6)).await;
    let asked = cache.second().asked();
    let read = cache.get_many(&[&1, &2, &3]).await;
    assert_eq!(read, Ok(vec![Some(1), Some(2), Some(3)]));
    sleep(secs(2)).await;
    assert_eq!(*calls.lock().unwrap(), [[1, 2, 3]]);
    assert_eq!(cache.second().asked(), asked + 1);
    let stored = [1, 2, 3].map(|key| cache.second().peek(key));
    assert_eq!(stored, [Some(101), Some(102), Some(3)]);
    let read = cache.get_many(&[&1, &2]).await;
    assert_eq!(read, Ok(vec![Some(101), Some(102)]));
}

#[tokio::test(start_paused = true)]
async fn refresh_at_the_hard_limit_stores_nothing() {
    let clock = Paused(Instant::now());
    let first = TtlCache::<u32, u32, _>::with_capacity(10, secs(10), clock);
    let cache = TwoLevelCache::builder(first, StepCache::default())
        .hard_limit(secs(1))
        .refresh_ahead_many(0.5, move |keys: Vec<u32>| async move {
            sleep(secs(2)).await;
            keys.iter().map(|key| Some(key + 100)).collect()
        })
        .build();
    cache.insert(&1, 1u32).await.unwrap();
    sleep(secs(6)).await;
    assert_eq!(cache.get(&1).await, Ok(Some(1)));
    sleep(secs(3)).await;
    assert_eq!(
        (cache.second().peek(1), cache.stats().refreshes),
        (Some(1), 0)
    );
}
