//! Futures that are dropped at every await.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

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
