//! The operations over a blocking second level: a plan, the request, the step after it.

use super::{
    claim::ComputeTurn,
    compute::{Refreshed, WithValue},
    counts::Counted,
    levels::{Failed, FirstLevel, Levels, Load},
    read::{OnCorrupt, ReadManyEnd, ReadPlan},
    second::SecondResult,
    tagged_computation::TaggedComputation,
    write_computed::ComputedWrite,
};
use crate::{
    behaviours::{
        machines::{OwnedKey, Replay},
        single_flight::{Leading, Turn},
    },
    caches::IsCache,
};
use ctu_core::{Cache, Error, Found};
use std::{hash::Hash, time::Duration};

impl<A, B> Levels<A, B, IsCache>
where
    A: FirstLevel,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// Looks `key` up at the second level, after a miss at the first.
    pub(super) fn get_second(&self, key: &A::Key) -> Result<Found<A::Value>, Failed<A, B>> {
        self.get_second_or(key, self.on_corrupt())
    }

    pub(super) fn get_second_or(
        &self,
        key: &A::Key,
        on_corrupt: OnCorrupt,
    ) -> Result<Found<A::Value>, Failed<A, B>> {
        match self.begin_get(key) {
            ReadPlan::Miss => Ok(None),
            ReadPlan::Ask(read) => read.end(self.read_second(key), on_corrupt),
            ReadPlan::Repair(repair) => {
                repair.end(self.second.remove(key));
                Ok(None)
            }
        }
    }

    pub(super) fn contains_second(&self, key: &A::Key) -> Result<bool, Failed<A, B>> {
        match self.begin_contains(key) {
            ReadPlan::Miss => Ok(false),
            ReadPlan::Ask(read) => read.end_contains(self.second.contains(key)),
            ReadPlan::Repair(repair) => {
                repair.end(self.second.remove(key));
                Ok(false)
            }
        }
    }

    /// The values at `keys`, with one request for the keys that the first level misses.
    pub(super) fn get_many(&self, keys: &[&A::Key]) -> Result<Vec<Found<A::Value>>, Failed<A, B>> {
        let read = self.begin_get_many(keys);
        let mut read = read.map_err(|error| self.first_failed(error))?;
        while let Some(repair) = read.next_repair() {
            let removed = self.second.remove(repair.key);
            repair.end(removed);
        }
        let Some(call) = read.admit() else {
            return Ok(read.values);
        };
        let result = call.end(self.read_many_second(&read.keys));
        match read.end(result)? {
            ReadManyEnd::Values(values) => Ok(values),
            ReadManyEnd::OneByOne(mut read) => {
                for (position, key) in read.positions.iter().zip(&read.keys) {
                    read.values[*position] = self.get_second(key)?;
                }
                Ok(read.values)
            }
        }
    }

    pub(super) fn insert(
        &self,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Failed<A, B>> {
        let write = self.begin_insert(key);
        let time = self.second_time(ttl);
        let result = match self.admit() {
            Some(call) => call.end(self.second.insert_entry(key, value.clone(), time)),
            None => SecondResult::Skipped,
        };
        write.end_insert(result, value, ttl)
    }

    fn insert_computed(
        &self,
        key: &A::Key,
        value: A::Value,
        flight: &mut Leading<'_, A::Key, A::Value>,
        tagged: Option<&TaggedComputation<'_, A, B, IsCache>>,
    ) -> Result<(), Failed<A, B>> {
        let Some(write) = self.begin_insert_computed(key, flight, tagged) else {
            return Ok(());
        };
        let result = self.store_computed(key, value.clone(), tagged);
        if write.end_insert_computed(result, value, flight)? {
            self.remove(key)?;
        }
        Ok(())
    }

    pub(super) fn remove(&self, key: &A::Key) -> Result<bool, Failed<A, B>> {
        let write = self.begin_remove(key);
        let result = match self.admit() {
            Some(call) => call.end(self.second.remove(key)),
            None => SecondResult::Skipped,
        };
        write.end_remove(result)
    }

    pub(super) fn clear(&self) -> Result<(), Failed<A, B>> {
        let clear = self.begin_clear();
        let result = match self.admit() {
            Some(call) => call.end(self.second.clear()),
            None => SecondResult::Skipped,
        };
        clear.end_clear(result)?;
        self.end_clear()
    }

    pub(super) fn retain(&self, keep: &mut dyn FnMut(&A::Key) -> bool) -> Result<(), Failed<A, B>> {
        let retain = self.begin_retain();
        let result = match self.admit() {
            Some(call) => call.end(self.second.retain(keep)),
            None => SecondResult::Skipped,
        };
        retain.end_retain(result)?;
        self.end_retain(keep)
    }

    pub(super) fn insert_many(
        &self,
        entries: Vec<(&A::Key, A::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Failed<A, B>> {
        let writes = self.begin_insert_many(&entries);
        let time = self.second_time(ttl);
        let result = match self.admit() {
            Some(call) => call.end(self.second.insert_many(entries.clone(), time)),
            None => SecondResult::Skipped,
        };
        self.end_insert_many(writes, result, entries, ttl)
    }

    pub(super) fn remove_many(&self, keys: &[&A::Key]) -> Result<usize, Failed<A, B>> {
        let writes = self.begin_remove_many(keys);
        let result = match self.admit() {
            Some(call) => call.end(self.second.remove_many(keys)),
            None => SecondResult::Skipped,
        };
        self.end_remove_many(writes, result)
    }

    /// Computes the value at `key`, which the first level misses, once among all callers, and stores it with
    /// `tags`.
    pub(super) fn compute(
        &self,
        key: &A::Key,
        tags: &[&str],
        make: &mut dyn FnMut() -> Result<Option<A::Value>, Error>,
    ) -> Result<Option<A::Value>, Failed<A, B>> {
        match self.flights.join(key, || self.count(Counted::Wait)) {
            Turn::Done(value) => Ok(Some(value)),
            Turn::Lead(flight) => self.lead(key, tags, make, Some(flight)),
            Turn::Within => self.lead(key, tags, make, None),
        }
    }

    /// Computes, stores the value, and gives it to the waiting callers. Without a `flight`, the caller
    /// computes within its own computation of the key, which stores the value.
    fn lead(
        &self,
        key: &A::Key,
        tags: &[&str],
        make: &mut dyn FnMut() -> Result<Option<A::Value>, Error>,
        mut flight: Option<Leading<'_, A::Key, A::Value>>,
    ) -> Result<Option<A::Value>, Failed<A, B>> {
        let mut stored = Ok(());
        let value = match self.find_again(key)? {
            Some(value) => Some(value),
            None => match self.wait_for_turn(key)? {
                ComputeTurn::Done(value) => Some(value),
                ComputeTurn::Compute(_until_stored) => {
                    let tagged = self.take_generations(key, tags)?;
                    match make() {
                        Ok(Some(value)) => {
                            if let Some(flight) = &mut flight {
                                let (value, tagged) = (value.clone(), tagged.as_ref());
                                stored = self.insert_computed(key, value, flight, tagged);
                            }
                            Some(value)
                        }
                        failed => self.stale_or(key, failed)?,
                    }
                }
            },
        };
        // A value that cannot be stored goes to the waiting callers too: they would compute the same.
        if let (Some(flight), Some(value)) = (flight, &value) {
            flight.finish(value.clone());
        }
        stored.map(|()| value)
    }

    fn find_again(&self, key: &A::Key) -> Result<Option<A::Value>, Failed<A, B>> {
        if let Some(value) = self.get_first_again(key)? {
            return Ok(Some(value));
        }
        // The computed value overwrites a corrupt one.
        let second = self.get_second_or(key, OnCorrupt::Miss)?;
        Ok(second.map(|(value, _)| value))
    }

    /// Refreshes the next keys of the queue, by one call of the loader. Returns the wait before the next call;
    /// `None` if the queue is empty.
    pub(super) fn refresh_next(&self) -> Option<Duration> {
        let (refresh, keys) = self.next_refresh()?;
        let mut refreshed = Vec::new();
        for key in keys.iter().map(OwnedKey::get) {
            if let Some(flight) = self.begin_refresh(key)
                && let Some(claimed) = self.try_claim(key)
                && let Ok(tagged) = self.take_generations(key, &[])
            {
                refreshed.push(Refreshed {
                    key,
                    flight,
                    claimed,
                    tagged,
                });
            }
        }
        let keys: Vec<&A::Key> = refreshed.iter().map(|refreshed| refreshed.key).collect();
        if let (Load::Blocking(load), false) = (&refresh.load, keys.is_empty()) {
            let values = load(&keys);
            let mut loaded = self.loaded(refreshed, values);
            // A failure is counted, and a later read queues the key again.
            let _ = self.insert_refreshed(&mut loaded);
            for (refreshed, value) in loaded {
                refreshed.flight.finish(value);
                drop(refreshed.claimed);
            }
        }
        Some(Duration::ZERO)
    }

    /// Stores the values of a refresh: in one request, unless each entry has tags.
    fn insert_refreshed<'l>(
        &'l self,
        loaded: &mut [WithValue<'l, '_, A, B, IsCache>],
    ) -> Result<(), Failed<A, B>> {
        if loaded
            .iter()
            .any(|(refreshed, _)| refreshed.tagged.is_some())
        {
            return loaded.iter_mut().try_for_each(|(refreshed, value)| {
                let (key, tagged) = (refreshed.key, refreshed.tagged.as_ref());
                self.insert_computed(key, value.clone(), &mut refreshed.flight, tagged)
            });
        }
        let writes = self.begin_insert_refreshed(loaded);
        let entries: Vec<_> = writes.iter().map(ComputedWrite::entry).collect();
        if entries.is_empty() {
            return Ok(());
        }
        let result = match self.admit() {
            Some(call) => call.end(self.second.insert_many(entries, self.second_time(None))),
            None => SecondResult::Skipped,
        };
        let written = self.end_insert_refreshed(writes, result)?;
        match written.is_empty() {
            true => Ok(()),
            false => self.remove_many(&written).map(drop),
        }
    }

    /// Replays the journal, in at most one request. Returns the wait before the next call; `None` if the
    /// journal is empty.
    pub(super) fn recover(&self) -> Option<Duration> {
        if let Some(replay) = self.next_replay() {
            let result = match (self.admit(), &replay) {
                (None, _) => SecondResult::Skipped,
                (Some(call), Replay::Clear(_)) => call.end(self.second.clear()),
                (Some(call), Replay::Keys(keys)) => {
                    let keys: Vec<&A::Key> = keys.iter().map(|(key, _)| key.get()).collect();
                    call.end(self.second.remove_many(&keys).map(drop))
                }
            };
            self.end_replay(&replay, result);
        }
        self.next_recovery()
    }
}

impl<A, B> Levels<A, B, IsCache>
where
    A: Cache<Key: Hash + Eq + ToOwned<Owned: Send>, Value: Send> + Send + Sync + 'static,
    B: Cache<Key = A::Key, Value = A::Value> + Send + Sync + 'static,
{
    pub(super) fn recover_in_thread(&self) {
        let step = |levels: &Self| levels.recover();
        self.recovering.wake("ctu-recovery", &self.me, step);
    }

    pub(super) fn refresh_in_thread(&self) {
        let step = |levels: &Self| levels.refresh_next();
        self.refreshing.wake("ctu-refresh", &self.me, step);
    }
}
