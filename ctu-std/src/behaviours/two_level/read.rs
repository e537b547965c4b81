//! Reading the second level.

use super::{
    ask::Asked,
    counts::Counted,
    levels::{Failed, Levels},
    order::Begun,
};
use crate::behaviours::machines::Belief;
use ctu_core::{Cache, CacheError, Found};
use std::hash::Hash;

/// What a value at the second level is to a read that cannot decode it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    IsMiss,
    IsError,
}

impl Damage {
    /// Whether a read that failed by `error` is a miss.
    fn forgives(self, error: &impl CacheError) -> bool {
        self == Self::IsMiss && error.is_corrupt()
    }
}

impl<A, B> Levels<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// Whether the second level is to be asked for `key`.
    pub(super) fn believes(&self, key: &A::Key) -> bool {
        if self.flights.doubts(key) {
            self.count(Counted::Distrusted);
            return false;
        }
        let belief = match &self.health {
            None => return true,
            Some(health) => health.lock().journal.belief(key, self.now()),
        };
        match belief {
            Belief::Believed => return true,
            Belief::Distrusted => {}
            Belief::Repair(repair) => {
                if let (Asked::Done(_), Some(health)) =
                    (self.ask(|second| second.remove(key)), &self.health)
                {
                    health.lock().journal.repaired(key, repair, self.now());
                }
            }
        }
        self.count(Counted::Distrusted);
        false
    }

    /// Makes a miss of a failed read of the second level, or an error. The next computation of the
    /// value writes over it.
    fn unread(&self, error: B::Error, damage: Damage) -> Result<(), Failed<A, B>> {
        if damage.forgives(&error) {
            self.count(Counted::Damaged);
            self.tell_damaged(&error);
            return Ok(());
        }
        Err(self.second_failed(error))
    }

    /// What damage is to those who read. Python's caches fail by it.
    fn damage(&self) -> Damage {
        match self.health {
            Some(_) => Damage::IsMiss,
            None => Damage::IsError,
        }
    }

    /// Reads the second level where the first has nothing, and fills the first with what is there.
    pub(super) fn get_second(&self, key: &A::Key) -> Result<Found<A::Value>, Failed<A, B>> {
        self.get_second_or(key, self.damage())
    }

    /// [`get_second`](Self::get_second), where a value that cannot be decoded is what `damage` says.
    pub(super) fn get_second_or(
        &self,
        key: &A::Key,
        damage: Damage,
    ) -> Result<Found<A::Value>, Failed<A, B>> {
        if self.memory.is_nothing(key) {
            self.count(Counted::Nothing);
            self.count(Counted::Miss);
            return Ok(None);
        }
        let begun = self.order.begin(key);
        if !self.believes(key) {
            self.count(Counted::Miss);
            return Ok(None);
        }
        let found = match self.ask(|second| second.get_with_ttl(key)) {
            Asked::Done(found) => found,
            Asked::Failed(error) => {
                self.unread(error, damage)?;
                self.count(Counted::Miss);
                return Ok(None);
            }
            Asked::Missed(_) => {
                self.count(Counted::Miss);
                return Ok(None);
            }
        };
        self.take_in(key, begun, &found);
        Ok(found)
    }

    /// Keeps what the second level was found to have, or not to have, unless it may be older than a write.
    fn take_in(&self, key: &A::Key, begun: Begun, found: &Found<A::Value>) {
        match found {
            Some((value, left)) => {
                self.order.fill(begun, || self.fill(key, value, *left));
                self.count(Counted::SecondHit);
            }
            None => {
                self.order.fill(begun, || self.memory.keep_nothing(key));
                self.count(Counted::Miss);
            }
        }
    }

    pub(super) fn contains_second(&self, key: &A::Key) -> Result<bool, Failed<A, B>> {
        if self.memory.is_nothing(key) || !self.believes(key) {
            return Ok(false);
        }
        match self.ask(|second| second.contains(key)) {
            Asked::Done(there) => Ok(there),
            Asked::Failed(error) => self.unread(error, self.damage()).map(|()| false),
            Asked::Missed(_) => Ok(false),
        }
    }

    /// The values at `keys`: the second level is asked at once for all that the first has not.
    pub(super) fn get_all(&self, keys: &[&A::Key]) -> Result<Vec<Found<A::Value>>, Failed<A, B>> {
        let first = self.first.get_many_with_ttl(keys);
        let mut values = first.map_err(|error| self.first_failed(error))?;
        let (mut places, mut missing, mut begun) = (Vec::new(), Vec::new(), Vec::new());
        for (value, key) in values.iter_mut().zip(keys) {
            if let Some((_, left)) = value {
                self.count(Counted::FirstHit);
                self.refresh_if_due(key, *left);
                continue;
            }
            let before = self.order.begin(*key);
            if self.memory.is_nothing(key) || !self.believes(key) {
                self.count(Counted::Miss);
                continue;
            }
            places.push(value);
            missing.push(*key);
            begun.push(before);
        }
        if missing.is_empty() {
            return Ok(values);
        }
        let found = match self.ask(|second| second.get_many_with_ttl(&missing)) {
            Asked::Done(found) => found,
            // The error does not name the key.
            Asked::Failed(error) if self.damage().forgives(&error) => {
                for (place, key) in places.into_iter().zip(missing) {
                    *place = self.get_second(key)?;
                }
                return Ok(values);
            }
            Asked::Failed(error) => return Err(self.second_failed(error)),
            Asked::Missed(_) => {
                self.counts.add(Counted::Miss, missing.len() as u64);
                return Ok(values);
            }
        };
        for (((place, key), begun), found) in places.into_iter().zip(missing).zip(begun).zip(found)
        {
            self.take_in(key, begun, &found);
            *place = found;
        }
        Ok(values)
    }
}
