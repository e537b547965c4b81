//! The callers that wait for one flight, in the order of their arrival.

use alloc::{collections::VecDeque, vec::Vec};
use core::task::Waker;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// A queue from which a caller leaves at any place in O(1), amortised.
#[derive(Default)]
pub(super) struct Waiters {
    wakers: HashMap<u64, Option<Waker>, FxBuildHasher>,
    /// The numbers of the callers. Some of them have left; fewer than half after each departure.
    order: VecDeque<u64>,
}

impl Waiters {
    pub(super) fn push(&mut self, number: u64) {
        self.wakers.insert(number, None);
        self.order.push_back(number);
    }

    /// Has `number` woken by `waker` from now on.
    pub(super) fn wait(&mut self, number: u64, waker: &Waker) {
        if let Some(held) = self.wakers.get_mut(&number) {
            match held {
                Some(held) if held.will_wake(waker) => {}
                held => *held = Some(waker.clone()),
            }
        }
    }

    /// Whether `number` waited.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        let waited = self.wakers.remove(&number).is_some();
        if self.order.front() == Some(&number) {
            self.order.pop_front();
        }
        if self.order.len() > 2 * self.wakers.len() {
            let wakers = &self.wakers;
            self.order.retain(|number| wakers.contains_key(number));
            // Room for a crowd is given back when the crowd is gone.
            self.order.shrink_to(2 * wakers.len());
            self.wakers.shrink_to(2 * self.order.len());
        }
        waited
    }

    /// The longest waiting caller.
    pub(super) fn first(&mut self) -> Option<u64> {
        loop {
            let first = *self.order.front()?;
            if self.wakers.contains_key(&first) {
                return Some(first);
            }
            self.order.pop_front();
        }
    }

    /// The waker of the longest waiting caller, which stays in the queue until it polls.
    pub(super) fn wake_first(&mut self) -> Option<Waker> {
        let first = self.first()?;
        self.wakers.get_mut(&first)?.take()
    }

    /// The wakers of all callers, which stay until they poll.
    pub(super) fn wake_all(&mut self) -> Vec<Waker> {
        self.wakers.values_mut().filter_map(Option::take).collect()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.order.capacity().max(self.wakers.capacity())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wakers.is_empty()
    }
}
