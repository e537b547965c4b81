//! The operations over an async second level: the plans and steps of the blocking driver, awaited.
//!
//! A future may be dropped at any await. The guards of the plans then record the operation: see `second` and
//! `write`. The first level answers before the first await.

use super::{
    TwoLevelError,
    claim::ComputeTurn,
    counts::Counted,
    levels::{Failed, FirstLevel, Levels},
    read::{OnCorrupt, ReadManyEnd, ReadPlan},
    second::SecondResult,
    tagged_computation::{MayBeTagged, TaggedComputation},
};
use crate::{
    behaviours::{
        machines::Replay,
        single_flight::{Leading, Turn, within},
    },
    caches::IsAsync,
};
use ctu_core::{AsyncCache, Error, Found};
use std::{pin::pin, time::Duration};

impl<A, B> Levels<A, B, IsAsync>
where
    A: FirstLevel,
    B: AsyncCache<Key = A::Key, Value = A::Value>,
{
    pub(super) async fn get_second(
        &self,
        key: &A::Key,
    ) -> Result<Found<A::Value>, Failed<A, B, IsAsync>> {
        self.get_second_or(key, self.on_corrupt()).await
    }

    pub(super) async fn get_second_or(
        &self,
        key: &A::Key,
        on_corrupt: OnCorrupt,
    ) -> Result<Found<A::Value>, Failed<A, B, IsAsync>> {
        match self.begin_get(key) {
            ReadPlan::Miss => Ok(None),
            ReadPlan::Ask(read) => read.end(self.read_second(key).await, on_corrupt),
            ReadPlan::Repair(repair) => {
                repair.end(self.second.remove(key).await);
                Ok(None)
            }
        }
    }

    pub(super) async fn contains_second(
        &self,
        key: &A::Key,
    ) -> Result<bool, Failed<A, B, IsAsync>> {
        match self.begin_contains(key) {
            ReadPlan::Miss => Ok(false),
            ReadPlan::Ask(read) => read.end_contains(self.second.contains(key).await),
            ReadPlan::Repair(repair) => {
                repair.end(self.second.remove(key).await);
                Ok(false)
            }
        }
    }

    pub(super) async fn get_many(
        &self,
        keys: &[&A::Key],
    ) -> Result<Vec<Found<A::Value>>, Failed<A, B, IsAsync>> {
        let read = self.begin_get_many(keys);
        let mut read = read.map_err(|error| self.first_failed(error))?;
        while let Some(repair) = read.next_repair() {
            let removed = self.second.remove(repair.key).await;
            repair.end(removed);
        }
        let Some(call) = read.admit() else {
            return Ok(read.values);
        };
        let result = call.end(self.read_many_second(&read.keys).await);
        match read.end(result)? {
            ReadManyEnd::Values(values) => Ok(values),
            ReadManyEnd::OneByOne(mut read) => {
                for (position, key) in read.positions.iter().zip(&read.keys) {
                    read.values[*position] = self.get_second(key).await?;
                }
                Ok(read.values)
            }
        }
    }

    pub(super) async fn insert(
        &self,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Failed<A, B, IsAsync>> {
        let write = self.begin_insert(key);
        let time = self.second_time(ttl);
        let result = match self.admit() {
            Some(call) => call.end(self.second.insert_entry(key, value.clone(), time).await),
            None => SecondResult::Skipped,
        };
        write.end_insert(result, value, ttl)
    }

    pub(super) async fn insert_computed(
        &self,
        key: &A::Key,
        value: A::Value,
        flight: &mut Leading<'_, A::Key, A::Value>,
        tagged: Option<&TaggedComputation<'_, A, B, IsAsync>>,
    ) -> Result<(), Failed<A, B, IsAsync>> {
        let Some(write) = self.begin_insert_computed(key, flight, tagged) else {
            return Ok(());
        };
        let result = self.store_computed(key, value.clone(), tagged).await;
        if write.end_insert_computed(result, value, flight)? {
            self.remove(key).await?;
        }
        Ok(())
    }

    pub(super) async fn remove(&self, key: &A::Key) -> Result<bool, Failed<A, B, IsAsync>> {
        let write = self.begin_remove(key);
        let result = match self.admit() {
            Some(call) => call.end(self.second.remove(key).await),
            None => SecondResult::Skipped,
        };
        write.end_remove(result)
    }

    pub(super) async fn clear(&self) -> Result<(), Failed<A, B, IsAsync>> {
        let clear = self.begin_clear();
        let result = match self.admit() {
            Some(call) => call.end(self.second.clear().await),
            None => SecondResult::Skipped,
        };
        clear.end_clear(result)?;
        self.end_clear()
    }

    pub(super) async fn retain<F>(&self, mut keep: F) -> Result<(), Failed<A, B, IsAsync>>
    where
        F: FnMut(&A::Key) -> bool + Send,
    {
        let retain = self.begin_retain();
        let result = match self.admit() {
            Some(call) => call.end(self.second.retain(&mut keep).await),
            None => SecondResult::Skipped,
        };
        retain.end_retain(result)?;
        self.end_retain(&mut keep)
    }

    pub(super) async fn insert_many(
        &self,
        entries: Vec<(&A::Key, A::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Failed<A, B, IsAsync>> {
        let writes = self.begin_insert_many(&entries);
        let time = self.second_time(ttl);
        let result = match self.admit() {
            Some(call) => call.end(self.second.insert_many(entries.clone(), time).await),
            None => SecondResult::Skipped,
        };
        self.end_insert_many(writes, result, entries, ttl)
    }

    pub(super) async fn remove_many(
        &self,
        keys: &[&A::Key],
    ) -> Result<usize, Failed<A, B, IsAsync>> {
        let writes = self.begin_remove_many(keys);
        let result = match self.admit() {
            Some(call) => call.end(self.second.remove_many(keys).await),
            None => SecondResult::Skipped,
        };
        self.end_remove_many(writes, result)
    }

    pub(super) async fn compute<F, Fut>(
        &self,
        key: &A::Key,
        tags: &[&str],
        make: F,
    ) -> Result<Option<A::Value>, Failed<A, B, IsAsync>>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<Option<A::Value>, Error>> + Send,
    {
        match self
            .flights
            .join_task(key, || self.count(Counted::Wait))
            .await
        {
            Turn::Done(value) => Ok(Some(value)),
            Turn::Lead(flight) => {
                let caller = flight.caller();
                within(caller, pin!(self.lead(key, tags, make, Some(flight)))).await
            }
            Turn::Within => self.lead(key, tags, make, None).await,
        }
    }

    async fn lead<F, Fut>(
        &self,
        key: &A::Key,
        tags: &[&str],
        mut make: F,
        mut flight: Option<Leading<'_, A::Key, A::Value>>,
    ) -> Result<Option<A::Value>, Failed<A, B, IsAsync>>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<Option<A::Value>, Error>> + Send,
    {
        let mut stored = Ok(());
        let value = match self.find_again(key).await? {
            Some(value) => Some(value),
            None => match self.turn(key).await? {
                ComputeTurn::Done(value) => Some(value),
                ComputeTurn::Compute(claimed) => {
                    let tagged = self.tagged(key, tags).await?;
                    let made = self.limited(make()).await;
                    if let (Some(Ok(Some(value))), Some(flight)) = (&made, &mut flight) {
                        let (value, tagged) = (value.clone(), tagged.as_ref());
                        stored = self.insert_computed(key, value, flight, tagged).await;
                    }
                    drop(tagged);
                    #[cfg(feature = "tokio")]
                    claimed.release().await;
                    #[cfg(not(feature = "tokio"))]
                    drop(claimed);
                    match made {
                        Some(Ok(Some(value))) => Some(value),
                        Some(failed) => self.stale_or(key, failed)?,
                        None => match self.stale_or(key, Ok(None))? {
                            None => return Err(TwoLevelError::ComputationStopped),
                            stale => stale,
                        },
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

    /// The tags of a value that is about to be computed, in a box: futures without tags stay small.
    pub(super) async fn tagged(
        &self,
        key: &A::Key,
        names: &[&str],
    ) -> Result<MayBeTagged<'_, A, B, IsAsync>, Failed<A, B, IsAsync>> {
        match self.tags {
            Some(_) => Box::pin(self.take_generations(key, names)).await,
            None => Ok(None),
        }
    }

    /// The turn of this node, in a box: futures without claims stay small.
    async fn turn<'k>(
        &self,
        key: &'k A::Key,
    ) -> Result<ComputeTurn<'_, 'k, A, B, IsAsync>, Failed<A, B, IsAsync>> {
        #[cfg(feature = "tokio")]
        if self.shared_flights.is_some() {
            return Box::pin(self.wait_for_turn(key)).await;
        }
        Ok(ComputeTurn::Compute(self.claimed(key, None)))
    }

    /// The output of a computation. `None` at the hard limit, which drops the computation.
    #[cfg(feature = "tokio")]
    pub(super) async fn limited<T>(&self, computation: impl Future<Output = T>) -> Option<T> {
        match self.settings.hard_limit {
            None => Some(computation.await),
            Some(limit) => tokio::time::timeout(limit, computation).await.ok(),
        }
    }

    #[cfg(not(feature = "tokio"))]
    pub(super) async fn limited<T>(&self, computation: impl Future<Output = T>) -> Option<T> {
        Some(computation.await)
    }

    async fn find_again(&self, key: &A::Key) -> Result<Option<A::Value>, Failed<A, B, IsAsync>> {
        if let Some(value) = self.get_first_again(key)? {
            return Ok(Some(value));
        }
        // The computed value overwrites a corrupt one.
        let second = self.get_second_or(key, OnCorrupt::Miss).await?;
        Ok(second.map(|(value, _)| value))
    }

    /// Replays the journal, in at most one request. Returns the wait before the next call; `None` if the
    /// journal is empty.
    pub(super) async fn recover(&self) -> Option<Duration> {
        if let Some(replay) = self.next_replay() {
            let result = match (self.admit(), &replay) {
                (None, _) => SecondResult::Skipped,
                (Some(call), Replay::Clear(_)) => call.end(self.second.clear().await),
                (Some(call), Replay::Keys(keys)) => {
                    let keys: Vec<&A::Key> = keys.iter().map(|(key, _)| key.get()).collect();
                    call.end(self.second.remove_many(&keys).await.map(drop))
                }
            };
            self.end_replay(&replay, result);
        }
        self.next_recovery()
    }
}
