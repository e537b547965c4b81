//! Futures that are dropped at every await.

use ctu_core::AsyncCache;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};
use tokio::task::JoinSet;

/// Polls `future` at most `polls` times, then drops it. Runs in any runtime.
pub async fn poll_at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // The drop follows the poll at once, without a wait for the next wake-up.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Polls `future` `polls` times in a row, without a wait for wake-ups.
pub fn poll_now<F: Future>(polls: usize, mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Runs `operation` once for each number of polls, from 0 to the number that ends it, each time in
/// a new world. The future is dropped after that many polls, and `check` then sees the world, with
/// the output of an operation that ended. Returns the number of polls that ended it.
pub async fn cancel_everywhere<W, T>(
    world: impl AsyncFn() -> W,
    operation: impl AsyncFn(&W) -> T,
    check: impl AsyncFn(&W, Option<T>),
) -> usize {
    for polls in 0.. {
        let world = world().await;
        let output = poll_at_most(polls, operation(&world)).await;
        let ended = output.is_some();
        check(&world, output).await;
        if ended {
            return polls;
        }
    }
    unreachable!("no operation has that many polls")
}

/// Drops the future of `operation` after each number of polls, and runs `check` after each. Returns
/// the number of polls that end it.
pub async fn cancel(operation: impl AsyncFn(), check: impl AsyncFn()) -> usize {
    let operation = async |_: &()| operation().await;
    cancel_everywhere(async || (), operation, async |_, _| check().await).await
}

/// A cache of bytes.
pub trait Bytes: AsyncCache<Key = [u8], Value = Vec<u8>> {}

impl<C: AsyncCache<Key = [u8], Value = Vec<u8>>> Bytes for C {}

/// The value of a key: one that no other key has.
pub fn value(key: &[u8]) -> Vec<u8> {
    key.repeat(5)
}

/// So many keys.
pub fn keys(count: u32) -> Vec<Vec<u8>> {
    let key = |n| format!("key {n}").into_bytes();
    (0..count).map(key).collect()
}

/// Stores the [`value`] of each key.
pub async fn fill(cache: &impl Bytes, keys: &[Vec<u8>]) {
    let entries = keys.iter().map(|key| (&**key, value(key))).collect();
    cache.insert_many(entries, None).await.expect("a server");
}

/// Asserts that each reply is that to its own request.
pub async fn assert_in_step(cache: &impl Bytes, keys: &[Vec<u8>]) {
    for key in keys {
        let found = cache.get(key).await.expect("a server");
        assert_eq!(found, Some(value(key)));
    }
    let all: Vec<&[u8]> = keys.iter().map(|key| &**key).collect();
    let expected: Vec<_> = keys.iter().map(|key| Some(value(key))).collect();
    let found = cache.get_many(&all).await.expect("a server");
    assert_eq!(found, expected);
}

/// Drops each operation of a cache at each poll, and asserts after each that replies are in step.
pub async fn drop_everywhere(cache: &impl Bytes) {
    let keys = &keys(8);
    fill(cache, keys).await;
    let check = async || assert_in_step(cache, keys).await;
    let refill = async || {
        fill(cache, keys).await;
        assert_in_step(cache, keys).await;
    };
    let forget = async || {
        cache.remove(b"none").await.expect("a server");
        assert_in_step(cache, keys).await;
    };
    let key = &*keys[0];
    let many = || keys.iter().map(|key| &**key).collect::<Vec<_>>();
    let entries = || keys.iter().map(|key| (&**key, value(key))).collect();
    let one = async || drop(cache.insert_entry(key, value(key), None).await);
    let all = async || drop(cache.insert_many(entries(), None).await);
    let compute = async |key: &[u8]| {
        let make = || async { Ok(Some(value(b"none"))) };
        drop(cache.get_or_compute(key, make).await);
    };
    let mut polls = vec![
        cancel(async || drop(cache.get(key).await), check).await,
        cancel(async || drop(cache.get_with_ttl(key).await), check).await,
        cancel(async || drop(cache.contains(key).await), check).await,
        cancel(one, check).await,
        cancel(async || drop(cache.remove(b"none").await), check).await,
        cancel(async || drop(cache.pop(b"none").await), check).await,
        cancel(async || drop(cache.len().await), check).await,
        cancel(async || drop(cache.is_empty().await), check).await,
        cancel(async || drop(cache.get_many(&many()).await), check).await,
        cancel(async || drop(cache.get_many_with_ttl(&many()).await), check).await,
        cancel(async || drop(cache.remove_many(&[b"x", b"y"]).await), check).await,
        cancel(all, check).await,
        cancel(async || compute(key).await, check).await,
        cancel(async || compute(b"none").await, forget).await,
        cancel(async || drop(cache.clear().await), refill).await,
    ];
    if cache.retain(|_| true).await.is_ok() {
        polls.push(cancel(async || drop(cache.retain(|_| true).await), check).await);
    }
    assert!(polls.iter().all(|polls| *polls >= 2), "{polls:?}");
}

/// Runs operations of so many tasks, a tenth of which are dropped, and asserts that each of the others
/// gets the value of its own key. Each of the 100 [`keys`] has its value before.
pub async fn drop_at_random(cache: &(impl Bytes + Clone + Send + Sync + 'static), tasks: u64) {
    let (mut running, keys) = (JoinSet::new(), keys(100));
    for task in 0..tasks {
        let (cache, keys) = (cache.clone(), keys.clone());
        running.spawn(async move {
            let mut random = StdRng::seed_from_u64(task);
            let mut dropped = 0;
            for _ in 0..20 {
                let key = &keys[random.random_range(0..keys.len())];
                let polls = match random.random_range(0..10) {
                    0 => random.random_range(1..3),
                    _ => usize::MAX,
                };
                let ended = match random.random_range(0..4) {
                    0 => {
                        let insert = cache.insert_entry(key, value(key), None);
                        let done = poll_at_most(polls, insert).await;
                        done.map(|done| done.expect("a server"))
                    }
                    1 => {
                        let keys = [&**key, b"none"];
                        let found = poll_at_most(polls, cache.get_many(&keys)).await;
                        found.map(|found| {
                            let found = found.expect("a server");
                            assert_eq!(found, [Some(value(key)), None]);
                        })
                    }
                    _ => {
                        let found = poll_at_most(polls, cache.get(key)).await;
                        found.map(|found| {
                            assert_eq!(found.expect("a server"), Some(value(key)));
                        })
                    }
                };
                dropped += u64::from(ended.is_none());
            }
            dropped
        });
    }
    let dropped: u64 = running.join_all().await.into_iter().sum();
    assert!(dropped > tasks / 2, "{dropped}");
}
