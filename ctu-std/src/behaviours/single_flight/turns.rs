//! One computation a key among threads.

use crate::behaviours::machines::{Flights, Joined, Waiting};
use crate::sync::{Condvar, Mutex, me, wait};
use std::{hash::Hash, sync::Arc};

pub(crate) struct SingleFlight<K: ToOwned + ?Sized, V> {
    machine: Mutex<Flights<K, V, Arc<Condvar>>>,
}

/// Whose turn it is.
pub(crate) enum Turn<'f, K: ToOwned + Hash + Eq + ?Sized, V: Clone> {
    /// The caller's, to compute.
    Lead(Leading<'f, K, V>),
    /// The caller's, within its own computation for the same key.
    Within,
    /// Nobody's any more: this is the result.
    Done(V),
}

/// The right to compute, given back on drop: then, unless there is a result, one of those who wait tries.
pub(crate) struct Leading<'f, K: ToOwned + Hash + Eq + ?Sized, V: Clone> {
    flights: &'f SingleFlight<K, V>,
    id: u64,
    value: Option<V>,
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> SingleFlight<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            machine: Mutex::new(Flights::new()),
        }
    }

    /// Waits for the computation under way for `key`, or begins it. `waits` runs before the first wait.
    pub(crate) fn join(&self, key: &K, mut waits: impl FnMut()) -> Turn<'_, K, V> {
        let mut machine = self.machine.lock();
        loop {
            match machine.join(key, me(), || Arc::new(Condvar::new())) {
                Joined::Lead(id) => return Turn::Lead(self.leading(id)),
                Joined::Within => return Turn::Within,
                Joined::Wait(id, wake) => {
                    waits();
                    loop {
                        machine = wait(&wake, machine);
                        match machine.poll(id, me()) {
                            Waiting::NotYet => {}
                            Waiting::Value(value) => return Turn::Done(value),
                            Waiting::Lead => return Turn::Lead(self.leading(id)),
                            Waiting::Anew => break,
                        }
                    }
                }
            }
        }
    }

    /// Begins a computation for `key`, unless one is under way.
    pub(crate) fn begin(&self, key: &K) -> Option<Leading<'_, K, V>> {
        let mut machine = self.machine.lock();
        if machine.is_flying(key) {
            return None;
        }
        match machine.join(key, me(), || Arc::new(Condvar::new())) {
            Joined::Lead(id) => Some(self.leading(id)),
            Joined::Wait(..) | Joined::Within => None,
        }
    }

    fn leading(&self, id: u64) -> Leading<'_, K, V> {
        Leading {
            flights: self,
            id,
            value: None,
        }
    }

    /// Whether what the second level says of `key` may have been computed before it was written last.
    pub(crate) fn doubts(&self, key: &K) -> bool {
        self.machine.lock().doubts(key)
    }

    /// Takes in that `key` is written: nobody who comes from now on gets what was computed before.
    pub(crate) fn written(&self, key: &K) {
        let mut machine = self.machine.lock();
        if machine.is_empty() {
            return;
        }
        if let Some(wake) = machine.written(key) {
            wake.notify_all();
        }
    }

    /// The same as [`written`](Self::written) for every key.
    pub(crate) fn all_written(&self) {
        for wake in self.machine.lock().all_written() {
            wake.notify_all();
        }
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> Leading<'_, K, V> {
    /// Whether nobody wrote the key since the computation began.
    pub(crate) fn is_current(&self) -> bool {
        self.flights.machine.lock().is_current(self.id)
    }

    /// Says that the result is about to be stored, unless the key was written since the computation began.
    pub(crate) fn store(&self) -> bool {
        self.flights.machine.lock().store(self.id)
    }

    /// Gives the result to those who wait.
    pub(crate) fn land(mut self, value: V) {
        self.value = Some(value);
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> Drop for Leading<'_, K, V> {
    fn drop(&mut self) {
        let landed = self.flights.machine.lock().land(self.id, self.value.take());
        if let Some((wake, all)) = landed {
            if all {
                wake.notify_all();
            } else {
                wake.notify_one();
            }
        }
    }
}
