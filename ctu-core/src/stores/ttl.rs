//! The least-recently-used store with a time-to-live.

use super::{
    expiry::Expiry,
    iter::{IntoIter, LiveIter},
    lru::Lru,
    slots::{Inline, InlineDeadlines, Slot, Slots},
    sweep::Sweep,
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
/// An expired entry is never returned, and it is evicted before any live entry. Each write of a new
/// key removes one expired entry; a lookup removes none. An entry takes `size_of::<K>() +
/// size_of::<V>() + 16` bytes.
///
/// # Bounds
/// Lookups take a time that does not depend on `N`, and writes at most `log2(N)` steps more (8 for
/// 256 entries, 16 at most), for any keys, deadlines and clock. Sweeps take a time for each entry:
/// `clear`, `retain`, iteration, and `expire` and `pop_lru` for each expired entry. Their bounded
/// forms are [`pop_expired`](Ttl::pop_expired) and [`retain_step`](Ttl::retain_step).
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
/// * The store is **nearly unused**: a live entry may expire early if the store held an entry that
///   had expired at least 37 days before, and so saw fewer than `N` writes since (with the longer
///   units above, as many times longer).
pub type TtlCache<K, V, const N: usize, T, H = FxBuildHasher> = Ttl<K, V, Inline<K, V, N>, T, H>;

/// A [`TtlCache`] of at most 255 entries that take 10 bytes over their key and value, in place of
/// 16.
///
/// ```
/// use core::time::Duration;
/// use ctu_core::{ManualClock, SmallTtlCache};
///
/// let clock = ManualClock::new();
/// let mut cache = SmallTtlCache::<u8, u32, 16, _>::new(Duration::from_secs(60), &clock);
/// cache.insert(1, 10);
/// assert_eq!(cache.get(&1), Some(&10));
/// ```
pub type SmallTtlCache<K, V, const N: usize, T, H = FxBuildHasher> =
    Ttl<K, V, Inline<K, V, N, u8>, T, H>;

/// The store with deadlines, generic over its storage: [`TtlCache`] and `heap::TtlCache`.
#[derive(Clone)]
pub struct Ttl<K, V, M: Slots<K, V>, T, H = FxBuildHasher> {
    pub(super) lru: Lru<K, V, M, H>,
    expiry: Expiry<M::Deadlines>,
    pub(super) time: Time<T>,
}

impl<K, V, const N: usize, I: Slot, T> Ttl<K, V, Inline<K, V, N, I>, T> {
    /// An empty store with the time-to-live `ttl` by `clock`. Compiles only for a capacity `N` from
    /// 1 to 65,535, or to 255 in a [`SmallTtlCache`].
    ///
    /// In a `static`, the initial value of a store with a time-to-live takes as much flash as RAM.
    /// A store with the time-to-live [`Duration::ZERO`] is all zeros and takes no flash;
    /// [`set_ttl`](Self::set_ttl) sets the time-to-live at start-up.
    pub const fn new(ttl: Duration, clock: T) -> Self {
        Self::with_hasher(ttl, clock, FxBuildHasher)
    }
}

impl<K, V, const N: usize, I: Slot, T, H> Ttl<K, V, Inline<K, V, N, I>, T, H> {
    /// An empty store that hashes keys with `hasher`.
    pub const fn with_hasher(ttl: Duration, clock: T, hasher: H) -> Self {
        Self::with_slots(Inline::new(), InlineDeadlines::new(), ttl, clock, hasher)
    }
}

impl<K, V, M: Slots<K, V>, T, H> Ttl<K, V, M, T, H> {
    pub(crate) const fn with_slots(
        slots: M,
        deadlines: M::Deadlines,
        ttl: Duration,
        clock: T,
        hasher: H,
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

    /// Sets the time-to-live of entries that are stored without one from now on.
    ///
    /// # Errors
    /// [`Error::TtlTooLong`] where `ttl` is longer than [`max_ttl`](Self::max_ttl) and there are
    /// entries, which are counted in units of that.
    ///
    /// ```
    /// use core::time::Duration;
    /// use ctu_core::{ManualClock, SpinCache, TtlCache};
    ///
    /// static CLOCK: ManualClock = ManualClock::new();
    /// static CACHE: SpinCache<TtlCache<u32, u32, 64, &ManualClock>> =
    ///     SpinCache::new(TtlCache::new(Duration::ZERO, &CLOCK));
    ///
    /// CACHE.with(|store| store.set_ttl(Duration::from_secs(60)))??;
    /// # Ok::<(), ctu_core::Error>(())
    /// ```
    pub fn set_ttl(&mut self, ttl: Duration) -> Result<(), Error> {
        if self.is_empty() {
            self.time.reset(ttl);
            return Ok(());
        }
        self.time.set_ttl(ttl)
    }

    /// The longest time-to-live that an entry may have.
    pub fn max_ttl(&self) -> Duration {
        self.time.max_ttl()
    }

    /// The clock.
    pub const fn clock(&self) -> &T {
        self.time.clock()
    }

    /// Removes every entry. O(N).
    pub fn clear(&mut self) {
        // Values last: a panic in a drop leaves the rest whole.
        self.expiry.clear();
        self.lru.clear();
    }

    /// Whether the entry of a slot is live at the tick `now`.
    #[inline]
    fn is_live(&self, slot: M::Slot, now: u64) -> bool {
        self.expiry.left(slot, now).is_some()
    }
}

impl<K, V, M: Slots<K, V>, T: Clock, H> Ttl<K, V, M, T, H> {
    /// Iterates over the live entries, from the most to the least recently used.
    pub fn iter(&self) -> LiveIter<'_, K, V, M> {
        LiveIter::new(self.lru.order(), &self.expiry, self.time.peek())
    }

    /// Iterates over the live entries with mutable values, in no particular order.
    pub fn iter_mut<'a>(&'a mut self) -> impl Iterator<Item = (&'a K, &'a mut V)>
    where
        K: 'a,
        V: 'a,
    {
        let now = self.time.now();
        let expiry = &self.expiry;
        let entries = self.lru.slots_mut().iter_mut().enumerate();
        entries
            .filter(move |(at, _)| expiry.left(M::Slot::new(*at), now).is_some())
            .map(|(_, entry)| entry)
    }
}

impl<K: Hash + Eq, V, M: Slots<K, V>, T: Clock, H: BuildHasher> Ttl<K, V, M, T, H> {
    /// The slot of a live entry.
    pub(super) fn find_live<Q>(&mut self, key: &Q) -> Option<M::Slot>
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
        find: impl FnOnce(&Lru<K, V, M, H>) -> M::Slot,
    ) -> Option<M::Slot> {
        // First of all: a miss advances the store's time as well.
        let now = self.time.now();
        let slot = find(&self.lru);
        self.is_live(slot, now).then_some(slot)
    }

    fn find_to_peek<Q>(&self, key: &Q) -> Option<M::Slot>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let slot = self.lru.find(key);
        self.is_live(slot, self.time.peek()).then_some(slot)
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
    pub(super) fn use_slot(&mut self, slot: M::Slot) -> Option<&V> {
        self.lru.use_slot(slot).map(|value| &*value)
    }

    /// The time left of the entry of a slot at the last reading of the clock.
    #[inline]
    pub(super) fn time_left(&self, slot: M::Slot) -> Option<Duration> {
        let ticks = self.expiry.left(slot, self.time.last())?;
        Some(self.time.left_at_last(ticks))
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
        let slot = self.lru.find(key);
        self.time.left(|now| self.expiry.left(slot, now))
    }

    /// Stores `value` at `key` for the cache's time-to-live.
    ///
    /// Returns the displaced live entry: `key` with its old value, or the least recently used entry
    /// if the store was full of live entries.
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        let mut value = Some(value);
        let (_, key, live) = self.exchange(key, &mut value, self.time.ttl());
        key.zip(value).filter(|_| live)
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
        let mut value = Some(value);
        let (_, key, live) = self.exchange(key, &mut value, ttl);
        Ok(key.zip(value).filter(|_| live))
    }

    /// Stores the value in `value`, which is the displaced one afterwards. Returns the slot,
    /// the displaced key, and whether it was live.
    pub(super) fn exchange(
        &mut self,
        key: K,
        value: &mut Option<V>,
        ttl: u64,
    ) -> (M::Slot, Option<K>, bool) {
        let now = self.write();
        let ttl = self.time.until(ttl);
        let hash = self.lru.hash(&key);
        let (slot, displaced) = match self
            .lru
            .slots()
            .find_for_insert(hash, |found| *found == key)
        {
            Ok(slot) => {
                self.lru.touch(slot);
                self.lru.swap_value(slot, value);
                self.expiry.bury::<M::Slot>(now);
                (slot, Some(key))
            }
            Err(mut victim) => {
                // An entry that has expired leaves, in a store with room as well.
                if victim == M::Slot::NONE {
                    victim = self.expiry.expired(now).unwrap_or(victim);
                } else {
                    self.expiry.bury::<M::Slot>(now);
                }
                self.lru.insert_new(hash, key, value, victim)
            }
        };
        if slot == M::Slot::NONE {
            return (slot, displaced, true);
        }
        let live = self.is_live(slot, now);
        if displaced.is_some() {
            // The slot has the deadline of the displaced entry.
            self.expiry.reschedule(slot, ttl, now);
        } else {
            self.expiry.schedule(slot, ttl, now);
        }
        (slot, displaced, live)
    }

    /// Reads the clock before a write. Returns the tick.
    fn write(&mut self) -> u64 {
        let now = self.time.now();
        self.expiry.advance(now);
        if self.expiry.no_deadline_counts() {
            self.time.restart_at_the_end();
        }
        self.time.last()
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
        let now = self.write();
        let slot = self.lru.find(key);
        let live = self.is_live(slot, now);
        let (_, value) = self.remove_slot(slot, now)?;
        Some((value, live))
    }

    /// Removes the expired entries and returns their number. O(1) for each of them.
    pub fn expire(&mut self) -> usize {
        let now = self.write();
        core::iter::from_fn(|| self.pop_expired_at(now)).count()
    }

    /// Removes and returns an entry that has expired, if there is one.
    ///
    /// This is [`expire`](Self::expire) in steps; the caller drops each entry outside the lock, and
    /// `None` reports that no more are left:
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
        let now = self.write();
        self.pop_expired_at(now)
    }

    fn pop_expired_at(&mut self, now: u64) -> Option<(K, V)> {
        let slot = self.expiry.expired(now)?;
        self.remove_slot(slot, now)
    }

    /// Removes expired entries and those for which `keep` returns false. O(n), in no particular
    /// order.
    pub fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.retain_step(&mut Sweep::new(), usize::MAX, keep);
    }

    /// [`retain`](Self::retain) in steps: visits at most `entries` entries, and returns whether
    /// there are more to visit. As [`Lru::retain_step`].
    pub fn retain_step(
        &mut self,
        sweep: &mut Sweep,
        entries: usize,
        mut keep: impl FnMut(&K, &mut V) -> bool,
    ) -> bool {
        let now = self.write();
        for _ in 0..entries {
            let Some(slot) = sweep.next::<M::Slot>(self.lru.len()) else {
                return false;
            };
            let live = self.is_live(slot, now);
            if let Some((key, value)) = self.lru.slots_mut().entry_mut(slot)
                && !(live && keep(key, value))
            {
                self.remove_slot(slot, now);
            }
        }
        sweep.has_more(self.lru.len())
    }

    /// Iterates over the live entries by value.
    pub(super) fn into_live(mut self) -> IntoIter<K, V, M, H> {
        self.expire();
        IntoIter(self.lru)
    }

    pub(super) fn remove_slot(&mut self, slot: M::Slot, now: u64) -> Option<(K, V)> {
        let last = M::Slot::new(self.lru.len().checked_sub(1)?);
        let entry = self.lru.remove_slot(slot)?;
        self.expiry.swap_remove(slot, last, now);
        Some(entry)
    }

    /// Checks all links, deadlines and the whole index; the error describes the broken invariant.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        self.lru.validate()?;
        self.expiry
            .validate::<M::Slot>(self.lru.len(), self.time.last())
    }
}
