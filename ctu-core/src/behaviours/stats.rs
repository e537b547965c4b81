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
/// Counting costs one atomic addition an operation, and may be read and reset from any thread.
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
    writes: Counter,
    dels: Counter,
    hits: Counter,
    /// Look-ups that found nothing or failed. Reads are the sum, so that no snapshot has more hits than reads.
    misses: Counter,
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
                writes: Counter::new(),
                dels: Counter::new(),
                hits: Counter::new(),
                misses: Counter::new(),
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
        rate(self.counts.hits.get(), self.counts.misses.get())
    }

    /// Begins to count anew.
    pub fn reset(&self) {
        let Counts {
            tests,
            writes,
            dels,
            hits,
            misses,
        } = &self.counts;
        for counter in [tests, writes, dels, hits, misses] {
            counter.reset();
        }
    }

    /// Counts a look-up.
    fn read<T, E>(&self, found: Result<Option<T>, E>) -> Result<Option<T>, E> {
        match &found {
            Ok(Some(_)) => self.counts.hits.count(),
            Ok(None) | Err(_) => self.counts.misses.count(),
        };
        found
    }

    /// Counts `asked` look-ups.
    #[cfg(feature = "alloc")]
    fn read_many<T, E>(
        &self,
        asked: usize,
        found: Result<alloc::vec::Vec<Option<T>>, E>,
    ) -> Result<alloc::vec::Vec<Option<T>>, E> {
        let hits = match &found {
            Ok(found) => found.iter().flatten().count(),
            Err(_) => 0,
        };
        self.counts.hits.add(hits);
        self.counts.misses.add(asked.saturating_sub(hits));
        found
    }
}

/// The share of hits, 0 to 1. In floats, which do not wrap around.
fn rate(hits: usize, misses: usize) -> f64 {
    let reads = hits as f64 + misses as f64;
    hits as f64 / reads.max(1.0)
}

impl<C: Cache> StatsCache<C> {
    /// What was counted, with the cache's size.
    ///
    /// # Errors
    /// As [`Cache::len`].
    pub fn stats(&self) -> Result<Stats, C::Error> {
        let (hits, misses) = (self.counts.hits.get(), self.counts.misses.get());
        Ok(Stats {
            tests: self.counts.tests.get(),
            reads: hits.wrapping_add(misses),
            writes: self.counts.writes.get(),
            dels: self.counts.dels.get(),
            hits,
            hit_rate: rate(hits, misses),
            size: self.inner.len()?,
        })
    }
}

impl<C: Cache> Cache for StatsCache<C> {
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
        self.read(self.inner.get(key))
    }

    fn get_equivalent<Q>(&self, key: &Q) -> Result<Option<Self::Value>, Self::Error>
    where
        Q: Equivalent<Self::Key>,
    {
        self.read(self.inner.get_equivalent(key))
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
        self.read(self.inner.get_with_ttl(key))
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.inner.default_ttl()
    }

    fn pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
        // As Python counts it: a look-up, and a removal where it found something.
        let found = self.read(self.inner.pop(key))?;
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
        let mut hit = true;
        let found = self.inner.get_or_compute(key, &mut || {
            if core::mem::replace(&mut hit, false) {
                self.counts.misses.count();
            }
            let made = make()?;
            if made.is_some() {
                self.counts.writes.count();
            }
            Ok(made)
        });
        if hit { self.read(found) } else { found }
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
        self.read_many(keys.len(), self.inner.get_many(keys))
    }

    #[cfg(feature = "alloc")]
    fn get_many_with_ttl(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
        self.read_many(keys.len(), self.inner.get_many_with_ttl(keys))
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

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::{caches::SpinCache, stores::LruCache};
    use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::thread;

    #[test]
    fn hit_rate_is_a_share_while_counts_are_reset() {
        let cache = StatsCache::new(SpinCache::new(LruCache::<u32, u32, 8>::new()));
        cache.insert(&1, 1u32).unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Relaxed) {
                        cache.get(&1).unwrap();
                    }
                });
            }
            for _ in 0..20_000 {
                let stats = cache.stats().unwrap();
                let consistent = stats.hits <= stats.reads && (0.0..=1.0).contains(&stats.hit_rate);
                if !consistent {
                    done.store(true, Relaxed);
                }
                assert!(consistent, "{stats:?}");
                cache.reset();
            }
            done.store(true, Relaxed);
        });
    }

    #[test]
    fn failed_and_panicked_look_ups_are_reads() {
        let cache = StatsCache::new(SpinCache::new(LruCache::<u32, u32, 8>::new()));
        let failed = cache.get_or_try_insert_with(&1, || Err::<u32, _>(()));
        assert_eq!(failed, Ok(Err(())));
        let panics = || cache.get_or_insert_with(&1, || -> u32 { panic!("made nothing") });
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
        let stats = cache.stats().unwrap();
        assert_eq!((stats.reads, stats.hits, stats.writes), (2, 0, 0));
    }
}
