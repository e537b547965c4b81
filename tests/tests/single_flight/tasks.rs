//! Tasks that share computations: `SingleFlightCache` over an async cache.

use ctu_std::{
    AsyncCache, AsyncCacheExt, ConcurrentCache, IsAsync, Mapped, Prefix, Ready, SingleFlightCache,
    StatsCache,
};
use ctu_tests::{
    cancel::{cancel_everywhere, poll_now},
    step_cache::{StepCache, yield_once},
};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{join, task::JoinSet};

type Tested = SingleFlightCache<StepCache, IsAsync>;

fn new() -> Tested {
    SingleFlightCache::new(StepCache::default())
}

async fn slow(value: u32) -> u32 {
    for _ in 0..3 {
        yield_once().await;
    }
    value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_task_computes_for_all() {
    let (cache, computed) = (Arc::new(new()), Arc::new(AtomicU32::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..1_000 {
        let (cache, computed) = (Arc::clone(&cache), Arc::clone(&computed));
        tasks.spawn(async move {
            let make = || async {
                computed.fetch_add(1, SeqCst);
                slow(7).await
            };
            cache.get_or_insert_with(&1, make).await
        });
    }
    let values = tasks.join_all().await;
    assert!(values.iter().all(|value| *value == Ok(7)));
    assert_eq!(computed.load(SeqCst), 1);
}

#[tokio::test]
async fn one_computation_a_key_through_wrappers() {
    let inner = SingleFlightCache::new(Ready(ConcurrentCache::<String, u32>::with_capacity(10)));
    let cache = StatsCache::new(Mapped::with_mapping(inner, Prefix::new("p.")));
    assert!(cache.has_single_flight());
    let (one, other) = join!(
        cache.get_or_insert_with("k", || slow(1)),
        cache.get_or_insert_with("k", || slow(2)),
    );
    assert_eq!((one, other), (Ok(1), Ok(1)));
    // A cache with a prefix cannot count its own entries.
    assert_eq!(cache.stats_async().await.unwrap().size, None);
}

#[tokio::test]
async fn waiter_computes_after_the_future_that_computed_is_dropped() {
    // Polled just enough to begin the computation: the look, and the look under the flight.
    for polls in 1..20 {
        let cache = new();
        let mut leader = Box::pin(cache.get_or_insert_with(&1, || slow(1)));
        if poll_now(polls, leader.as_mut()).is_some() {
            assert!(polls > 5, "{polls}");
            break;
        }
        let mut waiter = pin!(cache.get_or_insert_with(&1, || slow(2)));
        let found = poll_now(4, waiter.as_mut());
        drop(leader);
        let value = match found {
            Some(found) => found.unwrap(),
            None => waiter.await.unwrap(),
        };
        assert!(value == 2 || cache.get_ref().peek(1) == Some(1), "{value}");
    }
}

#[tokio::test]
async fn turn_of_a_dropped_waiter_goes_to_the_next() {
    let cache = new();
    let mut leader = Box::pin(cache.get_or_insert_with(&1, || slow(1)));
    assert_eq!(poll_now(4, leader.as_mut()), None);
    let mut first = Box::pin(cache.get_or_insert_with(&1, || slow(2)));
    let mut second = pin!(cache.get_or_insert_with(&1, || slow(3)));
    assert_eq!(poll_now(4, first.as_mut()), None);
    assert_eq!(poll_now(4, second.as_mut()), None);
    drop(leader);
    // It was woken, and is dropped before it is polled.
    drop(first);
    assert_eq!(second.await, Ok(3));
}

async fn run(cache: &Tested, operation: usize) {
    let _ = match operation {
        0 => cache.get_or_insert_with(&1, || slow(1)).await.map(drop),
        1 => cache.insert(&1, 2u32).await,
        2 => cache.remove(&1).await.map(drop),
        3 => cache.clear().await,
        4 => cache.insert_many(vec![(&1, 3), (&2, 4)], None).await,
        5 => cache.remove_many(&[&1, &2]).await.map(drop),
        6 => cache.pop(&1).await.map(drop),
        7 => cache.retain(|key| *key != 1).await,
        8 => cache.get(&1).await.map(drop),
        9 => cache.get_with_ttl(&1).await.map(drop),
        10 => cache.contains(&1).await.map(drop),
        11 => cache.get_many(&[&1, &2]).await.map(drop),
        12 => cache.get_many_with_ttl(&[&1, &2]).await.map(drop),
        _ => cache.len().await.map(drop),
    };
}

#[tokio::test]
async fn dropped_operations_block_no_later_one() {
    for operation in 0..14 {
        let polls = cancel_everywhere(
            async || new(),
            async |cache| run(cache, operation).await,
            async |cache, _| {
                cache.remove(&1).await.unwrap();
                assert_eq!(cache.get_or_insert_with(&1, || slow(9)).await, Ok(9));
                assert_eq!(cache.get_ref().peek(1), Some(9), "it is stored");
                cache.clear().await.unwrap();
                assert_eq!(cache.get(&1).await, Ok(None));
            },
        )
        .await;
        assert!(polls >= 3, "{polls}");
    }
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
            assert_eq!(cache.get_ref().peek(1), one.ok());
        },
    )
    .await;
    assert!(polls > 8, "{polls}");
}

#[tokio::test]
async fn failed_computation_is_tried_by_the_next_waiter() {
    let (cache, tried) = (new(), AtomicU32::new(0));
    let make = || async {
        slow(0).await;
        match tried.fetch_add(1, SeqCst) {
            0 => Err("the first fails"),
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
    assert_eq!((failed.count(), tried.into_inner()), (1, 2), "{results:?}");
}

#[tokio::test]
async fn computation_of_its_own_key_does_not_wait_for_itself() {
    let cache = new().with_wait_limit(Duration::MAX);
    let outer = || async {
        let inner = cache.get_or_insert_with(&1, || slow(1)).await;
        inner.unwrap() + 10
    };
    assert_eq!(cache.get_or_insert_with(&1, outer).await, Ok(11));
    // Two parts of one computation share the value of another key.
    let computed = AtomicU32::new(0);
    let other = || async {
        computed.fetch_add(1, SeqCst);
        slow(5).await
    };
    let both = || async {
        let (one, two) = join!(
            cache.get_or_insert_with(&3, other),
            cache.get_or_insert_with(&3, other),
        );
        one.unwrap() + two.unwrap()
    };
    assert_eq!(cache.get_or_insert_with(&2, both).await, Ok(10));
    assert_eq!(computed.load(SeqCst), 1);
}

#[tokio::test]
async fn waiter_at_its_limit_computes_beside_the_other() {
    let cache = new().with_wait_limit(Duration::ZERO);
    let mut stuck = pin!(cache.get_or_insert_with(&1, std::future::pending::<u32>));
    assert_eq!(poll_now(6, stuck.as_mut()), None);
    assert_eq!(cache.get_or_insert_with(&1, || slow(2)).await, Ok(2));
    assert_eq!(cache.get(&1).await, Ok(Some(2)));
}

#[tokio::test]
async fn value_computed_before_a_write_is_not_stored() {
    for polls in 0..12 {
        // A write does not wait for a future that is not polled.
        let cache = new().with_wait_limit(Duration::ZERO);
        let mut early = pin!(cache.get_or_insert_with(&1, || slow(1)));
        let ended = poll_now(polls, early.as_mut());
        cache.insert(&1, 10u32).await.unwrap();
        assert_eq!(cache.get_or_insert_with(&1, || slow(2)).await, Ok(10));
        if ended.is_none() {
            early.await.unwrap();
        }
        let found = cache.get(&1).await.unwrap();
        assert!(
            matches!(found, None | Some(10)),
            "{found:?} after {polls} polls"
        );
        assert_eq!(found, cache.get_ref().peek(1));
    }
}

#[tokio::test]
async fn threads_of_two_runtimes_share_one_cache() {
    static CACHE: std::sync::LazyLock<Tested> = std::sync::LazyLock::new(new);
    for round in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let value = std::thread::spawn(move || {
            runtime.block_on(CACHE.get_or_insert_with(&round, || slow(round)))
        });
        assert_eq!(value.join().unwrap(), Ok(round));
    }
}
