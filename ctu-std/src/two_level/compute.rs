//! Computing values: one computation a key.

use super::{
    counts::Counted,
    levels::{Failed, Levels},
    read::Damage,
};
use crate::single_flight::{Leading, Turn};
use ctu_core::{Cache, Error};
use std::{borrow::Borrow, hash::Hash, time::Duration};

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
        let flight = match self.flights.join(key, || self.count(Counted::Wait)) {
            Turn::Done(value) => return Ok(Some(value)),
            Turn::Lead(flight) => Some(flight),
            Turn::Within => None,
        };
        let found = self.compute_alone(key, make, flight.as_ref())?;
        if let (Some(flight), Some(value)) = (flight, &found) {
            flight.land(value.clone());
        }
        Ok(found)
    }

    fn compute_alone(
        &self,
        key: &A::Key,
        make: &mut dyn FnMut() -> Made<A>,
        flight: Option<&Leading<'_, A::Key, A::Value>>,
    ) -> Result<Option<A::Value>, Failed<A, B>> {
        // Somebody may have been done between the caller's look and its turn.
        let first = self.first.get(key);
        if let Some(value) = first.map_err(|error| self.first_failed(error))? {
            return Ok(Some(value));
        }
        // Nothing but a write ends damage, and there is one to come.
        if let Some((value, _)) = self.get_second_or(key, Damage::IsMiss)? {
            return Ok(Some(value));
        }
        match make() {
            Ok(Some(value)) => {
                self.put_computed(key, value.clone(), flight)?;
                Ok(Some(value))
            }
            failed => match self.memory.past(key, self.now()) {
                Some(value) => {
                    self.count(Counted::Stale);
                    Ok(Some(value))
                }
                None => Ok(failed?),
            },
        }
    }

    /// Computes the next that is due anew. Returns for how long to wait then: none at all, or until there
    /// is another.
    pub(super) fn refresh_one(&self) -> Option<Duration> {
        let refresh = self.refresh.as_ref()?;
        let key = refresh.queue.lock().pop_front()?;
        let key: &A::Key = key.borrow();
        // Where somebody computes it, or has since it was found due, there is nothing to do.
        if let Some(flight) = self.flights.begin(key)
            && let Ok(Some((_, left))) = self.first.get_with_ttl(key)
            && self.is_due(left)
            && let Some(value) = (refresh.load)(key)
        {
            self.count(Counted::Refresh);
            if self.put_computed(key, value.clone(), Some(&flight)).is_ok() {
                flight.land(value);
            }
        }
        Some(Duration::ZERO)
    }
}
