//! Other limits: entries without room are evicted.

use super::{ConcurrentCache, removal::RemovalCause};
use ctu_core::{Clock, Error};

impl<K, V, T: Clock, H> ConcurrentCache<K, V, T, H> {
    /// Evicts entries until the limits hold again.
    fn trim(&self, now: u64) {
        let Some(weights) = &self.weights else { return };
        // Each step removes an entry, or finds none in the heaviest shard.
        while weights.is_above_max() {
            let mut gone = self.gone();
            let index = weights.makes_room(0);
            let Some(mut shard) = self.shards.write_at(index) else {
                return;
            };
            if !self.evict(index, &mut shard, now, &mut gone) {
                return;
            }
        }
    }

    /// Sets the most entries there may be. Entries without room are evicted. O(n).
    ///
    /// The cache does not get more shards than its first capacity calls for, so one that grows from
    /// few entries to many suits fewer threads than one with the capacity from the start.
    ///
    /// ```
    /// use ctu_std::{Cache, CacheExt, ConcurrentCache};
    ///
    /// let cache = ConcurrentCache::<u32, u32>::with_capacity(100);
    /// (0..100).try_for_each(|key| cache.insert(&key, key))?;
    /// cache.set_capacity(10);
    /// assert_eq!((cache.len()?, cache.capacity()), (10, 10));
    /// # Ok::<(), ctu_std::Error>(())
    /// ```
    pub fn set_capacity(&self, capacity: usize) {
        let now = self.clock.now();
        let mut gone = self.gone();
        // One change at a time, so that capacity and shards agree.
        let mut present = self.changes.lock();
        self.shards.set_capacity(
            capacity,
            self.adaptation.share(),
            self.weights.as_ref(),
            self.expiry_at(now),
            |shard, entry| {
                let cause = Self::cause(&entry, now, RemovalCause::Evicted);
                self.account(shard, &entry, cause);
                gone.push(entry, cause);
            },
        );
        self.adaptation.set_capacity(capacity);
        if let Some(counts) = &self.counts {
            counts.set_capacity(capacity);
        }
        *present = capacity;
        drop(present);
    }

    /// Sets the most weight of all entries. Entries without room are evicted.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] in a cache without a weigher, which has no weight but 0.
    pub fn set_max_weight(&self, max: u64) -> Result<(), Error> {
        let Some(weights) = &self.weights else {
            return Err(Error::OutOfRange {
                what: "weight of a cache without a weigher",
                got: usize::try_from(max).unwrap_or(usize::MAX),
                min: 0,
                max: 0,
            });
        };
        weights.set_max(max);
        self.trim(self.clock.now());
        Ok(())
    }
}
