//! Keeps an older result from being stored over a newer value.
//!
//! A result is not stored during a write of its key, or after one. A write that begins while a result is
//! stored waits for that to end. A caller that stores waits for no write, so there is no deadlock.

use super::flights::{Leading, SingleFlight, wake};
use crate::{
    behaviours::machines::OwnedKey,
    sync::{self, Condvar, Mutex, wait},
};
use ctu_core::heap::RandomState;
use std::{
    collections::HashMap,
    future::poll_fn,
    hash::Hash,
    mem,
    task::{Poll, Waker},
};

pub(super) struct Writes<K: ToOwned + ?Sized> {
    state: Mutex<State<K>>,
    /// For threads; tasks have their wakers in the state.
    stored: Condvar,
}

struct State<K: ToOwned + ?Sized> {
    /// The number of writes of each key.
    writing: HashMap<OwnedKey<K>, usize, RandomState>,
    /// The number of writes of every key.
    writing_all: usize,
    /// The results that are stored, by key.
    storing: HashMap<OwnedKey<K>, Stored, RandomState>,
    /// The tasks that wait to write, by the number of the write.
    waiting: HashMap<u64, Waker, RandomState>,
    last: u64,
}

/// A result that is stored.
struct Stored {
    caller: Option<u64>,
    /// A write of the key did not wait for the result to be stored.
    overtaken: bool,
}

/// The keys of a write.
pub(super) enum Written<'k, K: ?Sized> {
    Keys(&'k [&'k K]),
    All,
}

/// A write under way. At its end, earlier results are outdated.
pub(super) struct Writing<'w, K: ToOwned + Hash + Eq + ?Sized, V: Clone> {
    writes: &'w Writes<K>,
    flights: &'w SingleFlight<K, V>,
    written: Written<'w, K>,
    number: u64,
}

/// A write of a result under way.
pub(super) struct Storing<'w, K: ToOwned + Hash + Eq + ?Sized> {
    writes: &'w Writes<K>,
    key: &'w K,
}

/// Whether this thread is within the computation of `caller`, which may write its own key.
fn is_own(caller: Option<u64>) -> bool {
    caller.is_some_and(|caller| sync::is_within(|within| within == caller))
}

impl<K: ToOwned + Hash + Eq + ?Sized> Writes<K> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                writing: HashMap::default(),
                writing_all: 0,
                storing: HashMap::default(),
                waiting: HashMap::default(),
                last: 0,
            }),
            stored: Condvar::new(),
        }
    }

    /// Begins a write, after the results that are stored at its keys.
    pub(super) fn write<'w, V: Clone>(
        &'w self,
        flights: &'w SingleFlight<K, V>,
        written: Written<'w, K>,
    ) -> Writing<'w, K, V> {
        let writing = self.begin(flights, written);
        let mut state = self.state.lock();
        while state.is_stored(&writing.written, is_own) {
            state = wait(&self.stored, state);
        }
        drop(state);
        writing
    }

    /// [`write`](Self::write) for a task. At the wait limit the write goes ahead, since the task that stores
    /// may never be polled again; the result is then removed when it is stored.
    pub(super) async fn write_task<'w, V: Clone>(
        &'w self,
        flights: &'w SingleFlight<K, V>,
        written: Written<'w, K>,
    ) -> Writing<'w, K, V> {
        let writing = self.begin(flights, written);
        let mut limit = None;
        poll_fn(|context| {
            let mut state = self.state.lock();
            if !state.is_stored(&writing.written, is_own) {
                return Poll::Ready(());
            }
            state
                .waiting
                .insert(writing.number, context.waker().clone());
            drop(state);
            let limit = limit.get_or_insert_with(|| flights.alarm.after(flights.wait_limit));
            if !limit.poll(context) {
                return Poll::Pending;
            }
            self.state.lock().overtake(&writing.written);
            Poll::Ready(())
        })
        .await;
        writing
    }

    fn begin<'w, V: Clone>(
        &'w self,
        flights: &'w SingleFlight<K, V>,
        written: Written<'w, K>,
    ) -> Writing<'w, K, V> {
        let number = self.state.lock().begin(&written);
        Writing {
            writes: self,
            flights,
            written,
            number,
        }
    }

    /// Begins to store the result of `flight`. `None` if the key is being written, or was written since the
    /// flight began.
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
        let stored = Stored {
            caller: flight.caller(),
            overtaken: false,
        };
        state.storing.insert(OwnedKey::new(key), stored);
        Some(Storing { writes: self, key })
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized> State<K> {
    /// Returns the number of the write.
    fn begin(&mut self, written: &Written<'_, K>) -> u64 {
        match written {
            Written::All => self.writing_all += 1,
            Written::Keys(keys) => {
                for &key in *keys {
                    *self.writing.entry(OwnedKey::new(key)).or_default() += 1;
                }
            }
        }
        self.last = self.last.wrapping_add(1);
        self.last
    }

    fn end(&mut self, written: &Written<'_, K>, number: u64) {
        self.waiting.remove(&number);
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

    /// Whether a result is stored at a key of the write, by a caller that is not its `own`.
    fn is_stored(&self, written: &Written<'_, K>, own: impl Fn(Option<u64>) -> bool) -> bool {
        match written {
            Written::All => self.storing.values().any(|stored| !own(stored.caller)),
            Written::Keys(keys) => keys.iter().any(|&key| {
                let stored = self.storing.get(key);
                stored.is_some_and(|stored| !own(stored.caller))
            }),
        }
    }

    fn overtake(&mut self, written: &Written<'_, K>) {
        match written {
            Written::All => self
                .storing
                .values_mut()
                .for_each(|stored| stored.overtaken = true),
            Written::Keys(keys) => {
                for &key in *keys {
                    if let Some(stored) = self.storing.get_mut(key) {
                        stored.overtaken = true;
                    }
                }
            }
        }
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> Drop for Writing<'_, K, V> {
    fn drop(&mut self) {
        // One step for callers that store: an earlier result is not stored, a later one is.
        let mut state = self.writes.state.lock();
        let wakers = match self.written {
            Written::All => self.flights.supersede_all(),
            // The usual number of keys: no list of lists.
            Written::Keys([key]) => self.flights.supersede(key),
            Written::Keys(keys) => {
                let wakers = keys.iter().flat_map(|key| self.flights.supersede(key));
                wakers.collect()
            }
        };
        state.end(&self.written, self.number);
        drop(state);
        wake(wakers);
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized> Storing<'_, K> {
    /// Whether a write of the key did not wait for the result to be stored.
    pub(super) fn is_overtaken(&self) -> bool {
        let state = self.writes.state.lock();
        let stored = state.storing.get(self.key);
        stored.is_some_and(|stored| stored.overtaken)
    }
}

impl<K: ToOwned + Hash + Eq + ?Sized> Drop for Storing<'_, K> {
    fn drop(&mut self) {
        let mut state = self.writes.state.lock();
        state.storing.remove(self.key);
        let waiting = mem::take(&mut state.waiting);
        drop(state);
        self.writes.stored.notify_all();
        wake(waiting.into_values());
    }
}
