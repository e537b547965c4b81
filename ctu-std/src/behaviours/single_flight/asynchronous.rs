//! The single flight over an async cache.

use super::{
    SingleFlightCache,
    flights::{Leading, Turn},
    tasks::within,
    writes::{Storing, Writing, Written},
};
use crate::{caches::IsAsync, sync::Mutex};
use ctu_core::{AsyncCache, Error, Found};
use std::{hash::Hash, pin::pin, slice, time::Duration};

/// The progress of a computation.
struct Computed<'w, K: ToOwned + Hash + Eq + ?Sized, V> {
    made: Option<V>,
    storing: Option<Storing<'w, K>>,
}

impl<C> SingleFlightCache<C, IsAsync>
where
    C: AsyncCache<Key: Hash + Eq + ToOwned<Owned: Send>>,
{
    /// Begins a write of `keys`.
    async fn write<'w>(&'w self, keys: &'w [&'w C::Key]) -> Writing<'w, C::Key, C::Value> {
        let written = Written::Keys(keys);
        self.writes.write_task(&self.flights, written).await
    }

    /// Begins a write of every key.
    async fn write_all(&self) -> Writing<'_, C::Key, C::Value> {
        self.writes.write_task(&self.flights, Written::All).await
    }

    /// Computes for the waiting callers, too.
    async fn lead<F, Fut>(
        &self,
        flight: Leading<'_, C::Key, C::Value>,
        key: &C::Key,
        mut make: F,
    ) -> Result<Option<C::Value>, C::Error>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<Option<C::Value>, Error>> + Send,
    {
        // The futures of `make` share it.
        let computed = Mutex::new(Computed {
            made: None,
            storing: None,
        });
        let found = self.inner.get_or_compute(key, || {
            let (made, computed, flight) = (make(), &computed, &flight);
            async move {
                let made = made.await?;
                // The inner cache may call `make` twice; the first result is not stored then.
                let before = computed.lock().storing.take();
                drop(before);
                let storing = made.as_ref().and_then(|_| self.writes.store(flight, key));
                let stored = made.clone().filter(|_| storing.is_some());
                *computed.lock() = Computed { made, storing };
                Ok(stored)
            }
        });
        let found = within(flight.caller(), pin!(found)).await;
        let Computed { made, storing } = computed.into_inner();
        if storing.as_ref().is_some_and(Storing::is_overtaken) {
            // The older result may be stored over a newer value.
            self.inner.remove(key).await?;
        }
        drop(storing);
        let (value, failed) = match found {
            Ok(found) => (made.or(found), None),
            Err(error) => (made, Some(error)),
        };
        if let Some(value) = &value {
            flight.finish(value.clone());
        }
        failed.map_or(Ok(value), Err)
    }
}

impl<C> AsyncCache for SingleFlightCache<C, IsAsync>
where
    C: AsyncCache<Key: Hash + Eq + ToOwned<Owned: Send>>,
{
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    async fn get(&self, key: &C::Key) -> Result<Option<C::Value>, C::Error> {
        self.inner.get(key).await
    }

    async fn insert_entry(
        &self,
        key: &C::Key,
        value: C::Value,
        ttl: Option<Duration>,
    ) -> Result<(), C::Error> {
        let _writing = self.write(slice::from_ref(&key)).await;
        self.inner.insert_entry(key, value, ttl).await
    }

    async fn remove(&self, key: &C::Key) -> Result<bool, C::Error> {
        let _writing = self.write(slice::from_ref(&key)).await;
        self.inner.remove(key).await
    }

    async fn clear(&self) -> Result<(), C::Error> {
        let _writing = self.write_all().await;
        self.inner.clear().await
    }

    async fn len(&self) -> Result<usize, C::Error> {
        self.inner.len().await
    }

    async fn is_empty(&self) -> Result<bool, C::Error> {
        self.inner.is_empty().await
    }

    async fn contains(&self, key: &C::Key) -> Result<bool, C::Error> {
        self.inner.contains(key).await
    }

    async fn get_with_ttl(&self, key: &C::Key) -> Result<Found<C::Value>, C::Error> {
        self.inner.get_with_ttl(key).await
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.inner.default_ttl()
    }

    async fn pop(&self, key: &C::Key) -> Result<Option<C::Value>, C::Error> {
        let _writing = self.write(slice::from_ref(&key)).await;
        self.inner.pop(key).await
    }

    async fn retain<F>(&self, keep: F) -> Result<(), C::Error>
    where
        F: FnMut(&C::Key) -> bool + Send,
    {
        let _writing = self.write_all().await;
        self.inner.retain(keep).await
    }

    /// As [`Cache::get_or_compute`](crate::Cache::get_or_compute), with one computation a key among all
    /// tasks.
    async fn get_or_compute<F, Fut>(
        &self,
        key: &C::Key,
        mut make: F,
    ) -> Result<Option<C::Value>, C::Error>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<Option<C::Value>, Error>> + Send,
    {
        if let Some(value) = self.inner.get(key).await? {
            return Ok(Some(value));
        }
        match self.flights.join_task(key, || ()).await {
            Turn::Done(value) => Ok(Some(value)),
            Turn::Lead(flight) => self.lead(flight, key, make).await,
            Turn::Within => Ok(make().await?),
        }
    }

    fn has_single_flight(&self) -> bool {
        true
    }

    async fn get_many(&self, keys: &[&C::Key]) -> Result<Vec<Option<C::Value>>, C::Error> {
        self.inner.get_many(keys).await
    }

    async fn get_many_with_ttl(&self, keys: &[&C::Key]) -> Result<Vec<Found<C::Value>>, C::Error> {
        self.inner.get_many_with_ttl(keys).await
    }

    async fn insert_many(
        &self,
        entries: Vec<(&C::Key, C::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), C::Error> {
        let keys: Vec<&C::Key> = entries.iter().map(|(key, _)| *key).collect();
        let _writing = self.write(&keys).await;
        self.inner.insert_many(entries, ttl).await
    }

    async fn remove_many(&self, keys: &[&C::Key]) -> Result<usize, C::Error> {
        let _writing = self.write(keys).await;
        self.inner.remove_many(keys).await
    }
}
