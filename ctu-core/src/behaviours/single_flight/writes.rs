//! Writes of keys: a later caller gets no result that was computed before.

use super::{
    Machine,
    flight::{State, Storing},
};
use alloc::vec::Vec;
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    task::Waker,
};

impl<K: Hash + Eq + Clone, V: Clone, H: BuildHasher> Machine<K, V, H> {
    /// Whether a result that was computed before the last write of `key` may still arrive where results are stored.
    pub fn doubts<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        !self.doubted.is_empty() && self.doubted.contains_key(key)
    }

    /// A write of `key`: callers that join from now on get nothing that was computed before.
    #[must_use = "the wakers are to be called"]
    pub fn written<Q>(&mut self, key: &Q) -> Vec<Waker>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        // Most writes: no computation is under way.
        if self.is_empty() {
            return Vec::new();
        }
        let mut wakers = match self.joinable.remove(key) {
            Some(id) => self.superseded(id),
            None => Vec::new(),
        };
        let is_own = |(own, _): &(K, u64)| own.borrow() == key;
        while let Some(at) = self.outdated.iter().position(is_own) {
            let (_, id) = self.outdated.swap_remove(at);
            wakers.extend(self.superseded(id));
        }
        wakers
    }

    /// Callers of `key` that join from now on get nothing that was computed before, as after a write. The
    /// result may be stored: the driver stores it on a condition.
    #[must_use = "the wakers are to be called"]
    pub fn outdate<Q>(&mut self, key: &Q) -> Vec<Waker>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let Some((own, id)) = self.joinable.remove_entry(key) else {
            return Vec::new();
        };
        match self.flights.get_mut(&id) {
            Some(flight) if matches!(flight.state, State::Vacant) => flight.waiters.wake_all(),
            Some(_) => {
                self.outdated.push((own, id));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// A write of every key.
    #[must_use = "the wakers are to be called"]
    pub fn all_written(&mut self) -> Vec<Waker> {
        let joinable = self.joinable.drain().map(|(_, id)| id);
        let outdated = self.outdated.drain(..).map(|(_, id)| id);
        let flights: Vec<u64> = joinable.chain(outdated).collect();
        flights
            .into_iter()
            .flat_map(|id| self.superseded(id))
            .collect()
    }

    /// The flight is not joined any more. Its waiters join again where none computes for them.
    fn superseded(&mut self, id: u64) -> Vec<Waker> {
        let Some(flight) = self.flights.get_mut(&id) else {
            return Vec::new();
        };
        if flight.storing == Storing::Yes {
            flight.storing = Storing::Doubted;
            *self.doubted.entry(flight.key.clone()).or_default() += 1;
        }
        match flight.state {
            State::Vacant => flight.waiters.wake_all(),
            State::Computing | State::Finished(_) => Vec::new(),
        }
    }

    /// Whether there is no flight that a write concerns.
    pub fn is_empty(&self) -> bool {
        self.joinable.is_empty() && self.outdated.is_empty()
    }
}
