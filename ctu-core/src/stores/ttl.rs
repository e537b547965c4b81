//! The least-recently-used store with a time-to-live.

use super::{
    expiry::{Expiry, MAX_TICK},
    iter::{IntoIter, LiveIter},
    lru::Lru,
    slots::{Deadline, Inline, Slot, Slots},
    time::Time,
};
use crate::{clock::Clock, error::Error};
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    time::Duration,
};
use rustc_hash::FxBuildHasher;

/// An [`LruCache`](crate::LruCache) with expiring entries. The time-to-live is that of the cache,
/// or that of the entry ([`insert_with_ttl`](Ttl::insert_with_ttl)).
///
/// An expired entry is never returned, and it is evicted before any live entry. It keeps its slot
/// until its key is written or removed, the slot is needed, or [`expire`](Ttl::expire) runs; a
/// lookup does not drop it. An entry takes `size_of::<K>() + size_of::<V>() + 16` bytes. Every
/// operation is O(1) amortised, and O(log n) expected while `n` entries have a time-to-live of
/// their own; `clear`, `retain` and `expire` cost O(1) for each removed entry.
///
/// ```
/// use core::time::Duration;
/// use ctu_core::{ManualClock, TtlCache};
///
/// let clock = ManualClock::new();
/// let mut cache = TtlCache::<&str, u32, 16, _>::new(Duration::from_secs(60), &clock);
/// cache.insert("minute", 1);
/// cache.insert_with_ttl("second", 2, Duration::from_secs(1))?;
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(cache.get("minute"), Some(&1));
/// assert_eq!(cache.get("second"), None);
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// # Time
/// Times are whole milliseconds, rounded down, for a time-to-live of up to 6 days. Beyond that the
/// unit doubles with each doubling of the cache's time-to-live: an entry may expire up to 1 part in
/// 268 million early, and never late. An entry's own time-to-live may be at least twice the
/// cache's, and at least 12 days; see [`max_ttl`](Ttl::max_ttl).
///
/// The store adds up the time between its operations, and its time only moves forwards. Operations
/// with `&mut self` (every operation of a [`LockedCache`](crate::LockedCache)) advance it; `peek`,
/// `contains`, `remaining` and `iter` read the clock and leave the store's time unchanged.
/// * The clock **stands still**: nothing expires.
/// * The clock **wraps around** at [`Clock::BITS`]: no effect if the store is used at least once in
///   half the clock's range. After a longer pause, entries live longer by the unseen time.
/// * The clock **goes backwards**: live entries stay live and expired ones stay expired. Less than a
///   second: the store's time stands still until the clock catches up. More: the clock was set, and
///   time continues from there; entries live longer by at most the time between the last operation
///   and the step.
/// * The clock goes **back and forth** by more than a second, as on cores with different clocks: each
///   step ahead counts, and entries expire early. The store cannot distinguish this from a clock
///   that is set repeatedly.
/// * The clock **jumps ahead**: the store counts the jump as elapsed time.
pub type TtlCache<K, V, const N: usize, C, S = FxBuildHasher> = Ttl<K, V, Inline<K, V, N>, C, S>;

/// The store with deadlines, generic over its storage: [`TtlCache`] and `heap::TtlCache`.
#[derive(Clone)]
pub struct Ttl<K, V, T: Slots<K, V>, C, S = FxBuildHasher> {
    lru: Lru<K, V, T, S>,
    expiry: Expiry<T::Slot, T::Deadlines>,
    pub(super) time: Time<C>,
}

impl<K, V, const N: usize, C> TtlCache<K, V, N, C> {
    /// An empty store with the time-to-live `ttl` by `clock`. Compiles only for a capacity `N` from
    /// 1 to 65,535.
    pub const fn new(ttl: Duration, clock: C) -> Self {
        Self::with_hasher(ttl, clock, FxBuildHasher)
    }
}

impl<K, V, const N: usize, C, S> TtlCache<K, V, N, C, S> {
    /// An empty store that hashes keys with `hasher`.
    pub const fn with_hasher(ttl: Duration, clock: C, hasher: S) -> Self {
        Self::with_slots(
            Inline::new(),
            [Deadline::<u16>::NONE; N],
            ttl,
            clock,
            hasher,
        )
    }
}

impl<K, V, T: Slots<K, V>, C, S> Ttl<K, V, T, C, S> {
    pub(crate) const fn with_slots(
        slots: T,
        deadlines: T::Deadlines,
        ttl: Duration,
        clock: C,
        hasher: S,
    ) -> Self {
        Self {
            lru: Lru::with_slots(slots, hasher),
            expiry: Expiry::new(deadlines),
            time: Time::new(ttl, clock),
        }
    }

    /// The maximum number of entries.
    pub fn capacity(&self) -> usize {
        self.lru.capacity()
    }

    /// The number of entries, including expired ones that still occupy a slot.
    pub fn len(&self) -> usize {
        self.lru.len()
    }

    /// Whether there is no entry, not even an expired one.
    pub fn is_empty(&self) -> bool {
        self.lru.is_empty()
    }

    /// The time-to-live of an entry that is stored without one of its own.
    pub fn ttl(&self) -> Duration {
        Duration::from_millis(self.time.ttl())
    }

    /// The longest time-to-live that an entry may have.
    pub fn max_ttl(&self) -> Duration {
        self.time.max_ttl()
    }

    /// The clock.
    pub const fn clock(&self) -> &C {
        self.time.clock()
    }

    /// Removes every entry. O(N).
    pub fn clear(&mut self) {
        self.lru.clear();
        self.expiry.clear();
    }

    fn expired(&self, slot: T::Slot, now: u32) -> bool {
        self.expiry.has_passed(slot, now)
    }
}

impl<K, V, T: Slots<K, V>, C: Clock, S> Ttl<K, V, T, C, S> {
    /// Iterates over the live entries, from the most to the least recently used.
    pub fn iter(&self) -> LiveIter<'_, K, V, T> {
        LiveIter::new(self.lru.order(), &self.expiry, self.time.peek())
    }
}

impl<K: Hash + Eq, V, T: Slots<K, V>, C: Clock, S: BuildHasher> Ttl<K, V, T, C, S> {
    /// The slot of a live entry.
    pub(super) fn find_live<Q>(&mut self, key: &Q) -> Option<T::Slot>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.live(|lru| lru.find(key))
    }

    /// The result of `find`, if the entry in that slot is live.
    #[inline]
    pub(super) fn live(
        &mut self,
        find: impl FnOnce(&Lru<K, V, T, S>) -> T::Slot,
    ) -> Option<T::Slot> {
        // First of all: a miss advances the store's time as well.
        let now = self.time.now();
        let slot = find(&self.lru);
        if slot == T::Slot::NONE || self.expired(slot, now) {
            return None;
        }
        Some(slot)
    }

    fn find_to_peek<Q>(&self, key: &Q) -> Option<T::Slot>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let slot = self.lru.find(key);
        (slot != T::Slot::NONE && !self.expired(slot, self.time.peek())).then_some(slot)
    }

    /// Returns the value at `key` and marks the entry as most recently used.
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.get_mut(key).map(|value| &*value)
    }

    /// Returns the value at `key` and marks the entry as most recently used. Its deadline stays.
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let slot = self.find_live(key)?;
        self.lru.use_slot(slot)
    }

    /// Returns the value of a live entry and marks the entry as most recently used.
    #[inline]
    pub(super) fn use_slot(&mut self, slot: T::Slot) -> Option<&V> {
        self.lru.use_slot(slot).map(|value| &*value)
    }

    /// Returns the value at `key` without a change to the recency order.
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.lru.slots().value(self.find_to_peek(key)?)
    }

    /// Whether `key` has a live entry. The recency order does not change.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.find_to_peek(key).is_some()
    }

    /// The remaining time-to-live of the entry at `key`.
    pub fn remaining<Q>(&self, key: &Q) -> Option<Duration>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let tick = self.expiry.tick(self.find_to_peek(key)?)?;
        Some(self.time.left(tick))
    }

    /// Stores `value` at `key` for the cache's time-to-live.
    ///
    /// Returns the displaced live entry: `key` with its old value, or the least recently used entry
    /// if the store was full of live entries.
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        let (entry, live) = self.insert_until(key, value, self.time.ttl(), false);
        entry.filter(|_| live)
    }

    /// Stores `value` at `key` for `ttl`. Otherwise as [`insert`](Self::insert).
    ///
    /// # Errors
    /// [`Error::TtlTooLong`] where `ttl` is longer than [`max_ttl`](Self::max_ttl).
    pub fn insert_with_ttl(
        &mut self,
        key: K,
        value: V,
        ttl: Duration,
    ) -> Result<Option<(K, V)>, Error> {
        let ttl = self.time.check(ttl)?;
        let (entry, live) = self.insert_until(key, value, ttl, true);
        Ok(entry.filter(|_| live))
    }

    /// Returns the displaced entry, and whether it was live.
    pub(super) fn insert_until(
        &mut self,
        key: K,
        value: V,
        ttl: u64,
        own: bool,
    ) -> (Option<(K, V)>, bool) {
        self.time.now();
        let tick = self.tick_after(ttl);
        let now = self.time.last();
        let hash = self.lru.hash(&key);
        if own {
            // With a seeded hasher, an attacker cannot predict the shape of the tree.
            self.expiry
                .seed(|| self.lru.hash(&self.time.elapsed()) as u32);
        }
        let slot = self.lru.slots().find(hash, |found| *found == key);
        if let Some(place) = self.lru.slots_mut().value_mut(slot) {
            let value = core::mem::replace(place, value);
            let live = !self.expired(slot, now);
            self.lru.touch(slot);
            self.expiry.cancel(slot);
            self.expiry.schedule(slot, tick, own);
            return (Some((key, value)), live);
        }
        let mut dead = None;
        if self.lru.is_full() {
            dead = self.pop_expired_at(now);
        }
        let (slot, evicted) = self.lru.insert_new(hash, key, value);
        if slot != T::Slot::NONE {
            if evicted.is_some() {
                // The slot still has the deadline of the evicted entry.
                self.expiry.cancel(slot);
            }
            self.expiry.schedule(slot, tick, own);
        }
        let live = evicted.is_some();
        (evicted.or(dead), live)
    }

    /// The tick `ttl` milliseconds from the last reading of the clock.
    fn tick_after(&mut self, ttl: u64) -> u32 {
        if let Some(tick) = self.time.after(ttl) {
            return tick;
        }
        // The ticks are used up: all deadlines are counted from now on.
        self.expire();
        if self.lru.is_empty() {
            // The store's time restarts too: a clock that jumped to its end would leave no ticks.
            self.time.restart();
        } else {
            let ticks = self.time.count_from_last();
            for index in 0..self.lru.len() {
                self.expiry.rebase(T::Slot::new(index), ticks);
            }
        }
        self.time.after(ttl).unwrap_or(MAX_TICK)
    }

    /// Removes the entry at `key` and returns its value, if it was live.
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let (value, live) = self.take(key)?;
        live.then_some(value)
    }

    /// Removes the entry at `key`. Returns its value, and whether it was live.
    pub(super) fn take<Q>(&mut self, key: &Q) -> Option<(V, bool)>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let now = self.time.now();
        let slot = self.lru.find(key);
        let live = !self.expired(slot, now);
        let (_, value) = self.remove_slot(slot)?;
        Some((value, live))
    }

    /// Removes the least recently used live entry and returns it.
    pub fn pop_lru(&mut self) -> Option<(K, V)> {
        self.expire();
        self.remove_slot(self.lru.tail())
    }

    /// Removes the expired entries and returns their number.
    pub fn expire(&mut self) -> usize {
        let now = self.time.now();
        core::iter::from_fn(|| self.pop_expired_at(now)).count()
    }

    /// Removes and returns the entry that expired first, if any has expired.
    ///
    /// This is [`expire`](Self::expire) in steps; the caller drops each entry outside the lock:
    ///
    /// ```
    /// use core::time::Duration;
    /// use ctu_core::{Cache, CacheExt, ManualClock, SpinCache, TtlCache};
    ///
    /// let clock = ManualClock::new();
    /// let cache = SpinCache::new(TtlCache::<u32, &str, 8, _>::new(Duration::from_secs(1), &clock));
    /// cache.insert(&1, "one")?;
    /// clock.advance(Duration::from_secs(1));
    /// while let Some((key, value)) = cache.with(|store| store.pop_expired())? {
    ///     assert_eq!((key, value), (1, "one"));
    /// }
    /// # Ok::<(), ctu_core::Error>(())
    /// ```
    pub fn pop_expired(&mut self) -> Option<(K, V)> {
        let now = self.time.now();
        self.pop_expired_at(now)
    }

    fn pop_expired_at(&mut self, now: u32) -> Option<(K, V)> {
        let (slot, _) = self.expiry.earliest().filter(|&(_, tick)| tick <= now)?;
        self.remove_slot(slot)
    }

    /// Removes expired entries and those for which `keep` returns false. O(n), in no particular
    /// order.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.expire();
        for index in (0..self.lru.len()).rev() {
            let slot = T::Slot::new(index);
            if let Some((key, value)) = self.lru.slots_mut().entry_mut(slot)
                && !keep(key, value)
            {
                self.remove_slot(slot);
            }
        }
    }

    /// Iterates over the live entries by value.
    pub(super) fn into_live(mut self) -> IntoIter<K, V, T, S> {
        self.expire();
        IntoIter(self.lru)
    }

    fn remove_slot(&mut self, slot: T::Slot) -> Option<(K, V)> {
        let last = T::Slot::new(self.lru.len().checked_sub(1)?);
        let entry = self.lru.remove_slot(slot)?;
        self.expiry.swap_remove(slot, last);
        Some(entry)
    }

    /// Checks all links, deadlines and the whole index; the error describes the broken invariant.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        self.lru.validate()?;
        self.expiry.validate(self.lru.len())
    }
}
