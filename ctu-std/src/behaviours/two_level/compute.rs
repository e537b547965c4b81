//! Computing values: one computation a key.

use super::{
    counts::Counted,
    levels::{Failed, Levels},
    read::Damage,
};
use crate::behaviours::single_flight::{Leading, Turn};
use ctu_core::{Cache, Error};
use std::{hash::Hash, time::Duration};

type Made<A> = Result<Option<<A as Cache>::Value>, Error>;

impl<A, B> Levels<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// The value at `key`, which the first level has not.
    pub(super) fn compute(
        &self,
        key: &A::Key,
        make: &mut dyn FnMut() -> Made<A>,
    ) -> Result<Option<A::Value>, Failed<A, B>> {
        match self.flights.join(key, || self.count(Counted::Wait)) {
            Turn::Done(value) => Ok(Some(value)),
            Turn::Lead(flight) => self.compute_alone(key, make, Some(flight)),
            Turn::Within => self.compute_alone(key, make, None),
        }
    }

    /// Stores what it computes, and gives what it finds or computes to those who wait, if there is a `flight`: within itself a
    /// computation does neither, which is for the outer one.
    fn compute_alone(
        &self,
        key: &A::Key,
        make: &mut dyn FnMut() -> Made<A>,
        mut flight: Option<Leading<'_, A::Key, A::Value>>,
    ) -> Result<Option<A::Value>, Failed<A, B>> {
        let (made, stored) = match self.find_again(key)? {
            Some(value) => (value, Ok(())),
            None => match (make(), &mut flight) {
                (Ok(Some(value)), Some(flight)) => {
                    let stored = self.put_computed(key, value.clone(), flight);
                    (value, stored)
                }
                (Ok(Some(value)), None) => (value, Ok(())),
                (failed, _) => match self.memory.past(key, self.now()) {
                    Some(value) => {
                        self.count(Counted::Stale);
                        (value, Ok(()))
                    }
                    None => return Ok(failed?),
                },
            },
        };
        // Also where it could not be stored: those who wait would compute the same.
        if let Some(flight) = flight {
            flight.finish(made.clone());
        }
        stored.map(|()| Some(made))
    }

    /// Looks once more: somebody may have been done between the caller's look and its turn.
    fn find_again(&self, key: &A::Key) -> Result<Option<A::Value>, Failed<A, B>> {
        let first = self.first.get(key);
        if let Some(value) = first.map_err(|error| self.first_failed(error))? {
            return Ok(Some(value));
        }
        // Nothing but a write ends damage, and there is one to come.
        let second = self.get_second_or(key, Damage::IsMiss)?;
        Ok(second.map(|(value, _)| value))
    }

    /// Computes the next that is due anew. Returns for how long to wait then: none at all, or until there
    /// is another.
    pub(super) fn refresh_one(&self) -> Option<Duration> {
        let refresh = self.refresh.as_ref()?;
        let key = refresh.due.lock().pop()?;
        let key = key.get();
        // Where somebody computes it, or has since it was found due, there is nothing to do.
        if let Some(mut flight) = self.flights.begin(key)
            && let Ok(Some((_, left))) = self.first.get_with_ttl(key)
            && self.is_due(left)
            && let Some(value) = (refresh.load)(key)
        {
            self.count(Counted::Refresh);
            // A failure is counted, and the entry is due still.
            let _ = self.put_computed(key, value.clone(), &mut flight);
            flight.finish(value);
        }
        Some(Duration::ZERO)
    }
}
