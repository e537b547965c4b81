//! Counts of the operations, and estimates for other capacities.

use super::{
    ConcurrentCache, locks::Mutex, removal::RemovalCause, shards::Apart, weights::Weights,
};
use ctu_core::{
    Capability, Error, HasStats,
    stores::policy::{Estimate, Sample},
};
use std::{
    fmt,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

/// Counts apart for some groups of threads, so that threads seldom write to one line of memory.
pub(super) struct Counts {
    stripes: Box<[Apart<Stripe>]>,
    estimate: Mutex<Estimate>,
    sample: AtomicU32,
}

#[derive(Default)]
struct Stripe {
    hits: AtomicU64,
    misses: AtomicU64,
    insertions: AtomicU64,
    evicted: AtomicU64,
    expired: AtomicU64,
    replaced: AtomicU64,
    removed: AtomicU64,
}

/// The statistics of a [`ConcurrentCache`] since its creation. Counts wrap around.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ConcurrentStats {
    /// Look-ups that found a value.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Values that were stored.
    pub insertions: u64,
    /// Entries that made room for others.
    pub evicted: u64,
    /// Expired entries that were removed.
    pub expired: u64,
    /// Entries whose value was replaced.
    pub replaced: u64,
    /// Entries that the program removed.
    pub removed: u64,
    /// `hits / (hits + misses)`, 0 to 1; 0 before the first look-up.
    pub hit_rate: f64,
    /// An estimate of the hit rate of a cache with half the capacity.
    pub hit_rate_at_half: f64,
    /// An estimate of the hit rate of a cache with twice the capacity.
    pub hit_rate_at_twice: f64,
    /// The number of entries, expired ones as well.
    pub entries: usize,
    /// The most entries.
    pub capacity: usize,
    /// The weight of all entries; their number in a cache without a weigher.
    pub weight: u64,
    /// The most weight, in a cache with a weigher.
    pub max_weight: Option<u64>,
}

impl Counts {
    pub(super) fn new(capacity: usize, stripes: usize) -> Self {
        let estimate = Estimate::new(capacity);
        Self {
            stripes: (0..stripes).map(|_| Apart(Stripe::default())).collect(),
            sample: AtomicU32::new(estimate.sample().to_bits()),
            estimate: Mutex::new(estimate),
        }
    }

    pub(super) fn set_capacity(&self, capacity: usize) {
        let mut estimate = self.estimate.lock();
        *estimate = Estimate::new(capacity);
        self.sample.store(estimate.sample().to_bits(), Relaxed);
    }

    #[inline]
    pub(super) fn looked_up(&self, stripe: usize, hash: u32, found: bool, window: usize) {
        let stripe = &self.stripes[stripe];
        match found {
            true => stripe.hits.fetch_add(1, Relaxed),
            false => stripe.misses.fetch_add(1, Relaxed),
        };
        // A sample: where another thread is at it, this use is left out.
        if Sample::from_bits(self.sample.load(Relaxed)).has(hash)
            && let Some(mut estimate) = self.estimate.try_lock()
        {
            estimate.observe(hash, window);
        }
    }

    #[inline]
    pub(super) fn came(&self, stripe: usize) {
        self.stripes[stripe].insertions.fetch_add(1, Relaxed);
    }

    #[inline]
    pub(super) fn left(&self, stripe: usize, cause: RemovalCause) {
        let stripe = &self.stripes[stripe];
        let count = match cause {
            RemovalCause::Evicted => &stripe.evicted,
            RemovalCause::Expired => &stripe.expired,
            RemovalCause::Replaced => &stripe.replaced,
            RemovalCause::Removed => &stripe.removed,
        };
        count.fetch_add(1, Relaxed);
    }

    fn sum(&self, count: impl Fn(&Stripe) -> &AtomicU64) -> u64 {
        let counts = self
            .stripes
            .iter()
            .map(|stripe| count(stripe).load(Relaxed));
        counts.fold(0, u64::wrapping_add)
    }
}

impl<K, V, T, H> ConcurrentCache<K, V, T, H> {
    /// The weight of all entries; their number in a cache without a weigher.
    pub fn weight(&self) -> u64 {
        match &self.weights {
            Some(weights) => weights.total(),
            None => self.stored() as u64,
        }
    }

    /// The number of entries, expired ones as well.
    fn stored(&self) -> usize {
        let shards = (0..self.shards.len()).filter_map(|index| self.shards.read_at(index));
        shards.map(|shard| shard.len()).sum()
    }

    /// The statistics.
    ///
    /// The hit rates at half and at twice the capacity come from three small caches of tags, which
    /// see a sample of the keys in some 1.2 KiB. They are off by a few points, more for few and
    /// very popular keys, and say nothing before some thousand look-ups.
    ///
    /// ```
    /// use ctu_std::{Cache, CacheExt, ConcurrentCache};
    ///
    /// let cache = ConcurrentCache::<u32, u32>::builder(100).count().build();
    /// cache.insert(&1, 10)?;
    /// cache.get(&1)?;
    /// cache.get(&2)?;
    /// assert_eq!(cache.stats()?.hit_rate, 0.5);
    /// # Ok::<(), ctu_std::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`] in a cache that does not
    /// [count](super::ConcurrentCacheBuilder::count).
    pub fn stats(&self) -> Result<ConcurrentStats, Error> {
        let counts = self.counts.as_ref();
        let counts = counts.ok_or(Error::Unsupported(Capability::Stats))?;
        let (hits, misses) = (
            counts.sum(|stripe| &stripe.hits),
            counts.sum(|stripe| &stripe.misses),
        );
        let hit_rate = hits as f64 / (hits as f64 + misses as f64).max(1.0);
        let [half, same, twice] = counts.estimate.lock().hit_rates();
        // The sample's own error is about the same at all three sizes.
        let at = |sampled: f64| (hit_rate + sampled - same).clamp(0.0, 1.0);
        Ok(ConcurrentStats {
            hits,
            misses,
            insertions: counts.sum(|stripe| &stripe.insertions),
            evicted: counts.sum(|stripe| &stripe.evicted),
            expired: counts.sum(|stripe| &stripe.expired),
            replaced: counts.sum(|stripe| &stripe.replaced),
            removed: counts.sum(|stripe| &stripe.removed),
            hit_rate,
            hit_rate_at_half: at(half).min(hit_rate),
            hit_rate_at_twice: at(twice).max(hit_rate),
            entries: self.stored(),
            capacity: self.capacity(),
            weight: self.weight(),
            max_weight: self.weights.as_ref().map(Weights::max),
        })
    }
}

impl<K, V, T, H> HasStats for ConcurrentCache<K, V, T, H> {
    type Stats = ConcurrentStats;
    type Error = Error;

    fn stats(&self) -> Result<ConcurrentStats, Error> {
        self.stats()
    }

    fn hit_rate(&self) -> Result<f64, Error> {
        Ok(self.stats()?.hit_rate)
    }
}

impl fmt::Display for ConcurrentStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} hits, {} misses, hit rate {:.1} % ({:.1} % at half, {:.1} % at twice the capacity), \
             {} entries of {}, weight {}",
            self.hits,
            self.misses,
            100.0 * self.hit_rate,
            100.0 * self.hit_rate_at_half,
            100.0 * self.hit_rate_at_twice,
            self.entries,
            self.capacity,
            self.weight,
        )
    }
}
