//! What keeps a result from being stored over something newer.
//!
//! A result is not stored while its key is written, nor after that. A write that comes while one is being
//! stored lets that finish. Who stores waits for nobody, so that nobody waits for ever.

use super::{Leading, SingleFlight};
use crate::{
    behaviours::machines::OwnedKey,
    sync::{Condvar, Mutex, me, wait},
};
use std::{collections::HashMap, hash::Hash};

pub(super) struct Writes<K: ToOwned + ?Sized> {
    state: Mutex<State<K>>,
    stored: Condvar,
}

struct State<K: ToOwned + ?Sized> {
    /// How many write each key.
    writing: HashMap<OwnedKey<K>, usize>,
    /// How many write every key.
    writing_all: usize,
    /// The thread that stores a result for each key.
    storing: HashMap<OwnedKey<K>, u64>,
}

/// What a write concerns.
pub(super) enum Written<'k, K: ?Sized> {
    Keys(&'k [&'k K]),
    All,
}

/// A write under way. When it ends, what was computed before is older.
pub(super) struct Writing<'w, K: ToOwned + Hash + Eq + ?Sized, V: Clone> {
    writes: &'w Writes<K>,
    flights: &'w SingleFlight<K, V>,
    written: Written<'w, K>,
}

/// A result that is being stored.
pub(super) struct Storing<'w, K: ToOwned + Hash + Eq + ?Sized> {
    writes: &'w Writes<K>,
    key: &'w K,
}

impl<K: ToOwned + Hash + Eq + ?Sized> Writes<K> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                writing: HashMap::new(),
                writing_all: 0,
                storing: HashMap::new(),
            }),
            stored: Condvar::new(),
        }
    }

    /// Begins a write, after what is being stored there.
    pub(super) fn write<'w, V: Clone>(
        &'w self,
        flights: &'w SingleFlight<K, V>,
        written: Written<'w, K>,
    ) -> Writing<'w, K, V> {
        let mut state = self.state.lock();
        state.begin(&written);
        while state.is_stored(&written, me()) {
            state = wait(&self.stored, state);
        }
        drop(state);
        Writing {
            writes: self,
            flights,
            written,
        }
    }

    /// Begins to store the result of `flight`, unless the key was written since that began, or is being written.
    pub(super) fn store<'w, V: Clone>(
        &'w self,
        flight: &Leading<'_, K, V>,
        key: &'w K,
    ) -> Option<Storing<'w, K>> {
        let mut state = self.state.lock();
        let taken = state.writing_all > 0
            || state.writing.contains_key(key)
            || state.storing.contains_key(key);
        if taken || !flight.is_current() {
            return None;
        }
        state.storing.insert(OwnedKey::new(key), me());
        Some(Storing { writes: self, key })
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized> State<K> {
    fn begin(&mut self, written: &Written<'_, K>) {
        match written {
            Written::All => self.writing_all += 1,
            Written::Keys(keys) => {
                for &key in *keys {
                    *self.writing.entry(OwnedKey::new(key)).or_default() += 1;
                }
            }
        }
    }

    fn end(&mut self, written: &Written<'_, K>) {
        match written {
            Written::All => self.writing_all -= 1,
            Written::Keys(keys) => {
                for &key in *keys {
                    if let Some(count) = self.writing.get_mut(key) {
                        *count -= 1;
                        if *count == 0 {
                            self.writing.remove(key);
                        }
                    }
                }
            }
        }
    }

    /// Whether another than `who`, which may be within its own storing, stores a result there.
    fn is_stored(&self, written: &Written<'_, K>, who: u64) -> bool {
        match written {
            Written::All => self.storing.values().any(|&other| other != who),
            Written::Keys(keys) => keys
                .iter()
                .any(|&key| self.storing.get(key).is_some_and(|&other| other != who)),
        }
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> Drop for Writing<'_, K, V> {
    fn drop(&mut self) {
        // In one step for those who store: what was computed before is not stored, what is computed after is.
        let mut state = self.writes.state.lock();
        match self.written {
            Written::All => self.flights.all_written(),
            Written::Keys(keys) => keys.iter().for_each(|key| self.flights.written(key)),
        }
        state.end(&self.written);
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized> Drop for Storing<'_, K> {
    fn drop(&mut self) {
        self.writes.state.lock().storing.remove(self.key);
        self.writes.stored.notify_all();
    }
}
