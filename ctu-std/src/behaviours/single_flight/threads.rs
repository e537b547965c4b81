//! The driver of the single flight for threads: a wait blocks the thread.

use super::flights::{SingleFlight, State, Turn, this_thread};
use crate::{
    behaviours::machines::OwnedKey,
    sync::{Condvar, MutexGuard, is_within, wait_until},
};
use ctu_core::single_flight::{Joined, Wait, Waited};
use std::{
    hash::Hash,
    sync::Arc,
    task::{Wake, Waker},
    time::Instant,
};

/// Wakes one thread.
struct Signal(Condvar);

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> SingleFlight<K, V> {
    /// Waits for the computation of `key` that is under way, or begins one. `waits` runs before the first
    /// wait. At the wait limit, the caller computes beside the other one.
    pub(crate) fn join(&self, key: &K, mut waits: impl FnMut()) -> Turn<'_, K, V> {
        // Only a wait needs the time.
        let mut deadline = None;
        let mut machine = self.machine.lock();
        loop {
            if is_within(|caller| machine.leads(key, caller)) {
                return Turn::Within;
            }
            let wait = match machine.join(key, this_thread(), || OwnedKey::new(key)) {
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
}

/// Blocks until `wait` ends, at the latest at the `deadline`.
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
