//! One computation a key, however many want its result.

use super::Held;
use std::{collections::HashMap, hash::Hash};

/// The computations under way. `W` is what wakes those who wait for one.
pub(crate) struct Flights<K: ToOwned + ?Sized, V, W> {
    /// The flight to join. A flight that is not here any more lands for those who joined it before.
    joinable: HashMap<Held<K>, u64>,
    flights: HashMap<u64, Flight<K, V, W>>,
    /// Keys that were written while what was computed before was on its way to the second level, with
    /// how many such values may still arrive there.
    doubted: HashMap<Held<K>, usize>,
    last: u64,
}

struct Flight<K: ToOwned + ?Sized, V, W> {
    key: Held<K>,
    state: State<V>,
    waiting: usize,
    storing: Storing,
    wake: W,
}

/// What becomes of the result at the second level.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Storing {
    No,
    /// It is on its way.
    Yes,
    /// It is on its way, and the key was written since.
    Doubted,
}

enum State<V> {
    /// With who computes.
    Flying(u64),
    Landed(V),
    /// Whoever computed failed, and somebody waits.
    Vacant,
}

/// How a computation begins for one of those who want its result.
pub(crate) enum Joined<W> {
    /// They compute.
    Lead(u64),
    /// Somebody else does; `W` will wake them.
    Wait(u64, W),
    /// They compute already: waiting for themselves would be for ever.
    Within,
}

/// What waiting came to.
pub(crate) enum Waiting<V> {
    /// Nothing yet.
    NotYet,
    /// The result.
    Value(V),
    /// Whoever computed failed: it is their turn.
    Lead,
    /// Whoever computed failed, and the key was written meanwhile: to be joined anew.
    Anew,
}

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone, W: Clone> Flights<K, V, W> {
    pub(crate) fn new() -> Self {
        Self {
            joinable: HashMap::new(),
            flights: HashMap::new(),
            doubted: HashMap::new(),
            last: 0,
        }
    }

    /// Joins the computation for `key`, or begins it. `who` tells a computation within itself.
    pub(crate) fn join(&mut self, key: &K, who: u64, wake: impl FnOnce() -> W) -> Joined<W> {
        if let Some(&id) = self.joinable.get(key)
            && let Some(flight) = self.flights.get_mut(&id)
        {
            match flight.state {
                State::Flying(leader) if leader == who => return Joined::Within,
                State::Flying(_) => {
                    flight.waiting += 1;
                    return Joined::Wait(id, flight.wake.clone());
                }
                // Quicker than those who wait, who then wait on.
                State::Vacant => {
                    flight.state = State::Flying(who);
                    return Joined::Lead(id);
                }
                State::Landed(_) => {}
            }
        }
        self.last = self.last.wrapping_add(1);
        let (id, key) = (self.last, Held::new(key));
        self.joinable.insert(key.clone(), id);
        self.flights.insert(
            id,
            Flight {
                key,
                state: State::Flying(who),
                waiting: 0,
                storing: Storing::No,
                wake: wake(),
            },
        );
        Joined::Lead(id)
    }

    /// Whether somebody computes a value for `key`.
    pub(crate) fn is_flying(&self, key: &K) -> bool {
        self.joinable.contains_key(key)
    }

    /// Asks what waiting came to. Anything but `NotYet` ends it.
    pub(crate) fn poll(&mut self, id: u64, who: u64) -> Waiting<V> {
        let Some(flight) = self.flights.get_mut(&id) else {
            return Waiting::Anew;
        };
        if matches!(flight.state, State::Flying(_)) {
            return Waiting::NotYet;
        }
        // Before a value is cloned, which may panic: nobody waits in vain for this one to leave.
        flight.waiting -= 1;
        let joinable = self.joinable.get(flight.key.get()) == Some(&id);
        if joinable && matches!(flight.state, State::Vacant) {
            flight.state = State::Flying(who);
            return Waiting::Lead;
        }
        if flight.waiting > 0 {
            return match &flight.state {
                State::Landed(value) => Waiting::Value(value.clone()),
                _ => Waiting::Anew,
            };
        }
        match self.flights.remove(&id).map(|flight| flight.state) {
            Some(State::Landed(value)) => Waiting::Value(value),
            _ => Waiting::Anew,
        }
    }

    /// Ends a computation, with its result or, where it failed, without. Returns what wakes those who
    /// wait, and whether for all of them.
    pub(crate) fn land(&mut self, id: u64, value: Option<V>) -> Option<(W, bool)> {
        let flight = self.flights.get_mut(&id)?;
        if flight.storing == Storing::Doubted
            && let Some(count) = self.doubted.get_mut(flight.key.get())
        {
            *count -= 1;
            if *count == 0 {
                self.doubted.remove(flight.key.get());
            }
        }
        flight.storing = Storing::No;
        let joinable = self.joinable.get(flight.key.get()) == Some(&id);
        let failed = value.is_none();
        if joinable && (!failed || flight.waiting == 0) {
            self.joinable.remove(flight.key.get());
        }
        if flight.waiting == 0 {
            self.flights.remove(&id);
            return None;
        }
        flight.state = value.map_or(State::Vacant, State::Landed);
        Some((flight.wake.clone(), !(failed && joinable)))
    }

    /// Whether nobody wrote the key since the computation began.
    pub(crate) fn is_current(&self, id: u64) -> bool {
        let flight = self.flights.get(&id);
        flight.is_some_and(|flight| self.joinable.get(flight.key.get()) == Some(&id))
    }

    /// Says that the result is about to be stored at the second level, unless the key was written since
    /// the computation began. Until it landed, that level is not believed if the key is written.
    pub(crate) fn store(&mut self, id: u64) -> bool {
        let current = self.is_current(id);
        if current && let Some(flight) = self.flights.get_mut(&id) {
            flight.storing = Storing::Yes;
        }
        current
    }

    /// Whether what the second level says of `key` may be older than what was written since.
    pub(crate) fn doubts(&self, key: &K) -> bool {
        !self.doubted.is_empty() && self.doubted.contains_key(key)
    }

    /// Takes in that `key` was written: whoever wants it from now on is not to get what was computed
    /// before. Returns what wakes those who wait where nobody computes for them.
    pub(crate) fn written(&mut self, key: &K) -> Option<W> {
        let id = self.joinable.remove(key)?;
        let flight = self.flights.get_mut(&id)?;
        if flight.storing == Storing::Yes {
            flight.storing = Storing::Doubted;
            *self.doubted.entry(flight.key.clone()).or_default() += 1;
        }
        matches!(flight.state, State::Vacant).then(|| flight.wake.clone())
    }

    /// Takes in that every key was written.
    pub(crate) fn all_written(&mut self) -> Vec<W> {
        let keys: Vec<Held<K>> = self.joinable.keys().cloned().collect();
        keys.iter()
            .filter_map(|key| self.written(key.get()))
            .collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.joinable.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Machine = Flights<str, u32, ()>;

    fn lead(machine: &mut Machine, who: u64) -> u64 {
        match machine.join("k", who, || ()) {
            Joined::Lead(id) => id,
            _ => panic!("somebody leads"),
        }
    }

    fn wait(machine: &mut Machine, who: u64) -> u64 {
        match machine.join("k", who, || ()) {
            Joined::Wait(id, ()) => id,
            _ => panic!("nobody leads"),
        }
    }

    #[test]
    fn those_who_wait_get_the_result() {
        let mut machine = Machine::new();
        let id = lead(&mut machine, 1);
        for who in 2..5 {
            assert_eq!(wait(&mut machine, who), id);
            assert!(matches!(machine.poll(id, who), Waiting::NotYet));
        }
        assert_eq!(machine.land(id, Some(7)), Some(((), true)));
        // Who comes now is too late for it: the value is in the cache.
        let next = lead(&mut machine, 9);
        for who in 2..5 {
            assert!(matches!(machine.poll(id, who), Waiting::Value(7)));
        }
        machine.land(next, None);
        assert!(machine.flights.is_empty() && machine.joinable.is_empty());
    }

    #[test]
    fn one_of_those_who_wait_tries_next() {
        let mut machine = Machine::new();
        let id = lead(&mut machine, 1);
        wait(&mut machine, 2);
        wait(&mut machine, 3);
        assert_eq!(machine.land(id, None), Some(((), false)));
        assert!(matches!(machine.poll(id, 3), Waiting::Lead));
        assert!(matches!(machine.poll(id, 2), Waiting::NotYet));
        assert_eq!(machine.land(id, None), Some(((), false)));
        assert!(matches!(machine.poll(id, 2), Waiting::Lead));
        assert_eq!(machine.land(id, None), None);
        assert!(machine.flights.is_empty() && machine.joinable.is_empty());
    }

    #[test]
    fn a_computation_within_itself_is_told() {
        let mut machine = Machine::new();
        let id = lead(&mut machine, 1);
        assert!(matches!(machine.join("k", 1, || ()), Joined::Within));
        machine.land(id, None);
    }

    #[test]
    fn who_comes_after_a_write_gets_nothing_from_before() {
        let mut machine = Machine::new();
        let id = lead(&mut machine, 1);
        wait(&mut machine, 2);
        assert!(machine.is_current(id));
        machine.written("k");
        assert!(!machine.is_current(id));
        let new = lead(&mut machine, 3);
        assert_ne!(id, new);
        machine.land(id, None);
        assert!(matches!(machine.poll(id, 2), Waiting::Anew));
        assert!(machine.is_current(new));
        machine.land(new, Some(1));
        assert!(machine.flights.is_empty() && machine.joinable.is_empty());
    }

    #[test]
    fn a_result_on_its_way_is_doubted_once_the_key_is_written() {
        let mut machine = Machine::new();
        let id = lead(&mut machine, 1);
        assert!(machine.store(id) && !machine.doubts("k"));
        machine.written("k");
        assert!(machine.doubts("k"));
        let next = lead(&mut machine, 2);
        assert!(machine.store(next));
        machine.all_written();
        machine.land(id, Some(1));
        assert!(machine.doubts("k"));
        machine.land(next, None);
        assert!(!machine.doubts("k"));
        let late = lead(&mut machine, 3);
        machine.written("k");
        assert!(!machine.store(late) && !machine.doubts("k"));
        machine.land(late, None);
        assert!(machine.flights.is_empty());
    }

    proptest! {
        /// However they meet: one computes at a time between two writes, everybody ends with a result, a
        /// turn or a new start, and nothing is left behind.
        #[test]
        fn no_schedule_leaves_anybody_waiting(
            steps in prop::collection::vec((0..5u8, 0..6u64), 1..200),
        ) {
            let mut machine = Machine::new();
            // What each of them does: nothing, computes (a flight), waits (for a flight).
            let mut doing: [Option<(u64, bool)>; 6] = [None; 6];
            for (step, who) in steps {
                let at = usize::try_from(who).unwrap();
                match (step, doing[at]) {
                    (0 | 1, None) => doing[at] = Some(match machine.join("k", who, || ()) {
                        Joined::Lead(id) => (id, true),
                        Joined::Wait(id, ()) => (id, false),
                        Joined::Within => panic!("it computes nothing"),
                    }),
                    (2, Some((id, true))) => {
                        machine.land(id, Some(1));
                        doing[at] = None;
                    }
                    (3, Some((id, true))) => {
                        machine.land(id, None);
                        doing[at] = None;
                    }
                    (4, None) => drop(machine.written("k")),
                    (_, Some((id, false))) => doing[at] = match machine.poll(id, who) {
                        Waiting::NotYet => Some((id, false)),
                        Waiting::Lead => Some((id, true)),
                        Waiting::Value(_) | Waiting::Anew => None,
                    },
                    _ => {}
                }
                for (id, _) in doing.iter().flatten() {
                    let leaders = doing.iter().flatten().filter(|other| **other == (*id, true));
                    prop_assert!(leaders.count() <= 1);
                }
            }
            // All of them are let to their end.
            for _ in 0..20 {
                for (who, doing) in (0..).zip(&mut doing) {
                    *doing = match *doing {
                        Some((id, true)) => { machine.land(id, None); None }
                        Some((id, false)) => match machine.poll(id, who) {
                            Waiting::NotYet => Some((id, false)),
                            Waiting::Lead => Some((id, true)),
                            Waiting::Value(_) | Waiting::Anew => None,
                        },
                        None => None,
                    };
                }
            }
            prop_assert_eq!(doing, [None; 6]);
            prop_assert!(machine.flights.is_empty() && machine.joinable.is_empty());
        }
    }
}
