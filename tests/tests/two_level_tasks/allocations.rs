//! Paths without an allocation.

use crate::{builder, resilient};
use ctu_std::{AsyncCache, AsyncCacheExt, ConcurrentCache, Ready, SingleFlightCache, StatsCache};
use ctu_tests::{allocations, cancel::poll_now};
use std::pin::pin;

/// Runs `hits` once to fill the memory of the thread, and then asserts that it allocates nothing.
fn assert_no_allocation(mut hits: impl FnMut()) {
    hits();
    let before = allocations::count();
    hits();
    assert_eq!(allocations::count() - before, 0);
}

/// All operations that a hit answers.
fn hit(cache: &impl AsyncCache<Key = u32, Value = u32>) {
    for _ in 0..10 {
        let found = poll_now(1, pin!(cache.get(&1)));
        assert_eq!(found.and_then(Result::ok), Some(Some(1)));
        let found = poll_now(1, pin!(cache.contains(&1)));
        assert_eq!(found.and_then(Result::ok), Some(true));
        let found = poll_now(1, pin!(cache.get_with_ttl(&1)));
        assert!(matches!(found, Some(Ok(Some((1, None))))));
        let made = cache.get_or_insert_with(&1, || async { 2_u32 });
        assert_eq!(poll_now(1, pin!(made)).and_then(Result::ok), Some(1));
    }
}

#[tokio::test]
async fn async_hit_allocates_nothing() {
    let plain = builder().build();
    let (resilient, _clock) = resilient();
    let memory = Ready(ConcurrentCache::<u32, u32>::with_capacity(100));
    let shared = SingleFlightCache::new(StatsCache::new(&memory));
    plain.insert(&1, 1u32).await.unwrap();
    resilient.insert(&1, 1u32).await.unwrap();
    memory.insert(&1, 1u32).await.unwrap();
    assert_no_allocation(|| hit(&plain));
    assert_no_allocation(|| hit(&resilient));
    assert_no_allocation(|| hit(&shared));
}

/// The allocator does count.
#[test]
fn allocation_is_counted() {
    let before = allocations::count();
    drop(std::hint::black_box(vec![1u8]));
    assert_eq!(allocations::count() - before, 1);
}
