//! The store with the adaptive policy, for one owner.

use super::{
    Entry, Table, Tuner,
    lifetimes::{Lifetimes, Unlimited},
};
use crate::{
    error::Error,
    stores::{slots::RandomState, sweep::Sweep},
};
use alloc::vec::Vec;
use core::{
    borrow::Borrow,
    convert::Infallible,
    fmt,
    hash::{BuildHasher, Hash},
    time::Duration,
};

/// A store on the heap with an eviction policy that adapts to the distribution of the keys.
///
/// It finds more than an [`LruCache`](crate::heap::LruCache): for skewed keys, loops, scans and
/// drifting keys it comes near the best policy for each ([`stores::policy`](super)). A hit writes
/// one byte, where that of an LRU moves links. It has no recency order, and so no operation on it.
/// With limits of time it is an [`AdaptiveTtlCache`](super::AdaptiveTtlCache).
///
/// Memory is allocated as entries are added. An entry takes
/// `size_of::<Option<(K, V)>>()` bytes, 21 for the policy, and 6 to 12 in the index; the store takes
/// 4 KiB. Every operation is O(1) except `clear`, `retain`, `set_capacity` and iteration. Among `n`
/// keys with one hash an operation is O(n).
///
/// ```
/// use ctu_core::heap::AdaptiveCache;
///
/// let mut cache = AdaptiveCache::with_capacity(100);
/// cache.insert(7, "often used");
/// for _ in 0..8 {
///     cache.get(&7);
/// }
/// for key in 1_000..1_300 {
///     cache.insert(key, "of a scan");
/// }
/// assert_eq!(cache.get(&7), Some(&"often used"));
/// ```
#[derive(Clone)]
pub struct AdaptiveCache<K, V, H = RandomState, L: Lifetimes = Unlimited> {
    pub(super) table: Table<Kept<K, V, L>>,
    tuner: Tuner,
    pub(super) hasher: H,
    pub(super) times: L,
}

/// An entry with its times.
pub(super) struct Kept<K, V, L: Lifetimes> {
    pub(super) key: K,
    pub(super) value: V,
    pub(super) life: L::Life,
}

impl<K: Clone, V: Clone, L: Lifetimes> Clone for Kept<K, V, L> {
    fn clone(&self) -> Self {
        Self {
            key: self.key.clone(),
            value: self.value.clone(),
            life: self.life,
        }
    }
}

impl<K, V, L: Lifetimes> Kept<K, V, L> {
    pub(super) fn is_live(&self, now: u64) -> bool {
        !L::is_over(&self.life, now)
    }

    pub(super) fn into_pair(self) -> (K, V) {
        (self.key, self.value)
    }
}

impl<K, V, L: Lifetimes> Entry for Kept<K, V, L> {
    #[inline]
    fn is_expired(&self, now: u64) -> bool {
        !self.is_live(now)
    }
}

/// A stored entry: its slot, unless the capacity is 0, and the entry that left for it.
type Stored<K, V, L> = (Option<u32>, Option<Kept<K, V, L>>);

/// The time of a write, and the entry that left for it.
type Displaced<K, V, L> = (u64, Option<Kept<K, V, L>>);

/// The slots that a write of a new key looks at for an expired entry.
const LOOKS: usize = 4;

impl<K, V> AdaptiveCache<K, V> {
    /// An empty store of at most `capacity` entries, or 4,294,967,294 if that is less.
    /// One of capacity 0 keeps nothing.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::default())
    }
}

impl<K, V, H> AdaptiveCache<K, V, H> {
    /// [`with_capacity`](AdaptiveCache::with_capacity), with keys hashed by `hasher`.
    pub fn with_capacity_and_hasher(capacity: usize, hasher: H) -> Self {
        Self::with_times(capacity, hasher, Unlimited)
    }
}

impl<K, V, H, L: Lifetimes> AdaptiveCache<K, V, H, L> {
    pub(super) fn with_times(capacity: usize, hasher: H, times: L) -> Self {
        Self {
            table: Table::new(capacity),
            tuner: Tuner::new(capacity),
            hasher,
            times,
        }
    }

    /// The maximum number of entries.
    pub const fn capacity(&self) -> usize {
        self.table.capacity()
    }

    /// Sets the maximum number of entries, and evicts those without room. O(evicted entries).
    pub fn set_capacity(&mut self, capacity: usize) {
        self.table.set_capacity(capacity);
        self.tuner.set_capacity(capacity);
        let excess = self.len().saturating_sub(self.capacity());
        // Dropped together at the end: a panic in a drop leaves no entry over the capacity.
        let evicted: Vec<_> = (0..excess).filter_map(|_| self.evict()).collect();
        drop(evicted);
    }

    /// The number of entries, including expired ones that still occupy a slot.
    pub const fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no entry, not even an expired one.
    pub const fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether the next new key evicts an entry.
    pub const fn is_full(&self) -> bool {
        self.table.is_full()
    }

    /// Removes every entry. O(n).
    pub fn clear(&mut self) {
        self.table.clear();
    }

    /// The slots of live entries at `now`, in an order of eviction.
    pub(super) fn live(&self, now: u64) -> impl Iterator<Item = (u32, &Kept<K, V, L>)> {
        let slots = self.table.in_order();
        let entries = slots.filter_map(|slot| Some((slot, self.table.get(slot)?)));
        entries.filter(move |(_, entry)| entry.is_live(now))
    }

    /// Iterates over the live entries in an order of eviction: without further uses, the first ones
    /// are the next to leave.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let live = self.live(self.times.peek());
        live.map(|(_, entry)| (&entry.key, &entry.value))
    }

    /// Iterates over the live entries with mutable values, in no particular order. That marks no
    /// use.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        let now = self.times.advance();
        let live = self.table.iter_mut();
        live.filter(move |entry| entry.is_live(now))
            .map(|entry| (&entry.key, &mut entry.value))
    }

    /// [`iter`](Self::iter) with the number of recent uses of each entry, approximately and up to 15.
    pub fn ranked(&self) -> impl Iterator<Item = (&K, &V, u8)> {
        let live = self.live(self.times.peek());
        live.map(|(slot, entry)| (&entry.key, &entry.value, self.table.uses(slot) as u8))
    }

    /// Removes the entry that makes room for a new key, and returns it: an expired one before
    /// others.
    pub fn evict(&mut self) -> Option<(K, V)> {
        let now = self.times.advance();
        if let Some(expired) = self.take_expired(LOOKS, now) {
            return Some(expired.into_pair());
        }
        let evicted = self.table.evict(self.tuner.share(), Self::time(now))?;
        Some(evicted.into_pair())
    }

    /// Removes the next expired entry of `looks` slots.
    pub(super) fn take_expired(&mut self, looks: usize, now: u64) -> Option<Kept<K, V, L>> {
        let (slots, table) = (self.table.slots(), &self.table);
        let is_expired = |slot| table.get(slot).is_some_and(|entry| !entry.is_live(now));
        let slot = self.times.next_expired(slots, looks, is_expired)?;
        self.table.remove(slot)
    }

    /// The time by which the table recognizes expired entries.
    #[inline]
    const fn time(now: u64) -> Option<u64> {
        if L::LIMITED { Some(now) } else { None }
    }

    /// Walks all links, and names the fault if there is one.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        self.table.validate()?;
        self.tuner.validate()
    }
}

/// The bits of a hash that the table uses: every bit of the hash counts in them.
#[inline]
pub(super) const fn fold(hash: u64) -> u32 {
    // Digits of pi.
    let product = (hash ^ 0x1319_8a2e_0370_7344) as u128 * 0x243f_6a88_85a3_08d3;
    (product as u64 ^ (product >> 64) as u64) as u32
}

impl<K: Hash + Eq, V, H: BuildHasher, L: Lifetimes> AdaptiveCache<K, V, H, L> {
    #[inline]
    fn hash<Q: ?Sized + Hash>(&self, key: &Q) -> u32 {
        fold(self.hasher.hash_one(key))
    }

    /// The slot of the entry at `key`, expired or not.
    #[inline]
    pub(super) fn slot<Q>(&self, hash: u32, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let found = self.table.find(hash, |entry| entry.key.borrow() == key)?;
        Some(found.0)
    }

    /// The live entry at `key`, without a mark.
    pub(super) fn look<Q>(&self, key: &Q, now: u64) -> Option<&Kept<K, V, L>>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let entry = self.table.get(self.slot(self.hash(key), key)?)?;
        entry.is_live(now).then_some(entry)
    }

    /// Marks a use of the entry in a slot.
    #[inline]
    fn mark(&mut self, hash: u32, slot: u32) {
        if self.table.hit(slot) {
            self.observe(hash);
        }
    }

    #[inline]
    fn observe(&mut self, hash: u32) {
        if self.tuner.sample().has(hash) {
            self.tuner.observe(hash);
        }
    }

    /// The entry in a slot with a mark of its use, if it is live.
    #[inline]
    pub(super) fn use_slot(
        &mut self,
        hash: u32,
        slot: Option<u32>,
        now: u64,
    ) -> Option<&mut Kept<K, V, L>> {
        let slot = slot?;
        if L::LIMITED && !self.table.get(slot)?.is_live(now) {
            return None;
        }
        self.mark(hash, slot);
        let entry = self.table.get_mut(slot)?;
        self.times.touch(&mut entry.life, now);
        Some(entry)
    }

    #[inline]
    pub(super) fn use_key<Q>(&mut self, key: &Q, now: u64) -> Option<&mut Kept<K, V, L>>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let hash = self.hash(key);
        self.use_slot(hash, self.slot(hash, key), now)
    }

    /// Returns the value at `key` and marks a use of the entry.
    #[inline]
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.get_mut(key).map(|value| &*value)
    }

    /// Returns the value at `key` and marks a use of the entry.
    #[inline]
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let now = self.times.advance();
        self.use_key(key, now).map(|entry| &mut entry.value)
    }

    /// Returns the value at `key` without a mark.
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let entry = self.look(key, self.times.peek())?;
        Some(&entry.value)
    }

    /// Whether `key` has a live entry. That marks no use.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.look(key, self.times.peek()).is_some()
    }

    /// Stores `value` at `key`.
    ///
    /// Returns the displaced live entry: `key` with its old value, or the evicted entry if the store
    /// was full; the returned key distinguishes the two. A store of capacity 0 returns the new entry
    /// itself.
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        self.insert_used(key, value, 0)
    }

    /// [`insert`](Self::insert) of an entry that was used before, as [`ranked`](Self::ranked) tells.
    pub fn insert_used(&mut self, key: K, value: V, uses: u8) -> Option<(K, V)> {
        let (now, displaced) = self.store(key, value, None, uses).ok()?;
        let live = displaced.filter(|entry| entry.is_live(now))?;
        Some(live.into_pair())
    }

    /// Stores an entry that was used before, for `ttl`. Returns the time, and the entry that left.
    pub(super) fn store(
        &mut self,
        key: K,
        value: V,
        ttl: Option<Duration>,
        uses: u8,
    ) -> Result<Displaced<K, V, L>, Error> {
        let now = self.times.advance();
        let life = self.times.begin(ttl, now)?;
        let hash = self.hash(&key);
        let slot = self.slot(hash, &key);
        let is_new = slot.is_none();
        let (slot, displaced) = self.place(hash, slot, Kept { key, value, life }, now);
        // A new entry counts as used once.
        let more = u32::from(uses).saturating_sub(u32::from(is_new));
        if let (Some(slot), 1..) = (slot, more) {
            self.table.add_uses(slot, more);
        }
        Ok((now, displaced))
    }

    /// Puts an entry in the slot of its key, or in a new one.
    #[inline]
    fn place(
        &mut self,
        hash: u32,
        slot: Option<u32>,
        mut entry: Kept<K, V, L>,
        now: u64,
    ) -> Stored<K, V, L> {
        let Some(slot) = slot else {
            return self.place_new(hash, entry, now);
        };
        if let Some(old) = self.table.get(slot)
            && old.is_live(now)
        {
            self.times.succeed(&mut entry.life, &old.life);
        }
        self.mark(hash, slot);
        (Some(slot), self.table.replace(slot, entry))
    }

    #[inline]
    fn place_new(&mut self, hash: u32, entry: Kept<K, V, L>, now: u64) -> Stored<K, V, L> {
        let expired = self.take_expired(LOOKS, now);
        let share = self.tuner.share();
        let mut left = None;
        let inserted = self
            .table
            .insert(hash, entry, share, Self::time(now), &mut left);
        self.observe(hash);
        match inserted {
            Ok(slot) => (Some(slot), expired.or(left)),
            Err(entry) => (None, Some(entry)),
        }
    }

    /// Returns the value at `key`; on a miss, stores and returns the value of `make`.
    /// `None` only for a store of capacity 0.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> Option<&mut V> {
        let Ok(value) = self.try_get_or_insert_with(key, || Ok::<_, Infallible>(make()));
        value
    }

    /// [`get_or_insert_with`](Self::get_or_insert_with) with a computation that may fail.
    ///
    /// # Errors
    /// That of `make`. Nothing is stored.
    ///
    /// ```
    /// use ctu_core::heap::AdaptiveCache;
    ///
    /// let mut cache = AdaptiveCache::with_capacity(2);
    /// assert_eq!(cache.try_get_or_insert_with(1, || Err("no value")), Err("no value"));
    /// assert_eq!(cache.try_get_or_insert_with(1, || Ok::<_, ()>(10)), Ok(Some(&mut 10)));
    /// ```
    pub fn try_get_or_insert_with<E>(
        &mut self,
        key: K,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Option<&mut V>, E> {
        let now = self.times.advance();
        let hash = self.hash(&key);
        let mut slot = self.slot(hash, &key);
        if self.use_slot(hash, slot, now).is_none() {
            let value = make()?;
            // A life without a time of its own has no fault.
            let Ok(life) = self.times.begin(None, now) else {
                return Ok(None);
            };
            slot = self.place(hash, slot, Kept { key, value, life }, now).0;
        }
        let entry = slot.and_then(|slot| self.table.get_mut(slot));
        Ok(entry.map(|entry| &mut entry.value))
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
        let now = self.times.advance();
        let slot = self.slot(self.hash(key), key)?;
        let entry = self.table.remove(slot)?;
        let live = entry.is_live(now);
        Some((entry.value, live))
    }

    /// Removes expired entries and those for which `keep` returns false. O(n), in no particular
    /// order.
    pub fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.retain_step(&mut Sweep::new(), usize::MAX, keep);
    }

    /// [`retain`](Self::retain) in steps: visits the places of at most `entries` entries, and
    /// returns whether there are more to visit. As [`Lru::retain_step`](crate::stores::Lru).
    pub fn retain_step(
        &mut self,
        sweep: &mut Sweep,
        entries: usize,
        mut keep: impl FnMut(&K, &mut V) -> bool,
    ) -> bool {
        let now = self.times.advance();
        for _ in 0..entries {
            let Some(slot) = sweep.next::<u32>(self.table.slots()) else {
                return false;
            };
            if let Some(entry) = self.table.get_mut(slot)
                && !(entry.is_live(now) && keep(&entry.key, &mut entry.value))
            {
                self.table.remove(slot);
            }
        }
        sweep.has_more(self.table.slots())
    }
}

impl<K: Hash + Eq, V, H: BuildHasher, L: Lifetimes> Extend<(K, V)> for AdaptiveCache<K, V, H, L> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K, V, H, L: Lifetimes> IntoIterator for AdaptiveCache<K, V, H, L> {
    type Item = (K, V);
    type IntoIter = alloc::vec::IntoIter<(K, V)>;

    /// Iterates over the live entries by value, in no particular order.
    fn into_iter(mut self) -> Self::IntoIter {
        let now = self.times.advance();
        let entries = self.table.clear().into_iter().flatten();
        let live = entries.filter(|entry| entry.is_live(now));
        live.map(Kept::into_pair).collect::<Vec<_>>().into_iter()
    }
}

impl<K: fmt::Debug, V: fmt::Debug, H, L: Lifetimes> fmt::Debug for AdaptiveCache<K, V, H, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
