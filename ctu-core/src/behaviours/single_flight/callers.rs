//! The numbers of callers, and the computations that a thread is within.

use core::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};
use std::{thread_local, vec::Vec};

/// The number of this thread, which no other caller has or had. `None` of a thread that is ending.
pub fn thread_number() -> Option<u64> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    thread_local!(static NUMBER: Cell<u64> = const { Cell::new(0) });
    NUMBER
        .try_with(|number| {
            if number.get() == 0 {
                number.set(LAST.fetch_add(1, Relaxed) + 1);
            }
            number.get()
        })
        .ok()
}

/// A new number for a task, which no other caller has or had. A thread polls many tasks, so that its number
/// is not that of a task.
pub fn task_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(1 << 63);
    LAST.fetch_add(1, Relaxed)
}

thread_local! {
    /// The computations that this thread polls a part of, the innermost last.
    static POLLED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// While it lives, this thread polls a part of a computation.
#[derive(Debug)]
pub struct Entered(());

/// Begins to poll a part of the computation of `caller`.
pub fn enter(caller: u64) -> Entered {
    // A thread that is ending recognises no computation.
    let _ = POLLED.try_with(|polled| polled.borrow_mut().push(caller));
    Entered(())
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _ = POLLED.try_with(|polled| polled.borrow_mut().pop());
    }
}

/// Whether this thread runs a part of a computation that `is` selects by its caller: its own one, or that of
/// a task that it polls.
pub fn is_within(is: impl Fn(u64) -> bool) -> bool {
    let polled = POLLED.try_with(|polled| polled.borrow().iter().any(|caller| is(*caller)));
    polled.unwrap_or(false) || thread_number().is_some_and(is)
}

/// Runs `future` as a part of the computation of `caller`: a request for the value of the same key in it
/// does not wait for itself. A part that runs in another task is not recognised.
pub async fn within<F: Future>(caller: Option<u64>, future: Pin<&mut F>) -> F::Output {
    with_guard(future, || caller.map(enter)).await
}

/// Runs `future`, with a guard that `enter` makes for each poll.
pub async fn with_guard<F: Future, G>(mut future: Pin<&mut F>, enter: impl Fn() -> G) -> F::Output {
    poll_fn(|context| {
        let _guard = enter();
        future.as_mut().poll(context)
    })
    .await
}
