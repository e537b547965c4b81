//! One computation a key, however many callers want its result: a state machine.
//!
//! The machine does no I/O, takes no lock and reads no clock. A driver keeps it behind a lock, and blocks
//! threads or suspends tasks; both are woken by a [`Waker`], so that they may wait for each other.
//!
//! A *flight* is a computation under way. The caller that computes *leads* it; the others *wait*.
//!
//! | input | a caller .. | output |
//! | --- | --- | --- |
//! | [`join`](Machine::join) | wants the value of a key | [`Joined`]: it leads, waits, or leads already |
//! | [`begin`](Machine::begin) | wants to compute where no other does | it leads, or `None` |
//! | [`poll`](Machine::poll) | was woken | [`Waited`]: wait on, the value, lead, or join again |
//! | [`expire`](Machine::expire) | has waited to its limit | the same without "wait on": it leads, too |
//! | [`leave`](Machine::leave) | gives up | the waker to call |
//! | [`store`](Machine::store) | is about to store its computed value | whether the store is allowed |
//! | [`finish`](Machine::finish) | has computed, or failed to | the wakers to call |
//! | [`written`](Machine::written), [`all_written`](Machine::all_written) | writes a key, or all | the wakers to call |
//! | [`outdate`](Machine::outdate) | learns that later callers need a newer result | the wakers to call |
//!
//! The driver calls the wakers after it has released its lock. Each `Lead` ends with `finish`, and each `Wait` with `leave`,
//! `expire`, or a `poll` that says anything but [`Waited::Pending`].
//!
//! # Rules
//! * A key has one leader, unless a wait expires: that caller computes beside the leader, and the first result is
//!   everybody's.
//! * After a failure the longest waiting caller leads. If it leaves before it was polled, the next one is woken.
//! * A caller that joins after a write gets nothing that was computed before it; callers that joined before do.
//! * All inputs take O(1), amortised; `finish` and `written` one step for each caller that they wake, and
//!   `all_written` one for each flight.

#[cfg(feature = "std")]
mod alarm;
#[cfg(feature = "std")]
mod callers;
mod flight;
#[cfg(test)]
mod tests;
mod waiters;
mod writes;

#[cfg(feature = "std")]
pub use alarm::{Alarm, Limit};
use alloc::vec::Vec;
#[cfg(feature = "std")]
pub use callers::{Entered, enter, is_within, task_number, thread_number, with_guard, within};
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    mem,
    task::Waker,
    time::Duration,
};
use flight::{Flight, State, Storing};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use waiters::Waiters;

/// The longest wait for another caller's computation unless a limit is set.
pub const DEFAULT_WAIT_LIMIT: Duration = Duration::from_secs(10);

/// The computations under way. `K` is an owned key, `V` a result, which is cloned for each caller that waits.
#[allow(
    missing_debug_implementations,
    reason = "keys and values may be secret"
)]
pub struct Machine<K, V, H> {
    /// The flight that new callers join. A flight that is not here any more goes on for those that joined before.
    joinable: HashMap<K, u64, H>,
    flights: HashMap<u64, Flight<K, V>, FxBuildHasher>,
    /// Flights that new callers do not join and whose results may be stored. There are few.
    outdated: Vec<(K, u64)>,
    /// Keys that were written while an older result was being stored, with the number of such results.
    doubted: HashMap<K, usize, H>,
    /// The last number of a flight or a caller.
    last: u64,
}

/// The right, and the duty, to compute a value. Ends with [`finish`](Machine::finish).
#[derive(Debug)]
#[must_use = "the flight goes on until `finish`"]
pub struct Lead {
    flight: u64,
    caller: Option<u64>,
    stores: bool,
}

/// A place among the callers that wait.
#[derive(Debug)]
#[must_use = "the place is kept until `leave`"]
pub struct Wait {
    flight: u64,
    caller: Option<u64>,
    number: u64,
}

/// The answer to a caller that wants a value.
#[derive(Debug)]
pub enum Joined {
    /// It computes.
    Lead(Lead),
    /// Another caller computes. To be polled at once, with the waker.
    Wait(Wait),
    /// It computes the key already, and would wait for itself.
    Within,
}

/// The state of a wait. All but `Pending` end it.
#[derive(Debug)]
pub enum Waited<V> {
    /// The computation goes on.
    Pending,
    /// The result.
    Value(V),
    /// The caller computes.
    Lead(Lead),
    /// Computing failed, and the key was written meanwhile: the caller joins again.
    Rejoin,
}

impl Lead {
    /// The caller that computes.
    pub const fn caller(&self) -> Option<u64> {
        self.caller
    }
}

impl<K, V, H> Machine<K, V, H> {
    /// No flights. Both hash keys, and may be the same.
    pub const fn with_hashers(joinable: H, doubted: H) -> Self {
        Self {
            joinable: HashMap::with_hasher(joinable),
            flights: HashMap::with_hasher(FxBuildHasher),
            outdated: Vec::new(),
            doubted: HashMap::with_hasher(doubted),
            last: 0,
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone, H: BuildHasher> Machine<K, V, H> {
    /// Joins the flight for `key`, or begins one. `caller` tells a computation within itself; `None` is no one's.
    pub fn join<Q>(&mut self, key: &Q, caller: Option<u64>, own: impl FnOnce() -> K) -> Joined
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let number = self.next();
        if let Some(&id) = self.joinable.get(key)
            && let Some(flight) = self.flights.get_mut(&id)
        {
            match flight.state {
                State::Computing if caller.is_some() && flight.leaders.contains(&caller) => {
                    return Joined::Within;
                }
                State::Computing => {
                    flight.waiters.push(number);
                    return Joined::Wait(Wait {
                        flight: id,
                        caller,
                        number,
                    });
                }
                // Quicker than the one that was woken, which waits on.
                State::Vacant => return Joined::Lead(flight.lead(id, caller)),
                State::Finished(_) => {}
            }
        }
        Joined::Lead(self.take_off(own(), number, caller))
    }

    /// Whether `caller` computes `key`, for callers that join.
    pub fn leads<Q>(&self, key: &Q, caller: u64) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let id = self.joinable.get(key);
        let flight = id.and_then(|id| self.flights.get(id));
        flight.is_some_and(|flight| flight.leaders.contains(&Some(caller)))
    }

    /// Begins a flight for `key`, unless there is one.
    pub fn begin<Q>(
        &mut self,
        key: &Q,
        caller: Option<u64>,
        own: impl FnOnce() -> K,
    ) -> Option<Lead>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.joinable.contains_key(key) {
            return None;
        }
        let number = self.next();
        Some(self.take_off(own(), number, caller))
    }

    fn next(&mut self) -> u64 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    fn take_off(&mut self, key: K, id: u64, caller: Option<u64>) -> Lead {
        let mut flight = Flight {
            key: key.clone(),
            state: State::Computing,
            leaders: Vec::new(),
            waiters: Waiters::default(),
            storing: Storing::No,
        };
        let lead = flight.lead(id, caller);
        self.joinable.insert(key, id);
        self.flights.insert(id, flight);
        lead
    }

    /// The state of `wait`. `waker` is called when it may have changed.
    pub fn poll(&mut self, wait: &Wait, waker: &Waker) -> Waited<V> {
        match self.flights.get_mut(&wait.flight) {
            Some(flight) if matches!(flight.state, State::Computing) => {
                flight.waiters.wait(wait.number, waker);
                Waited::Pending
            }
            _ => self.end(wait),
        }
    }

    /// Ends `wait` at its limit, never with [`Waited::Pending`].
    pub fn expire(&mut self, wait: &Wait) -> Waited<V> {
        self.end(wait)
    }

    fn end(&mut self, wait: &Wait) -> Waited<V> {
        let Some(flight) = self.flights.get_mut(&wait.flight) else {
            return Waited::Rejoin;
        };
        // Before a value is cloned, which may panic.
        flight.waiters.remove(wait.number);
        let joinable = self.joinable.get(&flight.key) == Some(&wait.flight);
        match flight.state {
            State::Computing => return Waited::Lead(flight.lead(wait.flight, wait.caller)),
            State::Vacant if joinable => {
                return Waited::Lead(flight.lead(wait.flight, wait.caller));
            }
            State::Vacant | State::Finished(_) => {}
        }
        let is_last = flight.waiters.is_empty();
        let value = if is_last {
            self.flights
                .remove(&wait.flight)
                .map(|flight| flight.state)
                .and_then(State::into_value)
        } else {
            flight.state.value().cloned()
        };
        value.map_or(Waited::Rejoin, Waited::Value)
    }

    /// Ends `wait` for a caller that gives up. Returns the waker of the caller whose turn it is then.
    #[must_use = "the waker is to be called"]
    pub fn leave(&mut self, wait: &Wait) -> Option<Waker> {
        let flight = self.flights.get_mut(&wait.flight)?;
        let had_turn = flight.waiters.first() == Some(wait.number);
        flight.waiters.remove(wait.number);
        match flight.state {
            State::Computing => None,
            State::Vacant if !flight.waiters.is_empty() => {
                had_turn.then(|| flight.waiters.wake_first()).flatten()
            }
            State::Vacant | State::Finished(_) => {
                if flight.waiters.is_empty() {
                    if self.joinable.get(&flight.key) == Some(&wait.flight) {
                        self.joinable.remove(&flight.key);
                    }
                    self.flights.remove(&wait.flight);
                }
                None
            }
        }
    }

    /// Ends a computation with its result, or without where it failed.
    #[must_use = "the wakers are to be called"]
    pub fn finish(&mut self, lead: Lead, value: Option<V>) -> Vec<Waker> {
        let Some(flight) = self.flights.get_mut(&lead.flight) else {
            return Vec::new();
        };
        if let Some(at) = flight.leaders.iter().position(|held| *held == lead.caller) {
            flight.leaders.swap_remove(at);
        }
        if lead.stores {
            if mem::replace(&mut flight.storing, Storing::No) == Storing::Doubted
                && let Some(count) = self.doubted.get_mut(&flight.key)
            {
                *count -= 1;
                if *count == 0 {
                    self.doubted.remove(&flight.key);
                }
            }
        } else if flight.storing != Storing::No {
            // The leader that stores its result ends the flight: until then a write has to find it.
            return Vec::new();
        }
        if !matches!(flight.state, State::Computing)
            || (value.is_none() && !flight.leaders.is_empty())
        {
            return Vec::new();
        }
        self.outdated.retain(|(_, id)| *id != lead.flight);
        let joinable = self.joinable.get(&flight.key) == Some(&lead.flight);
        if joinable && (value.is_some() || flight.waiters.is_empty()) {
            self.joinable.remove(&flight.key);
        }
        if flight.waiters.is_empty() {
            self.flights.remove(&lead.flight);
            return Vec::new();
        }
        flight.state = value.map_or(State::Vacant, State::Finished);
        match flight.state {
            State::Vacant if joinable => flight.waiters.wake_first().into_iter().collect(),
            _ => flight.waiters.wake_all(),
        }
    }

    /// Whether the flight of `lead` has not finished, and its key was not written since it began.
    pub fn is_current(&self, lead: &Lead) -> bool {
        let flight = self.flights.get(&lead.flight);
        let is_joinable =
            flight.is_some_and(|flight| self.joinable.get(&flight.key) == Some(&lead.flight));
        is_joinable || self.outdated.iter().any(|(_, id)| *id == lead.flight)
    }

    /// Lets the leader store its result, unless the key was written since the computation began, or another leader stores.
    /// Until `finish`, a write of the key puts the stored value in [doubt](Self::doubts).
    pub fn store(&mut self, lead: &mut Lead) -> bool {
        if lead.stores || !self.is_current(lead) {
            return false;
        }
        match self.flights.get_mut(&lead.flight) {
            Some(flight) if flight.storing == Storing::No => {
                flight.storing = Storing::Yes;
                lead.stores = true;
                true
            }
            _ => false,
        }
    }
}
