//! [`TwoLevelCache`] over an async second level.

use super::{TwoLevelCache, TwoLevelStats, levels::Failed};
use crate::caches::IsAsync;
use ctu_core::{AsyncCache, Cache, CacheId, Error, Found, HasAsyncStats, InMemory};
use std::{convert::Infallible, future::ready, hash::Hash, time::Duration};

impl<A, B> TwoLevelCache<A, B, IsAsync>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: AsyncCache<Key = A::Key, Value = A::Value>,
{
    /// Replays the journal at the second level, in at most one request. Returns the wait before the next
    /// call; `None` if the journal is empty.
    ///
    /// The background task of a [`resilient`](super::TwoLevelBuilder::resilient) cache calls it. For a cache
    /// that [`manual_recovery`](super::TwoLevelBuilder::manual_recovery), and for a program that is about
    /// to end.
    pub async fn recover(&self) -> Option<Duration> {
        self.levels.recover().await
    }
}

impl<A, B> HasAsyncStats for TwoLevelCache<A, B, IsAsync>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: AsyncCache<Key = A::Key, Value = A::Value>,
{
    type Stats = TwoLevelStats;
    type Error = Infallible;

    fn stats_async(&self) -> impl Future<Output = Result<TwoLevelStats, Infallible>> + Send {
        ready(Ok(self.stats()))
    }

    fn hit_rate_async(&self) -> impl Future<Output = Result<f64, Infallible>> + Send {
        ready(Ok(self.hit_rate()))
    }
}

/// A hit in the first level is ready at the first poll and allocates nothing. Every future may be dropped at
/// any await: the page [resilience](crate::docs::resilience) has the promises.
impl<A, B> AsyncCache for TwoLevelCache<A, B, IsAsync>
where
    A: Cache<Key: Hash + Eq + ToOwned<Owned: Send> + Sync, Value: Send, Error: Send>
        + InMemory
        + Send
        + Sync,
    B: AsyncCache<Key = A::Key, Value = A::Value> + Send,
{
    type Key = A::Key;
    type Value = A::Value;
    type Error = Failed<A, B, IsAsync>;

    #[inline]
    async fn get(&self, key: &A::Key) -> Result<Option<A::Value>, Self::Error> {
        match self.get_first(key)? {
            Some(value) => Ok(Some(value)),
            None => {
                let second = self.levels.get_second(key).await?;
                Ok(second.map(|(value, _)| value))
            }
        }
    }

    async fn insert_entry(
        &self,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        self.levels.insert(key, value, ttl).await
    }

    /// As [`Cache::remove`]. Returns whether there was an entry at either level.
    async fn remove(&self, key: &A::Key) -> Result<bool, Self::Error> {
        self.levels.remove(key).await
    }

    async fn clear(&self) -> Result<(), Self::Error> {
        self.levels.clear().await
    }

    /// The number of entries in the first level, as in Python.
    async fn len(&self) -> Result<usize, Self::Error> {
        self.len_of_first()
    }

    async fn contains(&self, key: &A::Key) -> Result<bool, Self::Error> {
        match self.first_contains(key)? {
            true => Ok(true),
            false => self.levels.contains_second(key).await,
        }
    }

    async fn get_with_ttl(&self, key: &A::Key) -> Result<Found<A::Value>, Self::Error> {
        match self.first_with_ttl(key)? {
            Some(found) => Ok(Some(found)),
            None => self.levels.get_second(key).await,
        }
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.levels.second_ttl.or(self.levels.first_ttl)
    }

    async fn retain<F>(&self, keep: F) -> Result<(), Self::Error>
    where
        F: FnMut(&A::Key) -> bool + Send,
    {
        self.levels.retain(keep).await
    }

    /// As [`Cache::get_or_compute`], with one computation a key among all tasks.
    async fn get_or_compute<F, Fut>(
        &self,
        key: &A::Key,
        make: F,
    ) -> Result<Option<A::Value>, Self::Error>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<Option<A::Value>, Error>> + Send,
    {
        match self.get_first(key)? {
            Some(value) => Ok(Some(value)),
            None => self.levels.compute(key, &[], make).await,
        }
    }

    fn has_single_flight(&self) -> bool {
        true
    }

    fn id(&self) -> CacheId {
        CacheId::of(&*self.levels)
    }

    async fn get_many(&self, keys: &[&A::Key]) -> Result<Vec<Option<A::Value>>, Self::Error> {
        let found = self.levels.get_many(keys).await?;
        let values = found.into_iter().map(|found| found.map(|(value, _)| value));
        Ok(values.collect())
    }

    async fn get_many_with_ttl(
        &self,
        keys: &[&A::Key],
    ) -> Result<Vec<Found<A::Value>>, Self::Error> {
        self.levels.get_many(keys).await
    }

    async fn insert_many(
        &self,
        entries: Vec<(&A::Key, A::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        self.levels.insert_many(entries, ttl).await
    }

    async fn remove_many(&self, keys: &[&A::Key]) -> Result<usize, Self::Error> {
        self.levels.remove_many(keys).await
    }
}
