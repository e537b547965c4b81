//! Tasks of one executor that share computations without a heap: `LocalSingleFlightCache`.

use ctu_core::{
    Cache, LocalAsyncCache, LocalAsyncCacheExt, LocalSingleFlightCache, LruCache, Ready,
};
use ctu_tests::{
    cancel::{cancel_everywhere, poll_now},
    step_cache::yield_once,
};
use std::{
    cell::{Cell, RefCell},
    future::pending,
    pin::pin,
};
use tokio::join;

type Store = RefCell<LruCache<u32, u32, 8>>;
type Tested = LocalSingleFlightCache<Ready<Store>, 4>;

fn new() -> Tested {
    LocalSingleFlightCache::new(Ready(RefCell::new(LruCache::new())))
}

fn peek(cache: &Tested, key: u32) -> Option<u32> {
    Cache::get(&cache.get_ref().0, &key).unwrap()
}

async fn slow(value: u32) -> u32 {
    yield_once().await;
    yield_once().await;
    value
}

#[tokio::test]
async fn three_tasks_compute_once() {
    let (cache, computed) = (new(), Cell::new(0));
    let make = || async {
        computed.set(computed.get() + 1);
        slow(7).await
    };
    let values = join!(
        cache.get_or_insert_with(&1, make),
        cache.get_or_insert_with(&1, make),
        cache.get_or_insert_with(&1, make),
    );
    assert_eq!(values, (Ok(7), Ok(7), Ok(7)));
    assert_eq!(computed.get(), 1);
    assert!(cache.has_single_flight());
}

#[tokio::test]
async fn different_keys_do_not_wait_for_each_other() {
    let cache = new();
    let mut stuck = pin!(cache.get_or_insert_with(&1, pending::<u32>));
    assert_eq!(poll_now(3, stuck.as_mut()), None);
    assert_eq!(cache.get_or_insert_with(&2, || slow(2)).await, Ok(2));
}

#[tokio::test]
async fn tasks_beyond_the_places_compute_concurrently() {
    let (cache, computed) = (new(), Cell::new(0));
    let make = || async {
        computed.set(computed.get() + 1);
        slow(7).await
    };
    let values = join!(
        cache.get_or_insert_with(&1, make),
        cache.get_or_insert_with(&1, make),
        cache.get_or_insert_with(&1, make),
        cache.get_or_insert_with(&1, make),
        cache.get_or_insert_with(&1, make),
        cache.get_or_insert_with(&1, make),
    );
    assert_eq!(values, (Ok(7), Ok(7), Ok(7), Ok(7), Ok(7), Ok(7)));
    assert_eq!(computed.get(), 3, "four tasks share, two have no place");
}

#[tokio::test]
async fn error_goes_to_its_task_and_the_next_computes() {
    let (cache, tried) = (new(), Cell::new(0));
    let make = || async {
        yield_once().await;
        tried.set(tried.get() + 1);
        match tried.get() {
            1 => Err("the first fails"),
            n => Ok(n),
        }
    };
    let (one, two, three) = join!(
        cache.get_or_try_insert_with(&1, make),
        cache.get_or_try_insert_with(&1, make),
        cache.get_or_try_insert_with(&1, make),
    );
    let results = [one, two, three].map(Result::unwrap);
    let failed = results.iter().filter(|result| result.is_err());
    assert_eq!((failed.count(), tried.get()), (1, 2), "{results:?}");
    assert_eq!(peek(&cache, 1), Some(2));
}

#[tokio::test]
async fn waiters_survive_every_drop_of_the_computing_future() {
    let polls = cancel_everywhere(
        async || new(),
        async |cache| cache.get_or_insert_with(&1, || slow(1)).await,
        async |cache, _| {
            let (one, other) = join!(
                cache.get_or_insert_with(&1, || slow(2)),
                cache.get_or_insert_with(&1, || slow(3)),
            );
            assert_eq!(one, other);
            assert_eq!(peek(cache, 1), one.ok());
        },
    )
    .await;
    assert_eq!(polls, 3);
}

#[tokio::test]
async fn turn_of_a_dropped_task_goes_to_the_longest_waiting_task() {
    let cache = new();
    let mut leader = Box::pin(cache.get_or_insert_with(&1, || slow(1)));
    let mut first = Box::pin(cache.get_or_insert_with(&1, || slow(2)));
    let mut second = pin!(cache.get_or_insert_with(&1, || slow(3)));
    let mut third = pin!(cache.get_or_insert_with(&1, || slow(4)));
    assert_eq!(poll_now(1, leader.as_mut()), None);
    assert_eq!(poll_now(1, first.as_mut()), None);
    assert_eq!(poll_now(1, second.as_mut()), None);
    assert_eq!(poll_now(1, third.as_mut()), None);
    drop(leader);
    // Its turn has come, and it is dropped before it is polled.
    drop(first);
    assert_eq!(join!(second, third), (Ok(3), Ok(3)));
    // Every place is free again.
    let values = join!(
        cache.get_or_insert_with(&2, || slow(5)),
        cache.get_or_insert_with(&2, || slow(6)),
        cache.get_or_insert_with(&2, || slow(7)),
        cache.get_or_insert_with(&2, || slow(8)),
    );
    let (one, two, three, four) = values;
    assert!(
        [two, three, four].iter().all(|value| *value == one),
        "{one:?}"
    );
}

#[tokio::test]
async fn value_computed_before_a_write_is_not_stored() {
    for polls in 1..4 {
        let cache = new();
        let mut early = pin!(cache.get_or_insert_with(&1, || slow(1)));
        let ended = poll_now(polls, early.as_mut());
        cache.insert(&1, 10u32).await.unwrap();
        cache.remove(&1).await.unwrap();
        if ended.is_none() {
            assert_eq!(early.await, Ok(1));
        }
        assert_eq!(peek(&cache, 1), None, "after {polls} polls");
    }
}

#[tokio::test]
async fn computation_of_its_own_key_does_not_wait_for_itself() {
    let cache = new();
    let outer = || async {
        yield_once().await;
        let inner = Box::pin(cache.get_or_insert_with(&1, || slow(1))).await;
        inner.unwrap() + 10
    };
    assert_eq!(cache.get_or_insert_with(&1, outer).await, Ok(11));
    assert_eq!(peek(&cache, 1), Some(11));
}
