use super::{
    expiry::{Expiry, MAX_TICK},
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

/// An [`LruCache`](crate::LruCache) whose entries expire: after the cache's own time-to-live, or one
/// of their own ([`insert_for`](Ttl::insert_for)).
///
/// An expired entry is never returned, and makes room before any live entry has to. It stays until its key is written or
/// removed, its room is needed, or [`expire`](Ttl::expire) sweeps; no look-up drops it.
/// `size_of::<K>() + size_of::<V>() + 16` bytes an entry. Every operation is O(1) amortised, and
/// O(log n) expected while there are `n` entries with a time-to-live of their own; `clear`, `retain` and
/// `expire` go through what they remove.
///
/// ```
/// use core::time::Duration;
/// use ctu_core::{ManualClock, TtlCache};
///
/// let clock = ManualClock::new();
/// let mut cache = TtlCache::<&str, u32, 16, _>::new(Duration::from_secs(60), &clock);
/// cache.insert("minute", 1);
/// cache.insert_for("second", 2, Duration::from_secs(1))?;
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(cache.get("minute"), Some(&1));
/// assert_eq!(cache.get("second"), None);
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// # Time
/// Times are whole milliseconds, rounded down, for a time-to-live of up to 6 days; beyond that the unit doubles
/// with each doubling of the cache's time-to-live, so an entry may expire up to 1 part in 268 million early,
/// and never late. An entry's own time-to-live may be twice the cache's or 12 days, whichever is longer,
/// at least; see [`max_ttl`](Ttl::max_ttl).
///
/// The store counts the time between its operations, and only forwards. (Those with `&mut self`, as every operation on a
/// [`LockedCache`](crate::LockedCache) is: `peek`, `contains`, `remaining` and `iter` read the clock and leave the store's time as it is.)
/// * A clock that **stands still**: nothing expires.
/// * A clock that **wraps around** as its [`Clock::BITS`] says: nothing happens, if the store is used at least
///   once in half the clock's span. After a longer silence, entries live on by what was not seen.
/// * A clock that **goes backwards**: what is live stays live and what has expired stays expired. By less than a second: time
///   stands still until the clock has caught up. By more: it was set, and time goes on from there, so that entries
///   live on by no more than the time between the last operation and the step.
/// * A clock that goes **to and fro** by more than a second, as where it is read on cores that disagree, cannot be told from one
///   that is set again and again: every step ahead counts, and entries expire early.
/// * A clock that **jumps ahead**: that time has passed, as far as anyone can tell.
pub type TtlCache<K, V, const N: usize, C, S = FxBuildHasher> = Ttl<K, V, Inline<K, V, N>, C, S>;

/// The store with deadlines behind [`TtlCache`] and its heap-backed twin.
#[derive(Clone)]
pub struct Ttl<K, V, T: Slots<K, V>, C, S = FxBuildHasher> {
    lru: Lru<K, V, T, S>,
    expiry: Expiry<T::Slot, T::Deadlines>,
    pub(super) time: Time<C>,
}

impl<K, V, const N: usize, C> TtlCache<K, V, N, C> {
    /// An empty store whose entries live for `ttl` by `clock`. Compiles only for a capacity `N` from 1 to 65,535.
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

    /// The most entries there may be.
    pub fn capacity(&self) -> usize {
        self.lru.capacity()
    }

    /// The number of entries, with those that have expired and are still there.
    pub fn len(&self) -> usize {
        self.lru.len()
    }

    /// Whether there is no entry, not even one that has expired.
    pub fn is_empty(&self) -> bool {
        self.lru.is_empty()
    }

    /// How long an entry lives that was given no time of its own.
    pub fn ttl(&self) -> Duration {
        Duration::from_millis(self.time.ttl())
    }

    /// The longest time that an entry can be given.
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
        self.expiry.tick(slot).is_some_and(|tick| tick <= now)
    }
}

impl<K, V, T: Slots<K, V>, C: Clock, S> Ttl<K, V, T, C, S> {
    /// The live entries, from the most to the least recently used.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        let now = self.time.peek();
        let order = self.lru.order();
        let entries = order.clone();
        order
            .filter(move |&slot| !self.expired(slot, now))
            .filter_map(move |slot| entries.entry(slot))
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

    /// The slot that `find` finds, if its entry is live.
    #[inline]
    pub(super) fn live(
        &mut self,
        find: impl FnOnce(&Lru<K, V, T, S>) -> T::Slot,
    ) -> Option<T::Slot> {
        // Before anything else: a look-up that finds nothing is a use of the store as well.
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

    /// The value at `key`, which becomes the most recently used.
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.get_mut(key).map(|value| &*value)
    }

    /// The value at `key`, which becomes the most recently used. Its deadline stays.
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let slot = self.find_live(key)?;
        self.lru.use_slot(slot)
    }

    /// The value in the slot of a live entry, which becomes the most recently used.
    #[inline]
    pub(super) fn use_slot(&mut self, slot: T::Slot) -> Option<&V> {
        self.lru.use_slot(slot).map(|value| &*value)
    }

    /// The value at `key`, whose place in the recency order stays.
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.lru.slots().value(self.find_to_peek(key)?)
    }

    /// Whether there is a live entry at `key`, whose place in the recency order stays.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.find_to_peek(key).is_some()
    }

    /// How much longer the entry at `key` lives.
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
    /// Returns the live entry that this displaced: `key` with its old value, or else, where the store was
    /// full of live entries, the least recently used one.
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        let (entry, live) = self.insert_until(key, value, self.time.ttl(), false);
        entry.filter(|_| live)
    }

    /// Stores `value` at `key` for `ttl`. Otherwise as [`insert`](Self::insert).
    ///
    /// # Errors
    /// [`Error::TtlTooLong`] where `ttl` is longer than [`max_ttl`](Self::max_ttl).
    pub fn insert_for(&mut self, key: K, value: V, ttl: Duration) -> Result<Option<(K, V)>, Error> {
        let ttl = self.time.check(ttl)?;
        let (entry, live) = self.insert_until(key, value, ttl, true);
        Ok(entry.filter(|_| live))
    }

    /// Returns the entry that was displaced, and whether it was live.
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
            // What nobody outside knows, if the hasher is seeded, is the shape of the tree.
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
                // Whose slot it was.
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
        // Deadlines have counted as far as they can: they begin anew from now.
        self.expire();
        if self.lru.is_empty() {
            // And so does time itself, lest a clock that once jumped to its end leaves none to count.
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

    /// Removes the entries that have expired, and says how many.
    pub fn expire(&mut self) -> usize {
        let now = self.time.now();
        core::iter::from_fn(|| self.pop_expired_at(now)).count()
    }

    /// Removes an entry that has expired, the one that did first, and returns it.
    ///
    /// What [`expire`](Self::expire) does in steps, with nothing dropped while a lock is held:
    ///
    /// ```
    /// use core::time::Duration;
    /// use ctu_core::{Cache, ManualClock, SpinCache, TtlCache};
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

    /// Removes the entries that `keep` refuses, and those that have expired. O(n), in no particular order.
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

    fn remove_slot(&mut self, slot: T::Slot) -> Option<(K, V)> {
        let last = T::Slot::new(self.lru.len().checked_sub(1)?);
        let entry = self.lru.remove_slot(slot)?;
        self.expiry.swap_remove(slot, last);
        Some(entry)
    }

    /// Walks all links, deadlines and the whole index, and says what is wrong if anything is.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        self.lru.validate()?;
        self.expiry.validate(self.lru.len())
    }
}
