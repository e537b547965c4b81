//! The driver of the single flight for tasks: a wait suspends the task. No runtime is needed.
//!
//! A future may be dropped at any await. A dropped waiter leaves its place, and passes its turn on if it
//! had one; a dropped leader hands over.

use super::flights::{SingleFlight, Turn, wake};
use crate::{behaviours::machines::OwnedKey, sync};
use ctu_core::single_flight::{Joined, Limit, Wait, Waited, task_number, with_guard};
use std::{
    future::poll_fn,
    hash::Hash,
    pin::Pin,
    task::{Context, Poll},
};

/// Runs `future` as a part of the computation of `caller`: a request for the value of the same key in it
/// does not wait for itself. A part that runs in another task is not recognised.
pub(crate) async fn within<F: Future>(caller: Option<u64>, future: Pin<&mut F>) -> F::Output {
    with_guard(future, || caller.map(sync::enter)).await
}

/// A place among the callers that wait, left on drop.
struct Place<'f, K: ToOwned + Hash + Eq + ?Sized, V: Clone> {
    flights: &'f SingleFlight<K, V>,
    /// `None` once the wait is over.
    wait: Option<Wait>,
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> SingleFlight<K, V> {
    /// [`join`](Self::join) for a task.
    pub(crate) async fn join_task(&self, key: &K, mut waits: impl FnMut()) -> Turn<'_, K, V> {
        let mut limit = None;
        loop {
            let mut place = match self.join_or_wait(key) {
                Ok(turn) => return turn,
                Err(wait) => Place {
                    flights: self,
                    wait: Some(wait),
                },
            };
            let limit = limit.get_or_insert_with(|| {
                waits();
                self.alarm.after(self.wait_limit)
            });
            match poll_fn(|context| place.poll(context, limit)).await {
                Waited::Value(value) => return Turn::Done(value),
                Waited::Lead(lead) => return Turn::Lead(self.leading(lead)),
                Waited::Rejoin | Waited::Pending => {}
            }
        }
    }

    fn join_or_wait(&self, key: &K) -> Result<Turn<'_, K, V>, Wait> {
        let mut machine = self.machine.lock();
        if sync::is_within(|caller| machine.leads(key, caller)) {
            return Ok(Turn::Within);
        }
        match machine.join(key, Some(task_number()), || OwnedKey::new(key)) {
            Joined::Lead(lead) => Ok(Turn::Lead(self.leading(lead))),
            Joined::Within => Ok(Turn::Within),
            Joined::Wait(wait) => Err(wait),
        }
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> Place<'_, K, V> {
    fn poll(&mut self, context: &Context<'_>, limit: &mut Limit<'_>) -> Poll<Waited<V>> {
        let Some(wait) = &self.wait else {
            return Poll::Ready(Waited::Rejoin);
        };
        let mut machine = self.flights.machine.lock();
        let mut waited = machine.poll(wait, context.waker());
        if matches!(waited, Waited::Pending) {
            drop(machine);
            if !limit.poll(context) {
                return Poll::Pending;
            }
            machine = self.flights.machine.lock();
            waited = machine.expire(wait);
        }
        drop(machine);
        self.wait = None;
        Poll::Ready(waited)
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> Drop for Place<'_, K, V> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait.take() {
            let next = self.flights.machine.lock().leave(&wait);
            wake(next);
        }
    }
}
