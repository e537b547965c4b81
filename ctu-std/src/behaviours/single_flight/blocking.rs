//! The single flight over a blocking cache.

use super::{
    SingleFlightCache,
    flights::{Leading, Turn},
    writes::Written,
};
use ctu_core::{Cache, Error, Found, KeyParts};
use std::{hash::Hash, slice, time::Duration};

impl<C: Cache<Key: Hash + Eq + ToOwned>> SingleFlightCache<C> {
    /// Runs a write on the inner cache.
    fn write<T>(&self, written: Written<'_, C::Key>, write: impl FnOnce(&C) -> T) -> T {
        let _until_done = self.writes.write(&self.flights, written);
        write(&self.inner)
    }

    fn write_one<T>(&self, key: &C::Key, write: impl FnOnce(&C) -> T) -> T {
        self.write(Written::Keys(slice::from_ref(&key)), write)
    }

    /// Computes for the waiting callers, too.
    fn lead(
        &self,
        flight: Leading<'_, C::Key, C::Value>,
        key: &C::Key,
        make: &mut dyn FnMut() -> Result<Option<C::Value>, Error>,
    ) -> Result<Option<C::Value>, C::Error> {
        let (mut made, mut storing) = (None, None);
        let found = self.inner.get_or_compute(key, &mut || {
            made = make()?;
            if made.is_some() {
                // The inner cache may call `make` twice; the first result is not stored then.
                drop(storing.take());
                storing = self.writes.store(&flight, key);
            }
            Ok(made.clone().filter(|_| storing.is_some()))
        });
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

impl<C: Cache<Key: Hash + Eq + ToOwned>> Cache for SingleFlightCache<C> {
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    #[inline]
    fn get(&self, key: &C::Key) -> Result<Option<C::Value>, C::Error> {
        self.inner.get(key)
    }

    #[inline]
    fn get_equivalent<Q: KeyParts<C::Key>>(&self, key: &Q) -> Result<Option<C::Value>, C::Error> {
        self.inner.get_equivalent(key)
    }

    fn insert_entry(
        &self,
        key: &C::Key,
        value: C::Value,
        ttl: Option<Duration>,
    ) -> Result<(), C::Error> {
        self.write_one(key, |inner| inner.insert_entry(key, value, ttl))
    }

    fn remove(&self, key: &C::Key) -> Result<bool, C::Error> {
        self.write_one(key, |inner| inner.remove(key))
    }

    fn clear(&self) -> Result<(), C::Error> {
        self.write(Written::All, C::clear)
    }

    fn len(&self) -> Result<usize, C::Error> {
        self.inner.len()
    }

    fn is_empty(&self) -> Result<bool, C::Error> {
        self.inner.is_empty()
    }

    fn contains(&self, key: &C::Key) -> Result<bool, C::Error> {
        self.inner.contains(key)
    }

    fn get_with_ttl(&self, key: &C::Key) -> Result<Found<C::Value>, C::Error> {
        self.inner.get_with_ttl(key)
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.inner.default_ttl()
    }

    fn pop(&self, key: &C::Key) -> Result<Option<C::Value>, C::Error> {
        self.write_one(key, |inner| inner.pop(key))
    }

    fn retain(&self, keep: &mut dyn FnMut(&C::Key) -> bool) -> Result<(), C::Error> {
        self.write(Written::All, |inner| inner.retain(keep))
    }

    /// As [`Cache::get_or_compute`], with one computation a key among all threads.
    fn get_or_compute(
        &self,
        key: &C::Key,
        make: &mut dyn FnMut() -> Result<Option<C::Value>, Error>,
    ) -> Result<Option<C::Value>, C::Error> {
        if let Some(value) = self.inner.get(key)? {
            return Ok(Some(value));
        }
        match self.flights.join(key, || ()) {
            Turn::Done(value) => Ok(Some(value)),
            Turn::Lead(flight) => self.lead(flight, key, make),
            Turn::Within => Ok(make()?),
        }
    }

    fn has_single_flight(&self) -> bool {
        true
    }

    fn get_many(&self, keys: &[&C::Key]) -> Result<Vec<Option<C::Value>>, C::Error> {
        self.inner.get_many(keys)
    }

    fn get_many_with_ttl(&self, keys: &[&C::Key]) -> Result<Vec<Found<C::Value>>, C::Error> {
        self.inner.get_many_with_ttl(keys)
    }

    fn insert_many(
        &self,
        entries: Vec<(&C::Key, C::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), C::Error> {
        let keys: Vec<&C::Key> = entries.iter().map(|(key, _)| *key).collect();
        self.write(Written::Keys(&keys), |inner| {
            inner.insert_many(entries, ttl)
        })
    }

    fn remove_many(&self, keys: &[&C::Key]) -> Result<usize, C::Error> {
        self.write(Written::Keys(keys), |inner| inner.remove_many(keys))
    }
}
