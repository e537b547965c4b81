use crate::{
    caches::{Cache, Found},
    counter::Counter,
    entries::Equivalent,
    error::Error,
};
use core::{fmt, time::Duration};

/// A cache that counts its operations, as `StatsCache` of Python's CacheToolsUtils does.
///
/// It wraps blocking caches; under an async stack, put it inside of [`Ready`](crate::Ready).
/// Counting costs one atomic addition an operation (two for a hit), and may be read and reset from any thread.
///
/// ```
/// use ctu_core::{Bytes, Cache, LruCache, SpinCache, StatsCache};
///
/// let cache = StatsCache::new(SpinCache::new(LruCache::<u32, u32, 8>::new()));
/// cache.insert(&1, 1)?;
/// cache.get(&1)?;
/// cache.get(&2)?;
/// assert_eq!(cache.hits(), 0.5);
/// assert_eq!(
///     cache.stats()?.to_string(),
///     "0 tests, 2 reads, 1 writes, 0 dels, 1 hits, hit rate 50.0 %, size 1",
/// );
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StatsCache<C> {
    inner: C,
    counts: Counts,
}

#[derive(Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Counts {
    tests: Counter,
    reads: Counter,
    writes: Counter,
    dels: Counter,
    hits: Counter,
}

/// What a [`StatsCache`] counted since it was made or reset.
///
/// Counts are as wide as the machine's word, and wrap around.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stats {
    /// Calls of `contains`.
    pub tests: usize,
    /// Look-ups, successful or not: `get`, and what stands on it.
    pub reads: usize,
    /// Writes, successful or not.
    pub writes: usize,
    /// Removals, successful or not.
    pub dels: usize,
    /// Look-ups that found a value.
    pub hits: usize,
    /// `hits / reads`, 0 to 1; 0 before the first look-up.
    pub hit_rate: f64,
    /// The number of entries in the cache.
    pub size: usize,
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tests,
            reads,
            writes,
            dels,
            hits,
            hit_rate,
            size,
        } = *self;
        // In tenths of a per cent and in whole numbers: printing a float takes a microcontroller 10 KiB of code.
        let permille = (hit_rate * 1000.0 + 0.5) as u32;
        write!(
            f,
            "{tests} tests, {reads} reads, {writes} writes, {dels} dels, {hits} hits, hit rate {}.{} %, size {size}",
            permille / 10,
            permille % 10
        )
    }
}

impl<C> StatsCache<C> {
    /// Counts the operations on `inner`.
    pub const fn new(inner: C) -> Self {
        Self {
            inner,
            counts: Counts {
                tests: Counter::new(),
                reads: Counter::new(),
                writes: Counter::new(),
                dels: Counter::new(),
                hits: Counter::new(),
            },
        }
    }

    /// The cache whose operations are counted.
    pub const fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The cache whose operations are counted.
    pub fn into_inner(self) -> C {
        self.inner
    }

    /// The hit rate, 0 to 1; 0 before the first look-up.
    pub fn hits(&self) -> f64 {
        let (hits, reads) = (self.counts.hits.get(), self.counts.reads.get());
        hits as f64 / reads.max(1) as f64
    }

    /// Begins to count anew.
    pub fn reset(&self) {
        let Counts {
            tests,
            reads,
            writes,
            dels,
            hits,
        } = &self.counts;
        for counter in [tests, reads, writes, dels, hits] {
            counter.reset();
        }
    }

    fn read<T>(&self, found: Option<T>) -> Option<T> {
        if found.is_some() {
            self.counts.hits.count();
        }
        found
    }

    #[cfg(feature = "alloc")]
    fn read_many<T>(&self, found: alloc::vec::Vec<Option<T>>) -> alloc::vec::Vec<Option<T>> {
        self.counts.hits.add(found.iter().flatten().count());
        found
    }
}

impl<C: Cache> StatsCache<C> {
    /// What was counted, with the cache's size.
    ///
    /// # Errors
    /// As [`Cache::len`].
    pub fn stats(&self) -> Result<Stats, C::Error> {
        Ok(Stats {
            tests: self.counts.tests.get(),
            reads: self.counts.reads.get(),
            writes: self.counts.writes.get(),
            dels: self.counts.dels.get(),
            hits: self.counts.hits.get(),
            hit_rate: self.hits(),
            size: self.inner.len()?,
        })
    }
}

impl<C: Cache> Cache for StatsCache<C> {
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
        self.counts.reads.count();
        Ok(self.read(self.inner.get(key)?))
    }

    fn get_equivalent<Q>(&self, key: &Q) -> Result<Option<Self::Value>, Self::Error>
    where
        Q: Equivalent<Self::Key>,
    {
        self.counts.reads.count();
        Ok(self.read(self.inner.get_equivalent(key)?))
    }

    fn put(
        &self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        self.counts.writes.count();
        self.inner.put(key, value, ttl)
    }

    fn remove(&self, key: &Self::Key) -> Result<bool, Self::Error> {
        self.counts.dels.count();
        self.inner.remove(key)
    }

    fn clear(&self) -> Result<(), Self::Error> {
        self.inner.clear()
    }

    fn len(&self) -> Result<usize, Self::Error> {
        self.inner.len()
    }

    fn contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
        self.counts.tests.count();
        self.inner.contains(key)
    }

    fn get_with_ttl(&self, key: &Self::Key) -> Result<Found<Self::Value>, Self::Error> {
        self.counts.reads.count();
        Ok(self.read(self.inner.get_with_ttl(key)?))
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.inner.default_ttl()
    }

    fn pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
        // As Python counts it: a look-up, and a removal where it found something.
        self.counts.reads.count();
        let found = self.read(self.inner.pop(key)?);
        if found.is_some() {
            self.counts.dels.count();
        }
        Ok(found)
    }

    fn retain(&self, keep: &mut dyn FnMut(&Self::Key) -> bool) -> Result<(), Self::Error> {
        self.inner.retain(keep)
    }

    fn get_or_compute(
        &self,
        key: &Self::Key,
        make: &mut dyn FnMut() -> Result<Option<Self::Value>, Error>,
    ) -> Result<Option<Self::Value>, Self::Error> {
        self.counts.reads.count();
        let mut hit = true;
        let found = self.inner.get_or_compute(key, &mut || {
            hit = false;
            let made = make()?;
            if made.is_some() {
                self.counts.writes.count();
            }
            Ok(made)
        })?;
        Ok(if hit { self.read(found) } else { found })
    }

    fn address(&self) -> usize {
        self.inner.address()
    }

    fn has_single_flight(&self) -> bool {
        self.inner.has_single_flight()
    }

    #[cfg(feature = "alloc")]
    fn get_many(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error> {
        self.counts.reads.add(keys.len());
        Ok(self.read_many(self.inner.get_many(keys)?))
    }

    #[cfg(feature = "alloc")]
    fn get_many_with_ttl(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
        self.counts.reads.add(keys.len());
        Ok(self.read_many(self.inner.get_many_with_ttl(keys)?))
    }

    #[cfg(feature = "alloc")]
    fn put_many(
        &self,
        entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        self.counts.writes.add(entries.len());
        self.inner.put_many(entries, ttl)
    }

    #[cfg(feature = "alloc")]
    fn remove_many(&self, keys: &[&Self::Key]) -> Result<usize, Self::Error> {
        self.counts.dels.add(keys.len());
        self.inner.remove_many(keys)
    }
}
