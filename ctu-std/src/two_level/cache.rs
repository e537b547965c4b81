use super::{
    TwoLevelBuilder, TwoLevelError, TwoLevelStats,
    order::{Begun, Order},
    stats::{Counts, count},
};
use crate::IntoCache;
use ctu_core::{Cache, WithTtl};
use std::{fmt, hash::Hash, sync::atomic::AtomicU64, time::Duration};

/// A small, quick cache in front of a large, shared one: memory in front of Redis.
///
/// | operation | first level | second level |
/// | --- | --- | --- |
/// | `get` | asked first, filled from the second | asked where the first has nothing |
/// | `insert`, `remove` | changed second | changed first |
/// | `contains` | asked first | asked where the first has nothing |
/// | `len` | asked | |
/// | `clear`, `retain` | cleared | cleared if [`clears_both`](TwoLevelBuilder::clears_both) |
///
/// Errors of the second level reach the caller. A failed `insert` leaves the first level as it was; a
/// failed `remove` removes the entry from the first level all the same, as the second may have done so.
/// A hit in the first level asks nobody else and waits for nothing.
///
/// ```
/// use ctu_std::{Cache, LruCache, TwoLevelCache};
///
/// // The second would be a `RedisCache`.
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
/// # How long entries live
/// An entry that came from the second level lives in the first for the first's own time, and no longer
/// than the second has it still. A first level that keeps no time-to-live ([`LruCache`](crate::LruCache))
/// keeps it until it has to leave: take a [`TtlCache`](crate::TtlCache) in front of a cache whose entries
/// expire. An entry that is stored with a time of its own is not kept in a first level that cannot
/// count it. [`get_many`](Cache::get_many) does not fill the first level, as no time comes with it.
///
/// # Several writers
/// On one node the first level never shows an older value than the second was last given through this
/// cache, however reads and writes of threads meet. What other nodes write it learns when its own entry expires.
pub struct TwoLevelCache<A, B> {
    first: A,
    second: B,
    clears_both: bool,
    order: Order,
    counts: Counts,
}

impl TwoLevelCache<(), ()> {
    /// Starts to build a cache of two levels. Each is a cache, or a store, which gets a lock.
    pub fn builder<A, B, KindA, KindB>(first: A, second: B) -> TwoLevelBuilder<A::Cache, B::Cache>
    where
        A: IntoCache<KindA>,
        B: IntoCache<KindB>,
        B::Cache: Cache<Key = <A::Cache as Cache>::Key, Value = <A::Cache as Cache>::Value>,
    {
        TwoLevelBuilder::new(first.into_cache(), second.into_cache())
    }
}

impl<A, B> TwoLevelCache<A, B> {
    pub(super) fn new(first: A, second: B, clears_both: bool) -> Self {
        Self {
            first,
            second,
            clears_both,
            order: Order::new(),
            counts: Counts::default(),
        }
    }

    /// The first level.
    pub fn first(&self) -> &A {
        &self.first
    }

    /// The second level.
    pub fn second(&self) -> &B {
        &self.second
    }

    /// What was counted since the cache was made or [reset](Self::reset).
    pub fn stats(&self) -> TwoLevelStats {
        self.counts.get()
    }

    /// The share of reads that found a value at either level, 0 to 1.
    pub fn hits(&self) -> f64 {
        self.stats().hit_rate()
    }

    /// Begins to count anew.
    pub fn reset(&self) {
        self.counts.reset();
    }
}

type Failed<A, B> = TwoLevelError<<A as Cache>::Error, <B as Cache>::Error>;

impl<A, B> TwoLevelCache<A, B>
where
    A: Cache<Key: Hash>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    fn first_failed(&self, error: A::Error) -> Failed<A, B> {
        count(&self.counts.errors);
        TwoLevelError::First(error)
    }

    fn second_failed(&self, error: B::Error) -> Failed<A, B> {
        count(&self.counts.errors);
        TwoLevelError::Second(error)
    }

    /// Counts a read that `level` answered, or that nobody did.
    fn answered<T>(&self, level: &AtomicU64, found: Option<T>) -> Option<T> {
        count(match found {
            Some(_) => level,
            None => &self.counts.misses,
        });
        found
    }

    /// Reads the second level, and fills the first with what is there.
    fn get_second(&self, key: &A::Key) -> Result<Option<WithTtl<A::Value>>, Failed<A, B>> {
        let begun = self.order.begin(key);
        let found = self
            .second
            .get_with_ttl(key)
            .map_err(|error| self.second_failed(error))?;
        if let Some((value, left)) = &found {
            self.order.fill(begun, || self.fill(key, value, *left));
        }
        Ok(self.answered(&self.counts.second_hits, found))
    }

    /// Keeps `value` in the first level for its own time, or for `left` where that is less.
    /// Where it does not fit, or time is not kept, nothing is lost: the second level has it.
    fn fill(&self, key: &A::Key, value: &A::Value, left: Option<Duration>) {
        if self.first.put(key, value.clone(), None).is_err() {
            return;
        }
        if let Some(left) = left
            && let Ok(Some((_, own))) = self.first.get_with_ttl(key)
            && own.is_none_or(|own| own > left)
        {
            let _ = self.first.put(key, value.clone(), Some(left));
        }
    }

    /// Does at the first level what `begun` did at the second.
    fn put_first(
        &self,
        begun: Begun,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Failed<A, B>> {
        let kept = self.order.write(begun, |alone| {
            if alone && self.first.put(key, value, ttl).is_ok() {
                return Ok(());
            }
            // Too large for the first level, a time that it does not keep, or one of two writes at
            // once: the second level has the value.
            self.first.remove(key).map(drop)
        });
        kept.map_err(|error| self.first_failed(error))
    }
}

impl<A, B> Cache for TwoLevelCache<A, B>
where
    A: Cache<Key: Hash>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    type Key = A::Key;
    type Value = A::Value;
    type Error = Failed<A, B>;

    fn get(&self, key: &A::Key) -> Result<Option<A::Value>, Self::Error> {
        match self.first.get(key) {
            Ok(Some(value)) => Ok(self.answered(&self.counts.first_hits, Some(value))),
            Ok(None) => Ok(self.get_second(key)?.map(|(value, _)| value)),
            Err(error) => Err(self.first_failed(error)),
        }
    }

    fn put(&self, key: &A::Key, value: A::Value, ttl: Option<Duration>) -> Result<(), Self::Error> {
        let begun = self.order.begin(key);
        self.second
            .put(key, value.clone(), ttl)
            .map_err(|error| self.second_failed(error))?;
        self.put_first(begun, key, value, ttl)
    }

    /// As [`Cache::remove`]. Says whether there was an entry at either level.
    fn remove(&self, key: &A::Key) -> Result<bool, Self::Error> {
        let begun = self.order.begin(key);
        let second = self.second.remove(key);
        let first = self.order.write(begun, |_| self.first.remove(key));
        let second = second.map_err(|error| self.second_failed(error))?;
        let first = first.map_err(|error| self.first_failed(error))?;
        Ok(first || second)
    }

    /// Clears the first level, as in Python, so that what the second level has comes back; both
    /// levels if [`clears_both`](TwoLevelBuilder::clears_both).
    fn clear(&self) -> Result<(), Self::Error> {
        if self.clears_both {
            let cleared = self.second.clear();
            cleared.map_err(|error| self.second_failed(error))?;
        }
        let cleared = self.order.write_all(|| self.first.clear());
        cleared.map_err(|error| self.first_failed(error))
    }

    /// The number of entries in the first level, as in Python.
    fn len(&self) -> Result<usize, Self::Error> {
        self.first.len().map_err(|error| self.first_failed(error))
    }

    fn contains(&self, key: &A::Key) -> Result<bool, Self::Error> {
        let first = self.first.contains(key);
        if first.map_err(|error| self.first_failed(error))? {
            return Ok(true);
        }
        let second = self.second.contains(key);
        second.map_err(|error| self.second_failed(error))
    }

    fn get_with_ttl(&self, key: &A::Key) -> Result<Option<WithTtl<A::Value>>, Self::Error> {
        match self.first.get_with_ttl(key) {
            Ok(Some(found)) => Ok(self.answered(&self.counts.first_hits, Some(found))),
            Ok(None) => self.get_second(key),
            Err(error) => Err(self.first_failed(error)),
        }
    }

    fn retain(&self, keep: &mut dyn FnMut(&A::Key) -> bool) -> Result<(), Self::Error> {
        if self.clears_both {
            let cleared = self.second.retain(keep);
            cleared.map_err(|error| self.second_failed(error))?;
        }
        let cleared = self.order.write_all(|| self.first.retain(keep));
        cleared.map_err(|error| self.first_failed(error))
    }

    /// As [`Cache::get_many`]: the second level is asked at once for all that the first has not.
    fn get_many(&self, keys: &[&A::Key]) -> Result<Vec<Option<A::Value>>, Self::Error> {
        let first = self.first.get_many(keys);
        let mut values = first.map_err(|error| self.first_failed(error))?;
        let (mut places, mut missing) = (Vec::new(), Vec::new());
        for (value, key) in values.iter_mut().zip(keys) {
            if value.is_some() {
                count(&self.counts.first_hits);
            } else {
                places.push(value);
                missing.push(*key);
            }
        }
        if !missing.is_empty() {
            let second = self.second.get_many(&missing);
            let found = second.map_err(|error| self.second_failed(error))?;
            for (place, found) in places.into_iter().zip(found) {
                *place = self.answered(&self.counts.second_hits, found);
            }
        }
        Ok(values)
    }

    fn put_many(
        &self,
        entries: Vec<(&A::Key, A::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        let begun: Vec<Begun> = entries
            .iter()
            .map(|(key, _)| self.order.begin(*key))
            .collect();
        let second = self.second.put_many(entries.clone(), ttl);
        if second.is_ok() {
            for ((key, value), begun) in entries.into_iter().zip(begun) {
                self.put_first(begun, key, value, ttl)?;
            }
        }
        second.map_err(|error| self.second_failed(error))
    }

    fn remove_many(&self, keys: &[&A::Key]) -> Result<usize, Self::Error> {
        let begun: Vec<Begun> = keys.iter().map(|key| self.order.begin(*key)).collect();
        let second = self.second.remove_many(keys);
        let mut first = Ok(0);
        for (key, begun) in keys.iter().zip(begun) {
            let removed = self.order.write(begun, |_| self.first.remove(key));
            first = first.and_then(|count| Ok(count + usize::from(removed?)));
        }
        let second = second.map_err(|error| self.second_failed(error))?;
        let first = first.map_err(|error| self.first_failed(error))?;
        Ok(second.max(first))
    }
}

impl<A: fmt::Debug, B: fmt::Debug> fmt::Debug for TwoLevelCache<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwoLevelCache")
            .field("first", &self.first)
            .field("second", &self.second)
            .field("clears_both", &self.clears_both)
            .finish_non_exhaustive()
    }
}
