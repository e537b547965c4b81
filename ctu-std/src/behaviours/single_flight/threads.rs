//! The driver of the single flight for threads: it blocks those that wait.

use crate::{
    behaviours::machines::OwnedKey,
    sync::{Condvar, Mutex, MutexGuard, me, wait_until},
};
use ctu_core::single_flight::{DEFAULT_WAIT_LIMIT, Joined, Lead, Machine, Wait, Waited};
use std::{
    hash::{Hash, RandomState},
    sync::Arc,
    task::{Wake, Waker},
    time::{Duration, Instant},
};

type State<K, V> = Machine<OwnedKey<K>, V, RandomState>;

pub(crate) struct SingleFlight<K: ToOwned + ?Sized, V> {
    machine: Mutex<State<K, V>>,
    wait_limit: Duration,
}

/// What a caller that wants a value is to do.
pub(crate) enum Turn<'f, K: ToOwned + Hash + Eq + ?Sized, V: Clone> {
    /// To compute it.
    Lead(Leading<'f, K, V>),
    /// To compute it for itself, within its own computation for the same key.
    Within,
    /// Nothing: this is the value.
    Done(V),
}

/// The right to compute. Dropped without a result, one of the threads that wait gets it.
pub(crate) struct Leading<'f, K: ToOwned + Hash + Eq + ?Sized, V: Clone> {
    flights: &'f SingleFlight<K, V>,
    /// `None` once the flight is finished.
    lead: Option<Lead>,
}

/// Wakes one thread.
struct Signal(Condvar);

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

/// This thread, unless it is ending and has no number any more.
fn caller() -> Option<u64> {
    Some(me()).filter(|number| *number != 0)
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> SingleFlight<K, V> {
    pub(crate) fn new() -> Self {
        let machine = Machine::with_hashers(RandomState::new(), RandomState::new());
        Self {
            machine: Mutex::new(machine),
            wait_limit: DEFAULT_WAIT_LIMIT,
        }
    }

    /// A thread waits at most for `limit`.
    pub(crate) fn set_wait_limit(&mut self, limit: Duration) {
        self.wait_limit = limit;
    }

    /// Waits for the computation under way for `key`, or begins one. `waits` runs before the first wait. At the limit
    /// the caller computes beside the other.
    pub(crate) fn join(&self, key: &K, mut waits: impl FnMut()) -> Turn<'_, K, V> {
        // Only a wait needs the time.
        let mut deadline = None;
        let mut machine = self.machine.lock();
        loop {
            let wait = match machine.join(key, caller(), || OwnedKey::new(key)) {
                Joined::Lead(lead) => return Turn::Lead(self.leading(lead)),
                Joined::Within => return Turn::Within,
                Joined::Wait(wait) => wait,
            };
            let deadline = deadline.get_or_insert_with(|| {
                waits();
                Instant::now().checked_add(self.wait_limit)
            });
            let waited;
            (machine, waited) = wait_for(machine, &wait, *deadline);
            match waited {
                Waited::Value(value) => return Turn::Done(value),
                Waited::Lead(lead) => return Turn::Lead(self.leading(lead)),
                Waited::Rejoin | Waited::Pending => {}
            }
        }
    }

    /// Begins a computation for `key`, unless one is under way.
    pub(crate) fn begin(&self, key: &K) -> Option<Leading<'_, K, V>> {
        let mut machine = self.machine.lock();
        let lead = machine.begin(key, caller(), || OwnedKey::new(key))?;
        Some(self.leading(lead))
    }

    fn leading(&self, lead: Lead) -> Leading<'_, K, V> {
        Leading {
            flights: self,
            lead: Some(lead),
        }
    }

    /// Whether the value of `key` at the second level may have been computed before the last write of it.
    pub(crate) fn doubts(&self, key: &K) -> bool {
        self.machine.lock().doubts(key)
    }

    /// A write of `key`: callers that come from now on get nothing that was computed before.
    pub(crate) fn written(&self, key: &K) {
        let mut machine = self.machine.lock();
        if machine.is_empty() {
            return;
        }
        let wakers = machine.written(key);
        drop(machine);
        wake(wakers);
    }

    /// The same as [`written`](Self::written) for every key.
    pub(crate) fn all_written(&self) {
        let wakers = self.machine.lock().all_written();
        wake(wakers);
    }
}

/// Blocks until `wait` comes to an end, which it does at the `deadline`.
fn wait_for<'m, K: ToOwned + Hash + Eq + ?Sized, V: Clone>(
    mut machine: MutexGuard<'m, State<K, V>>,
    wait: &Wait,
    deadline: Option<Instant>,
) -> (MutexGuard<'m, State<K, V>>, Waited<V>) {
    let signal = Arc::new(Signal(Condvar::new()));
    let waker = Waker::from(Arc::clone(&signal));
    loop {
        match machine.poll(wait, &waker) {
            Waited::Pending if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                let waited = machine.expire(wait);
                return (machine, waited);
            }
            Waited::Pending => machine = wait_until(&signal.0, machine, deadline),
            waited => return (machine, waited),
        }
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> Leading<'_, K, V> {
    /// Whether the key was not written since the computation began.
    pub(crate) fn is_current(&self) -> bool {
        let machine = self.flights.machine.lock();
        self.lead
            .as_ref()
            .is_some_and(|lead| machine.is_current(lead))
    }

    /// Lets the result be stored, unless the key was written since the computation began.
    pub(crate) fn store(&mut self) -> bool {
        let mut machine = self.flights.machine.lock();
        self.lead.as_mut().is_some_and(|lead| machine.store(lead))
    }

    /// Gives the result to the threads that wait.
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
