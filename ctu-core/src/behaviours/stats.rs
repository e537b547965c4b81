//! The observer that counts operations, and its counts.

use super::{
    observed::Observed,
    observer::{Observer, Operation},
};
use crate::error::{CacheError, Error};
use crate::{
    caches::{AsyncCache, Cache, HasAsyncStats, HasStats},
    counter::Counter,
};
use core::{fmt, future::ready};

/// A cache that counts its operations: the counterpart of `StatsCache` in CacheToolsUtils.
///
/// It wraps blocking and async caches. An operation costs one atomic addition. Any thread may read and
/// reset the counts.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, LruCache, SpinCache, StatsCache};
///
/// let cache = StatsCache::new(SpinCache::new(LruCache::<u32, u32, 8>::new()));
/// cache.insert(&1, 1)?;
/// cache.get(&1)?;
/// cache.get(&2)?;
/// assert_eq!(cache.hit_rate(), 0.5);
/// assert_eq!(
///     cache.stats()?.to_string(),
///     "0 tests, 2 reads, 1 writes, 0 dels, 1 hits, hit rate 50.0 %, size 1",
/// );
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub type StatsCache<C> = Observed<C, Counts>;

/// The [`Observer`] of a [`StatsCache`].
///
/// ```
/// use ctu_core::{LruCache, Observed, SpinCache, prelude::*};
/// use ctu_core::Counts;
/// let cache = SpinCache::new(LruCache::<u32, u32, 8>::new());
/// let cache = Observed::with_observer(cache, Counts::default());
/// cache.get(&1)?;
/// assert_eq!(cache.stats()?.reads, 1);
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counts {
    tests: Counter,
    writes: Counter,
    dels: Counter,
    hits: Counter,
    /// Lookups that miss or fail. Reads are the sum, so no snapshot has more hits than reads.
    misses: Counter,
}

/// The counts of a [`StatsCache`] since its creation or reset.
///
/// Counts have the width of the machine's word, and wrap around.
///
/// ```
/// use ctu_core::{LruCache, SpinCache, StatsCache, prelude::*};
/// let cache = StatsCache::new(SpinCache::new(LruCache::<u32, u32, 8>::new()));
/// cache.insert(&1, 10)?;
/// cache.get(&1)?;
/// cache.get(&2)?;
/// let stats = cache.stats()?;
/// assert_eq!((stats.reads, stats.hits, stats.hit_rate()), (2, 1, 0.5));
/// assert_eq!(stats.size, Some(1));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stats {
    /// Calls of `contains`.
    pub tests: usize,
    /// Lookups, successful or not: `get`, and the operations that call it.
    pub reads: usize,
    /// Writes, successful or not.
    pub writes: usize,
    /// Removals, successful or not.
    pub dels: usize,
    /// Lookups that found a value.
    pub hits: usize,
    /// The number of entries in the cache; `None` if the cache cannot count its entries.
    pub size: Option<usize>,
}

impl Stats {
    /// `hits / reads`, 0 to 1; 0 before the first lookup.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        rate(self.hits, self.reads.wrapping_sub(self.hits))
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tests,
            reads,
            writes,
            dels,
            hits,
            size,
        } = *self;
        // As an integer in tenths of a per cent: to print a float takes 10 KiB of code on a board.
        let permille = (self.hit_rate() * 1000.0 + 0.5) as u32;
        write!(
            f,
            "{tests} tests, {reads} reads, {writes} writes, {dels} dels, {hits} hits, hit rate {}.{} %",
            permille / 10,
            permille % 10
        )?;
        match size {
            Some(size) => write!(f, ", size {size}"),
            None => f.write_str(", size unknown"),
        }
    }
}

impl<C> Observed<C, Counts> {
    /// Counts the operations on `inner`.
    pub const fn new(inner: C) -> Self {
        let counts = Counts {
            tests: Counter::new(),
            writes: Counter::new(),
            dels: Counter::new(),
            hits: Counter::new(),
            misses: Counter::new(),
        };
        Self::with_observer(inner, counts)
    }

    /// The hit rate, 0 to 1; 0 before the first lookup.
    pub fn hit_rate(&self) -> f64 {
        rate(self.observer().hits.get(), self.observer().misses.get())
    }

    /// Sets all counts to 0.
    pub fn reset_stats(&self) {
        let Counts {
            tests,
            writes,
            dels,
            hits,
            misses,
        } = self.observer();
        for counter in [tests, writes, dels, hits, misses] {
            counter.reset();
        }
    }
}

/// The share of hits, 0 to 1. Floats, since a sum of counts may wrap around.
fn rate(hits: usize, misses: usize) -> f64 {
    let reads = hits as f64 + misses as f64;
    hits as f64 / reads.max(1.0)
}

impl<C: Cache> Observed<C, Counts> {
    /// The counts, with the size of the cache.
    ///
    /// # Errors
    /// Those of [`Cache::len`].
    pub fn stats(&self) -> Result<Stats, C::Error> {
        Ok(self.observer().snapshot(countable(self.get_ref().len())?))
    }
}

impl<C> Observed<C, Counts> {
    /// [`stats`](Self::stats) of an async cache.
    ///
    /// ```
    /// use ctu_core::{AsyncCache, LruCache, Ready, SpinCache, Stats, StatsCache};
    ///
    /// async fn statistics(cache: &StatsCache<impl AsyncCache>) -> Option<Stats> {
    ///     cache.stats_async().await.ok()
    /// }
    /// # let cache = StatsCache::new(Ready(SpinCache::new(LruCache::<u32, u32, 8>::new())));
    /// # let _ = statistics(&cache);
    /// ```
    ///
    /// # Errors
    /// Those of [`AsyncCache::len`].
    pub async fn stats_async(&self) -> Result<Stats, C::Error>
    where
        C: AsyncCache,
    {
        let size = countable(self.get_ref().len().await)?;
        Ok(self.observer().snapshot(size))
    }
}

/// The number of entries, or `None` from a cache that cannot count them.
fn countable<E: CacheError>(len: Result<usize, E>) -> Result<Option<usize>, E> {
    match len {
        Ok(len) => Ok(Some(len)),
        Err(error) => match error.as_core() {
            Some(Error::Unsupported(_) | Error::HashedKeys) => Ok(None),
            _ => Err(error),
        },
    }
}

impl Counts {
    fn snapshot(&self, size: Option<usize>) -> Stats {
        let (hits, misses) = (self.hits.get(), self.misses.get());
        Stats {
            tests: self.tests.get(),
            reads: hits.wrapping_add(misses),
            writes: self.writes.get(),
            dels: self.dels.get(),
            hits,
            size,
        }
    }
}

impl<C: Cache> HasStats for Observed<C, Counts> {
    type Stats = Stats;
    type Error = C::Error;

    fn stats(&self) -> Result<Stats, C::Error> {
        self.stats()
    }

    fn hit_rate(&self) -> Result<f64, C::Error> {
        Ok(self.hit_rate())
    }
}

impl<C: AsyncCache> HasAsyncStats for Observed<C, Counts> {
    type Stats = Stats;
    type Error = C::Error;

    fn stats_async(&self) -> impl Future<Output = Result<Stats, C::Error>> + Send {
        self.stats_async()
    }

    fn hit_rate_async(&self) -> impl Future<Output = Result<f64, C::Error>> + Send {
        ready(Ok(self.hit_rate()))
    }
}

impl<K: ?Sized, V> Observer<K, V> for Counts {
    const READS_KEYS: bool = false;

    #[inline]
    fn before(&self, operation: &Operation<'_, K, V>) {
        match operation {
            Operation::Contains(_) => self.tests.add(1),
            Operation::Insert(..) => self.writes.add(1),
            Operation::InsertMany(entries) => self.writes.add(entries.len()),
            Operation::Remove(_) => self.dels.add(1),
            Operation::RemoveMany(keys) => self.dels.add(keys.len()),
            Operation::Get(_) | Operation::GetEquivalent | Operation::GetMany(_) => {}
            Operation::Pop(_) | Operation::Clear | Operation::Retain | Operation::Len => {}
        }
    }

    #[inline]
    fn found(&self, operation: &Operation<'_, K, V>, hits: usize) {
        let asked = match operation {
            Operation::GetMany(keys) => keys.len(),
            _ => 1,
        };
        for (counter, more) in [
            (&self.hits, hits),
            (&self.misses, asked.saturating_sub(hits)),
        ] {
            if more > 0 {
                counter.add(more);
            }
        }
        // As in Python: a pop is a read, and a removal if it found a value.
        if let (Operation::Pop(_), 1..) = (operation, hits) {
            self.dels.add(hits);
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::CacheExt;
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
                let consistent =
                    stats.hits <= stats.reads && (0.0..=1.0).contains(&stats.hit_rate());
                if !consistent {
                    done.store(true, Relaxed);
                }
                assert!(consistent, "{stats:?}");
                cache.reset_stats();
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
