//! `TwoLevelCache`.

use super::{
    TwoLevelBuilder, TwoLevelStats,
    counts::Counted,
    levels::{Failed, Levels},
};
use crate::caches::{AnyCache, IntoCache, IsCache};
use ctu_core::{Cache, CacheId, Error, Found, HasStats, InMemory};
use std::{convert::Infallible, fmt, hash::Hash, sync::Arc, time::Duration};

/// A small, fast cache in front of a large, shared one: memory in front of Redis.
///
/// | operation | first level | second level |
/// | --- | --- | --- |
/// | `get` | read first, filled from the second | read after a miss |
/// | `insert`, `remove` | changed second | changed first |
/// | `contains` | read first | read after a miss |
/// | `len` | read | |
/// | `clear`, `retain` | changed second | changed first |
/// | [`clear_first`](Self::clear_first) | cleared | |
///
/// A hit in the first level waits for nothing. Unless the cache is
/// [`resilient`](TwoLevelBuilder::resilient), errors of the second level reach the caller. A failed
/// `insert` leaves the first level unchanged. A failed `remove` removes the entry from the first level,
/// since the second may have removed it.
///
/// `get_or_insert_with` and the related methods compute a value once among all callers: the others wait
/// for the result. If the computation fails or panics, the caller that has waited longest computes next.
/// A caller waits for at most [10 seconds](TwoLevelBuilder::wait_limit), and then computes beside the
/// other. A value that cannot be stored goes to the waiting callers. A corrupt value of the second level
/// is overwritten; for `get` it is an error unless the cache is resilient.
///
/// A clone is another handle of the same cache.
///
/// ```
/// use ctu_std::{Cache, CacheExt, LruCache, TwoLevelCache};
///
/// // The second is usually a `RedisCache`.
/// let second = LruCache::<String, u32>::with_capacity(100_000);
/// let first = LruCache::<String, u32>::with_capacity(100);
/// let cache = TwoLevelCache::builder(first, second).build();
/// cache.insert("one", 1)?;
/// cache.first().clear()?;
/// assert_eq!(cache.get("one")?, Some(1));
/// assert_eq!(cache.stats().second_hits, 1);
/// assert!(cache.first().contains("one")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Async
/// Over an [`AsyncCache`](crate::AsyncCache) it is an `AsyncCache`, with the same builder and promises; the
/// page [async](crate::docs::asynchronous) has an example. The first level is a blocking cache
/// [in memory](crate::InMemory). The compiler infers the third type parameter; a type that is written out has
/// it: `TwoLevelCache<A, B, IsAsync>`.
///
/// # Time-to-live
/// An entry lives in the first level for the default time of that level, and no longer than at the second.
/// A first level without expiry ([`LruCache`](crate::LruCache)) keeps it until eviction, and does not keep an
/// entry that is stored with a time-to-live of its own.
///
/// In front of a cache whose entries expire, or that other nodes write to, choose
/// * [`ConcurrentCache::with_ttl`](crate::ConcurrentCache::with_ttl) in most programs: it adapts to the keys, and
///   concurrent lookups seldom meet;
/// * a [`TtlCache`](crate::TtlCache) for one or a few threads, if the exact order of use matters, or if
///   expired entries are to make room first.
///
/// # Locks
/// Writes and fills hold locks while they change the first level: the `Clone` and `Drop` of a value must not
/// use this cache, nor those of evicted values.
///
/// # Several writers
/// On one node the first level never shows an older value than the last write through this cache to the
/// second, in any interleaving of reads and writes. Writes of other nodes appear when the entry of the first
/// level expires, or within an [`invalidation_bound`](TwoLevelBuilder::invalidation_bound).
pub struct TwoLevelCache<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind = IsCache> {
    pub(super) levels: Arc<Levels<A, B, Kind>>,
}

impl<A, B, Kind> TwoLevelCache<A, B, Kind>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: AnyCache<Kind, Key = A::Key, Value = A::Value>,
{
    /// The builder of a cache of two levels. Each level is a cache, or a store, which gets a lock.
    pub fn builder<FirstKind, SecondKind>(
        first: impl IntoCache<FirstKind, Cache = A>,
        second: impl IntoCache<SecondKind, Cache = B>,
    ) -> TwoLevelBuilder<A, B, Kind> {
        TwoLevelBuilder::new(first.into_cache(), second.into_cache())
    }

    pub(super) fn new(levels: Arc<Levels<A, B, Kind>>) -> Self {
        Self { levels }
    }

    /// The value at the first level. It never reads the second level, and waits for no computation: for a
    /// caller that must not wait.
    ///
    /// A hit is counted as one, and starts a [refresh](TwoLevelBuilder::refresh_ahead) that is due. A
    /// miss is not counted, since the caller goes on with [`get`](Cache::get) or a computation, which
    /// counts it.
    ///
    /// ```
    /// use ctu_std::{Cache, CacheExt, LruCache, TwoLevelCache};
    /// let second = LruCache::<String, u32>::with_capacity(100);
    /// let first = LruCache::<String, u32>::with_capacity(10);
    /// let cache = TwoLevelCache::builder(first, second).build();
    /// cache.second().insert("one", 1)?;
    /// assert_eq!(cache.get_first("one")?, None);
    /// assert_eq!(cache.get("one")?, Some(1));
    /// assert_eq!(cache.get_first("one")?, Some(1));
    /// assert_eq!(cache.stats().first_hits, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The error of the first level.
    #[inline]
    pub fn get_first(&self, key: &A::Key) -> Result<Option<A::Value>, Failed<A, B, Kind>> {
        if self.levels.refresh.is_some() {
            return Ok(self.first_with_ttl(key)?.map(|(value, _)| value));
        }
        self.first_hit(self.levels.look(key, |first| first.get(key)))
    }

    /// The first level.
    pub fn first(&self) -> &A {
        &self.levels.first
    }

    /// The second level. A direct change of it does not reach the first level.
    pub fn second(&self) -> &B {
        &self.levels.second
    }

    /// Clears the first level only. Reads find the entries of the second level again.
    ///
    /// For a second level that other nodes share, after a change that concerns this node alone.
    /// [`clear`](Cache::clear) removes the entries of both levels.
    ///
    /// ```
    /// use ctu_std::{Cache, CacheExt, LruCache, TwoLevelCache};
    /// let level = || LruCache::<String, u32>::with_capacity(100);
    /// let cache = TwoLevelCache::builder(level(), level()).build();
    /// cache.insert("one", 1)?;
    /// cache.clear_first()?;
    /// assert_eq!(cache.get("one")?, Some(1));
    /// cache.clear()?;
    /// assert_eq!(cache.get("one")?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The error of the first level.
    pub fn clear_first(&self) -> Result<(), Failed<A, B, Kind>> {
        self.levels.flights.all_written();
        self.levels.end_clear()
    }

    /// The counts since the creation or the last [reset](Self::reset_stats), and the state of the second level.
    pub fn stats(&self) -> TwoLevelStats {
        self.levels.stats()
    }

    /// The share of reads that found a value at either level, 0 to 1.
    pub fn hit_rate(&self) -> f64 {
        self.stats().hit_rate()
    }

    /// Sets all counts to 0.
    pub fn reset_stats(&self) {
        self.levels.counts.reset();
    }

    /// Does the next step for the [`invalidation_bound`](TwoLevelBuilder::invalidation_bound): opens the tracking
    /// connection, sends a ping, or waits for up to a second for messages and handles them. Returns the
    /// wait before the next step; `None` without a bound.
    ///
    /// The background thread calls it. For a cache with
    /// [`manual_tracking`](TwoLevelBuilder::manual_tracking).
    pub fn track(&self) -> Option<Duration> {
        self.levels.track()
    }

    /// The reason for the end of the last tracking connection, or for the failure to open one. `None` if
    /// there was none.
    #[must_use]
    pub fn last_unsubscription(&self) -> Option<String> {
        self.levels.last_unsubscription()
    }

    /// The text of the last outage of a [`resilient`](TwoLevelBuilder::resilient) cache's second level. `None` if
    /// there was none. [`stats`](Self::stats) tells whether it is over.
    ///
    /// The text is that of the second level's error, which for `RedisCache` and `MemCached` holds no key,
    /// value or password.
    ///
    #[cfg_attr(feature = "redis", doc = "```")]
    #[cfg_attr(not(feature = "redis"), doc = "```ignore")]
    /// use ctu_std::{Cache, CacheExt, LruCache, RedisCache, TwoLevelCache};
    ///
    /// // Nothing listens there.
    /// let second = RedisCache::builder("redis://127.0.0.1:1").prefix("p.").build()?;
    /// let first = LruCache::<String, u32>::with_capacity(100);
    /// let cache = TwoLevelCache::builder(first, second).resilient().build();
    /// assert_eq!(cache.last_outage(), None);
    /// assert_eq!(cache.get("one")?, None);
    /// assert!(cache.last_outage().is_some_and(|why| why.starts_with("no Redis at 127.0.0.1:1")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn last_outage(&self) -> Option<String> {
        self.levels.last_outage()
    }

    /// Counts and returns a result of the first level.
    #[inline]
    fn first_hit<T>(
        &self,
        found: Result<Option<T>, A::Error>,
    ) -> Result<Option<T>, Failed<A, B, Kind>> {
        match found {
            Ok(found) => {
                if found.is_some() {
                    self.levels.count(Counted::FirstHit);
                }
                Ok(found)
            }
            Err(error) => Err(self.levels.first_failed(error)),
        }
    }

    pub(super) fn len_of_first(&self) -> Result<usize, Failed<A, B, Kind>> {
        let len = self.first().len();
        len.map_err(|error| self.levels.first_failed(error))
    }

    pub(super) fn first_contains(&self, key: &A::Key) -> Result<bool, Failed<A, B, Kind>> {
        let first = self
            .levels
            .look(key, |first| Ok(first.contains(key)?.then_some(())));
        let first = first.map(|found| found.is_some());
        first.map_err(|error| self.levels.first_failed(error))
    }

    /// Looks `key` up at the first level, and queues a refresh that is due.
    pub(super) fn first_with_ttl(
        &self,
        key: &A::Key,
    ) -> Result<Found<A::Value>, Failed<A, B, Kind>> {
        let found = self.first_hit(self.levels.look(key, |first| first.get_with_ttl(key)))?;
        if let Some((_, left)) = &found {
            self.levels.refresh_due([(key, *left)]);
        }
        Ok(found)
    }
}

impl<A, B, Kind> InMemory for TwoLevelCache<A, B, Kind>
where
    A: Cache<Key: ToOwned> + InMemory,
    B: AnyCache<Kind> + InMemory,
{
}

impl<A, B, Kind> HasStats for TwoLevelCache<A, B, Kind>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: AnyCache<Kind, Key = A::Key, Value = A::Value>,
{
    type Stats = TwoLevelStats;
    type Error = Infallible;

    fn stats(&self) -> Result<TwoLevelStats, Infallible> {
        Ok(self.stats())
    }

    fn hit_rate(&self) -> Result<f64, Infallible> {
        Ok(self.hit_rate())
    }
}

impl<A, B> TwoLevelCache<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// Replays the journal at the second level, in at most one request. Returns the wait before the next
    /// call; `None` if the journal is empty.
    ///
    /// The background thread of a [`resilient`](TwoLevelBuilder::resilient) cache calls it. For a cache that
    /// [`manual_recovery`](TwoLevelBuilder::manual_recovery), and for a program that is about to end.
    pub fn recover(&self) -> Option<Duration> {
        self.levels.recover()
    }
}

impl<A, B> Cache for TwoLevelCache<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    type Key = A::Key;
    type Value = A::Value;
    type Error = Failed<A, B>;

    #[inline]
    fn get(&self, key: &A::Key) -> Result<Option<A::Value>, Self::Error> {
        match self.get_first(key)? {
            Some(value) => Ok(Some(value)),
            None => Ok(self.levels.get_second(key)?.map(|(value, _)| value)),
        }
    }

    fn insert_entry(
        &self,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        self.levels.insert(key, value, ttl)
    }

    /// As [`Cache::remove`]. Says whether there was an entry at either level.
    fn remove(&self, key: &A::Key) -> Result<bool, Self::Error> {
        self.levels.remove(key)
    }

    /// As [`Cache::clear`]: clears both levels, the second first. The entries of all other nodes at the
    /// second level are removed, too; [`clear_first`](Self::clear_first) leaves them.
    ///
    /// # Errors
    /// The error of the second level, such as [`Error::Unsupported`] of a prefixed Memcached; the first
    /// level is as before then. A [`resilient`](TwoLevelBuilder::resilient) cache repeats a `clear` that
    /// an outage of the second level prevented.
    fn clear(&self) -> Result<(), Self::Error> {
        self.levels.clear()
    }

    /// The number of entries in the first level, as in Python.
    fn len(&self) -> Result<usize, Self::Error> {
        self.len_of_first()
    }

    fn contains(&self, key: &A::Key) -> Result<bool, Self::Error> {
        match self.first_contains(key)? {
            true => Ok(true),
            false => self.levels.contains_second(key),
        }
    }

    fn get_with_ttl(&self, key: &A::Key) -> Result<Found<A::Value>, Self::Error> {
        match self.first_with_ttl(key)? {
            Some(found) => Ok(Some(found)),
            None => self.levels.get_second(key),
        }
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.levels.second_ttl.or(self.levels.first_ttl)
    }

    /// As [`Cache::retain`], at both levels, the second first: `keep` is called for the keys of each.
    ///
    /// # Errors
    /// The error of the second level, such as [`Error::Unsupported`] of Memcached, which cannot list its
    /// keys; the first level is as before then. An outage is an error also of a
    /// [`resilient`](TwoLevelBuilder::resilient) cache: [`TwoLevelError::Unavailable`](super::TwoLevelError::Unavailable) while the breaker is open.
    fn retain(&self, keep: &mut dyn FnMut(&A::Key) -> bool) -> Result<(), Self::Error> {
        self.levels.retain(keep)
    }

    /// As [`Cache::get_or_compute`], with one computation a key among all threads. Writes over a value at the second level
    /// that cannot be decoded.
    fn get_or_compute(
        &self,
        key: &A::Key,
        make: &mut dyn FnMut() -> Result<Option<A::Value>, Error>,
    ) -> Result<Option<A::Value>, Self::Error> {
        match self.get_first(key)? {
            Some(value) => Ok(Some(value)),
            None => self.levels.compute(key, &[], make),
        }
    }

    fn has_single_flight(&self) -> bool {
        true
    }

    fn id(&self) -> CacheId {
        CacheId::of(&*self.levels)
    }

    /// As [`Cache::get_many`]: the second level is asked at once for all that the first has not.
    fn get_many(&self, keys: &[&A::Key]) -> Result<Vec<Option<A::Value>>, Self::Error> {
        let found = self.levels.get_many(keys)?;
        let values = found.into_iter().map(|found| found.map(|(value, _)| value));
        Ok(values.collect())
    }

    fn get_many_with_ttl(&self, keys: &[&A::Key]) -> Result<Vec<Found<A::Value>>, Self::Error> {
        self.levels.get_many(keys)
    }

    fn insert_many(
        &self,
        entries: Vec<(&A::Key, A::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        self.levels.insert_many(entries, ttl)
    }

    fn remove_many(&self, keys: &[&A::Key]) -> Result<usize, Self::Error> {
        self.levels.remove_many(keys)
    }
}

impl<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> Clone for TwoLevelCache<A, B, Kind> {
    fn clone(&self) -> Self {
        Self {
            levels: Arc::clone(&self.levels),
        }
    }
}

impl<A, B, Kind> fmt::Debug for TwoLevelCache<A, B, Kind>
where
    A: Cache<Key: ToOwned> + fmt::Debug,
    B: AnyCache<Kind> + fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwoLevelCache")
            .field("first", &self.levels.first)
            .field("second", &self.levels.second)
            .field("settings", &self.levels.settings)
            .finish_non_exhaustive()
    }
}
