use super::{
    Leading, SingleFlight, Turn,
    writes::{Writes, Written},
};
use ctu_core::{Cache, Equivalent, Error, Found, HasStats, InMemory};
use std::{fmt, hash::Hash, slice, time::Duration};

/// A cache that computes a value once, however many threads ask for it.
///
/// In most caches, threads that call [`get_or_insert_with`](crate::CacheExt::get_or_insert_with), or another method that computes,
/// with a key that is not there, each compute its value. Here one of them does, and the others wait for what it makes.
///
/// ```
/// use ctu_std::{Cache, CacheExt, ConcurrentCache, SingleFlightCache};
/// use std::{sync::atomic::{AtomicU32, Ordering::Relaxed}, thread};
///
/// let cache = SingleFlightCache::new(ConcurrentCache::<String, u32>::with_capacity(100));
/// let computed = AtomicU32::new(0);
/// thread::scope(|scope| {
///     for _ in 0..8 {
///         scope.spawn(|| cache.get_or_insert_with("answer", || computed.fetch_add(1, Relaxed) + 42));
///     }
/// });
/// assert_eq!(cache.get("answer")?, Some(42));
/// assert_eq!(computed.into_inner(), 1);
/// # Ok::<(), ctu_std::Error>(())
/// ```
///
/// # When to take it
/// Where computing a value costs much more than a look-up, and many may want the same cold key at once. A
/// [`TwoLevelCache`](crate::TwoLevelCache) does the same by itself. Threads share the flights by sharing this wrapper:
/// two wrappers around one cache know nothing of each other, nor of what is written to that cache directly.
///
/// # What it costs
/// Look-ups go to the cache below as they are: a hit takes no lock of the wrapper. A computation looks a second time, since
/// another may have been done between the look and the turn; of a cache at a server that is one more round trip for a miss.
/// A write takes locks, for a moment each, and copies its keys. Results that are shared are cloned and dropped under one of
/// them: the `Clone` and `Drop` of a value must not use this cache.
///
/// # Where computing fails
/// If it fails, panics or makes nothing, one of those who wait tries next. They try one after another: where a slow
/// computation fails for all, the last of `n` waits `n` times as long. Set a limit to how long a computation may take.
/// Where the cache cannot store what was made, who made it gets the error, and those who wait get the value.
///
/// A computation may ask for other keys, and for its own, which it then computes within itself; what that makes is
/// returned and not stored.
///
/// # How long a thread waits
/// At most 10 seconds ([`with_wait_limit`](Self::with_wait_limit)). Then it computes the value beside the other thread,
/// and the first result is stored and goes to all. So computations end that wait for each other: each for
/// the other's key, or one for a thread that it started or that its thread pool gave it (rayon), and that asks for the same key.
///
/// # Keys that are written meanwhile
/// Whoever comes after a write or a removal gets nothing that was computed before it, and the result of a
/// computation during which its key was written or removed is not stored: it goes to those who had come before. A write
/// never waits for a computation; it does wait for a result of the same key that is being stored right then.
pub struct SingleFlightCache<C: Cache<Key: ToOwned>> {
    inner: C,
    flights: SingleFlight<C::Key, C::Value>,
    writes: Writes<C::Key>,
}

impl<C: Cache<Key: ToOwned> + HasStats> HasStats for SingleFlightCache<C> {
    type Stats = <C as HasStats>::Stats;
    type Error = <C as HasStats>::Error;

    fn stats(&self) -> Result<Self::Stats, Self::Error> {
        self.inner.stats()
    }

    fn hit_rate(&self) -> Result<f64, Self::Error> {
        self.inner.hit_rate()
    }
}

impl<C: Cache<Key: Hash + Eq + ToOwned>> SingleFlightCache<C> {
    /// One computation a key for those who compute through this, and keep the results in `inner`.
    pub fn new(inner: C) -> Self {
        Self {
            inner,
            flights: SingleFlight::new(),
            writes: Writes::new(),
        }
    }

    /// A thread waits at most for `limit`, and then computes beside the thread that it waited for. [`Duration::ZERO`] is no
    /// waiting, [`Duration::MAX`] no limit. 10 seconds unless set.
    ///
    /// Longer than a computation usually takes: threads that reach the limit compute the same value at once.
    ///
    /// ```
    /// use ctu_std::{ConcurrentCache, SingleFlightCache};
    /// use std::time::Duration;
    ///
    /// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
    /// let cache = SingleFlightCache::new(cache).with_wait_limit(Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn with_wait_limit(mut self, limit: Duration) -> Self {
        self.flights.set_wait_limit(limit);
        self
    }

    /// The cache below. What is written there directly does not concern computations under way.
    pub const fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The cache below.
    pub fn into_inner(self) -> C {
        self.inner
    }

    /// Runs a write of `written` on the cache below.
    fn write<T>(&self, written: Written<'_, C::Key>, write: impl FnOnce(&C) -> T) -> T {
        let _until_done = self.writes.write(&self.flights, written);
        write(&self.inner)
    }

    fn write_one<T>(&self, key: &C::Key, write: impl FnOnce(&C) -> T) -> T {
        self.write(Written::Keys(slice::from_ref(&key)), write)
    }

    /// Computes for those who wait, too.
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
                // Of a cache that asks twice, the first is done with.
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

impl<C: Cache<Key: Hash + Eq + ToOwned> + InMemory> InMemory for SingleFlightCache<C> {}

impl<C: Cache<Key: Hash + Eq + ToOwned>> Cache for SingleFlightCache<C> {
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    #[inline]
    fn get(&self, key: &C::Key) -> Result<Option<C::Value>, C::Error> {
        self.inner.get(key)
    }

    #[inline]
    fn get_equivalent<Q: Equivalent<C::Key>>(&self, key: &Q) -> Result<Option<C::Value>, C::Error> {
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

impl<C: Cache<Key: ToOwned> + fmt::Debug> fmt::Debug for SingleFlightCache<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlightCache")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
