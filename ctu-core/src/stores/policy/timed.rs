//! The adaptive store with limits of time.

use super::{
    AdaptiveCache,
    cache::Kept,
    lifetimes::{Lifetimes, Limited, TimeLimits},
};
use crate::{clock::Clock, error::Error, stores::slots::RandomState};
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    time::Duration,
};

/// An [`AdaptiveCache`] with expiring entries.
///
/// An entry ends by the earliest of the [`TimeLimits`] of the store: after its creation, after the
/// update of its value, after its last read, or by its own time-to-live
/// ([`insert_with_ttl`](AdaptiveCache::insert_with_ttl)). An expired entry is never returned.
///
/// An entry takes 24 bytes more than in an [`AdaptiveCache`]. Each write of a new key looks at four
/// entries in turn, and removes the first expired one: of `n` entries, `e` expired ones leave within
/// `n / 4 + e` writes. [`pop_expired`](AdaptiveCache::pop_expired) and
/// [`expire`](AdaptiveCache::expire) remove them at once.
///
/// Operations with `&mut self` advance the store's time, which only moves forwards. Of a clock that
/// wraps around, stands still or is set, the store sees the same as a
/// [`TtlCache`](crate::TtlCache).
///
/// ```
/// use core::time::Duration;
/// use ctu_core::{ManualClock, heap::{AdaptiveTtlCache, TimeLimits}};
///
/// let clock = ManualClock::new();
/// let limits = TimeLimits::new().expire_after_update(Duration::from_secs(60));
/// let mut cache = AdaptiveTtlCache::with_limits(1_000, limits, &clock);
/// cache.insert("minute", 1);
/// cache.insert_with_ttl("second", 2, Duration::from_secs(1))?;
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(cache.get("minute"), Some(&1));
/// assert_eq!(cache.get("second"), None);
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub type AdaptiveTtlCache<K, V, T, H = RandomState> = AdaptiveCache<K, V, H, Limited<T>>;

impl<K, V, T: Clock> AdaptiveTtlCache<K, V, T> {
    /// An empty store of at most `capacity` entries, or 4,294,967,294 if that is less, which live
    /// within `limits` by `clock`. One of capacity 0 keeps nothing.
    pub fn with_limits(capacity: usize, limits: TimeLimits, clock: T) -> Self {
        Self::with_limits_and_hasher(capacity, limits, clock, RandomState::default())
    }
}

impl<K, V, T: Clock, H> AdaptiveTtlCache<K, V, T, H> {
    /// [`with_limits`](AdaptiveCache::with_limits), with keys hashed by `hasher`.
    pub fn with_limits_and_hasher(
        capacity: usize,
        limits: TimeLimits,
        clock: T,
        hasher: H,
    ) -> Self {
        Self::with_times(capacity, hasher, Limited::new(limits, clock))
    }

    /// The limits of the life of entries.
    pub const fn limits(&self) -> TimeLimits {
        self.times.limits()
    }

    /// The clock.
    pub const fn clock(&self) -> &T {
        self.times.clock()
    }

    /// Removes and returns an entry that has expired, if there is one. Calls until there is none
    /// take O(n + expired entries) together.
    pub fn pop_expired(&mut self) -> Option<(K, V)> {
        let now = self.times.advance();
        let expired = self.take_expired(self.table.slots(), now);
        expired.map(Kept::into_pair)
    }

    /// Removes the expired entries and returns their number. O(n).
    pub fn expire(&mut self) -> usize {
        core::iter::from_fn(|| self.pop_expired()).count()
    }

    /// [`ranked`](AdaptiveCache::ranked) with the time left of each entry apart from the limit
    /// between uses. `None` without a limit.
    pub fn ranked_with_ttl(&self) -> impl Iterator<Item = (&K, &V, u8, Option<Duration>)> {
        let now = self.times.peek();
        self.live(now).map(move |(slot, entry)| {
            let uses = self.table.uses(slot) as u8;
            let left = Limited::<T>::left_unused(&entry.life, now);
            (&entry.key, &entry.value, uses, left)
        })
    }
}

impl<K: Hash + Eq, V, T: Clock, H: BuildHasher> AdaptiveTtlCache<K, V, T, H> {
    /// Stores `value` at `key` for `ttl`, in place of the limit after an update. Otherwise as
    /// [`insert`](AdaptiveCache::insert).
    ///
    /// # Errors
    /// [`Error::TtlTooLong`] where `ttl` is longer than 292 million years.
    pub fn insert_with_ttl(
        &mut self,
        key: K,
        value: V,
        ttl: Duration,
    ) -> Result<Option<(K, V)>, Error> {
        self.insert_used_with_ttl(key, value, 0, ttl)
    }

    /// [`insert_with_ttl`](AdaptiveCache::insert_with_ttl) of an entry that was used before, as
    /// [`ranked`](AdaptiveCache::ranked) tells.
    ///
    /// # Errors
    /// Those of [`insert_with_ttl`](AdaptiveCache::insert_with_ttl).
    pub fn insert_used_with_ttl(
        &mut self,
        key: K,
        value: V,
        uses: u8,
        ttl: Duration,
    ) -> Result<Option<(K, V)>, Error> {
        let (now, displaced) = self.store(key, value, Some(ttl), uses)?;
        let live = displaced.filter(|entry| entry.is_live(now));
        Ok(live.map(Kept::into_pair))
    }

    /// The remaining time of the live entry at `key`. `None` without an entry or a limit.
    pub fn remaining<Q>(&self, key: &Q) -> Option<Duration>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let now = self.times.peek();
        Limited::<T>::left(&self.look(key, now)?.life, now)
    }
}
