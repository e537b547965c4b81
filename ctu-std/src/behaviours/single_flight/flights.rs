//! The computations under way. Threads and tasks wait for each other's.

use crate::{
    behaviours::machines::OwnedKey,
    sync::{Mutex, me},
};
use ctu_core::{
    heap::RandomState,
    single_flight::{Alarm, DEFAULT_WAIT_LIMIT, Lead, Machine},
};
use std::{hash::Hash, task::Waker, time::Duration};

pub(super) type State<K, V> = Machine<OwnedKey<K>, V, RandomState>;

pub(crate) struct SingleFlight<K: ToOwned + ?Sized, V> {
    pub(super) machine: Mutex<State<K, V>>,
    pub(super) wait_limit: Duration,
    pub(super) alarm: Alarm,
}

/// The turn of a caller that wants a value.
pub(crate) enum Turn<'f, K: ToOwned + Hash + Eq + ?Sized, V: Clone> {
    /// The caller computes.
    Lead(Leading<'f, K, V>),
    /// The caller computes for itself, within its own computation of the same key.
    Within,
    /// The value that another caller has computed.
    Done(V),
}

/// The right to compute. Dropped without a result, by a panic or with a future, it goes to the caller
/// that has waited longest.
pub(crate) struct Leading<'f, K: ToOwned + Hash + Eq + ?Sized, V: Clone> {
    flights: &'f SingleFlight<K, V>,
    /// `None` once the flight is finished.
    lead: Option<Lead>,
}

pub(super) fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

/// The number of this thread, unless it is ending.
pub(super) fn this_thread() -> Option<u64> {
    Some(me()).filter(|number| *number != 0)
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> SingleFlight<K, V> {
    pub(crate) fn new() -> Self {
        let machine = Machine::with_hashers(RandomState::default(), RandomState::default());
        Self {
            machine: Mutex::new(machine),
            wait_limit: DEFAULT_WAIT_LIMIT,
            alarm: Alarm::new(),
        }
    }

    /// Sets the longest wait of a caller.
    pub(crate) fn set_wait_limit(&mut self, limit: Duration) {
        self.wait_limit = limit;
    }

    /// Begins a computation of `key`, unless one is under way.
    pub(crate) fn begin(&self, key: &K) -> Option<Leading<'_, K, V>> {
        let mut machine = self.machine.lock();
        let lead = machine.begin(key, this_thread(), || OwnedKey::new(key))?;
        Some(self.leading(lead))
    }

    pub(super) fn leading(&self, lead: Lead) -> Leading<'_, K, V> {
        Leading {
            flights: self,
            lead: Some(lead),
        }
    }

    /// Whether the second level's value of `key` may have been computed before the last write of it.
    pub(crate) fn doubts(&self, key: &K) -> bool {
        self.machine.lock().doubts(key)
    }

    /// A write of `key`: later callers get no value that was computed before it.
    pub(crate) fn written(&self, key: &K) {
        let wakers = self.supersede(key);
        // Most writes: no computation is under way.
        if !wakers.is_empty() {
            wake(wakers);
        }
    }

    /// Later callers of `key` get no value that was computed before. Unlike after a [write](Self::written),
    /// the value may be stored.
    pub(crate) fn outdate(&self, key: &K) {
        let wakers = self.machine.lock().outdate(key);
        wake(wakers);
    }

    /// [`written`](Self::written) for every key.
    pub(crate) fn all_written(&self) {
        wake(self.supersede_all());
    }

    /// [`written`](Self::written), with the wakers to call.
    #[inline]
    pub(super) fn supersede(&self, key: &K) -> Vec<Waker> {
        self.machine.lock().written(key)
    }

    /// [`all_written`](Self::all_written), with the wakers to call.
    pub(super) fn supersede_all(&self) -> Vec<Waker> {
        self.machine.lock().all_written()
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> Leading<'_, K, V> {
    /// The number of the caller that computes. `None` for a thread that is ending.
    pub(crate) fn caller(&self) -> Option<u64> {
        self.lead.as_ref()?.caller()
    }

    /// Whether the key was not written since the computation began.
    pub(crate) fn is_current(&self) -> bool {
        let machine = self.flights.machine.lock();
        self.lead
            .as_ref()
            .is_some_and(|lead| machine.is_current(lead))
    }

    /// Permits a write of the result, unless the key was written since the computation began.
    pub(crate) fn store(&mut self) -> bool {
        let mut machine = self.flights.machine.lock();
        self.lead.as_mut().is_some_and(|lead| machine.store(lead))
    }

    /// Gives the result to the waiting callers.
    pub(crate) fn finish(mut self, value: V) {
        self.end(Some(value));
    }

    fn end(&mut self, value: Option<V>) {
        if let Some(lead) = self.lead.take() {
            let wakers = self.flights.machine.lock().finish(lead, value);
            wake(wakers);
        }
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> Drop for Leading<'_, K, V> {
    fn drop(&mut self) {
        self.end(None);
    }
}
