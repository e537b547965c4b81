//! The store with the adaptive policy, for one owner.

use super::{Entry, Table, Tuner};
use crate::{
    entries::{KeyParts, StoredKey},
    error::Error,
    stores::{
        slots::RandomState,
        store::{Store, store_methods},
        sweep::Sweep,
    },
};
use core::{
    borrow::Borrow,
    fmt,
    hash::{BuildHasher, Hash, Hasher},
    time::Duration,
};

/// A store on the heap with an eviction policy that adapts to the distribution of the keys.
///
/// It has the methods of [`heap::LruCache`](crate::heap::LruCache), and finds more: for
/// skewed keys, loops, scans and drifting keys it comes near the best policy for each
/// ([`stores::policy`](super)). A hit writes one byte, where that of an LRU moves links.
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
pub struct AdaptiveCache<K, V, S = RandomState> {
    table: Table<Kept<K, V>>,
    tuner: Tuner,
    hasher: S,
}

#[derive(Clone, Debug)]
struct Kept<K, V>(K, V);

impl<K, V> Entry for Kept<K, V> {}

impl<K, V> AdaptiveCache<K, V> {
    /// An empty store of at most `capacity` entries, or 4,294,967,294 if that is less.
    /// One of capacity 0 keeps nothing.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::default())
    }
}

impl<K, V, S> AdaptiveCache<K, V, S> {
    /// [`with_capacity`](AdaptiveCache::with_capacity), with keys hashed by `hasher`.
    pub fn with_capacity_and_hasher(capacity: usize, hasher: S) -> Self {
        Self {
            table: Table::new(capacity),
            tuner: Tuner::new(capacity),
            hasher,
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
        while self.len() > self.capacity() && self.evict().is_some() {}
    }

    /// The number of entries.
    pub const fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no entry.
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

    /// Iterates over the entries in an order of eviction: without further uses, the first ones are
    /// the next to leave.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let entries = self.table.in_order();
        let entries = entries.filter_map(|slot| self.table.get(slot));
        entries.map(|Kept(key, value)| (key, value))
    }

    /// [`iter`](Self::iter) with the number of recent uses of each entry, approximately and up to 15.
    pub fn ranked(&self) -> impl Iterator<Item = (&K, &V, u8)> {
        let slots = self.table.in_order();
        slots.filter_map(|slot| {
            let Kept(key, value) = self.table.get(slot)?;
            Some((key, value, self.table.uses(slot) as u8))
        })
    }

    /// Removes the entry that makes room for a new key, and returns it.
    pub fn evict(&mut self) -> Option<(K, V)> {
        let Kept(key, value) = self.table.evict(self.tuner.share(), None)?;
        Some((key, value))
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
const fn fold(hash: u64) -> u32 {
    // Digits of pi.
    let product = (hash ^ 0x1319_8a2e_0370_7344) as u128 * 0x243f_6a88_85a3_08d3;
    (product as u64 ^ (product >> 64) as u64) as u32
}

impl<K: Hash + Eq, V, S: BuildHasher> AdaptiveCache<K, V, S> {
    #[inline]
    fn hash<Q: ?Sized + Hash>(&self, key: &Q) -> u32 {
        fold(self.hasher.hash_one(key))
    }

    #[inline]
    fn slot<Q>(&self, hash: u32, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let found = self.table.find(hash, |entry| entry.0.borrow() == key)?;
        Some(found.0)
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

    #[inline]
    fn use_slot(&mut self, hash: u32, slot: Option<u32>) -> Option<&mut V> {
        let slot = slot?;
        self.mark(hash, slot);
        self.table.get_mut(slot).map(|entry| &mut entry.1)
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
        let hash = self.hash(key);
        self.use_slot(hash, self.slot(hash, key))
    }

    /// Returns the value at `key` without a mark.
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let slot = self.slot(self.hash(key), key)?;
        self.table.get(slot).map(|entry| &entry.1)
    }

    /// Whether `key` has an entry. That marks no use.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.slot(self.hash(key), key).is_some()
    }

    /// Stores `value` at `key`.
    ///
    /// Returns the displaced entry: `key` with its old value, or the evicted entry if the store was
    /// full; the returned key distinguishes the two. A store of capacity 0 returns the new entry
    /// itself.
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        self.insert_used(key, value, 0)
    }

    /// [`insert`](Self::insert) of an entry that was used before, as [`ranked`](Self::ranked) tells.
    pub fn insert_used(&mut self, key: K, value: V, uses: u8) -> Option<(K, V)> {
        let hash = self.hash(&key);
        if let Some(slot) = self.slot(hash, &key) {
            self.mark(hash, slot);
            self.table.add_uses(slot, uses.into());
            let Kept(key, value) = self.table.replace(slot, Kept(key, value))?;
            return Some((key, value));
        }
        let (slot, evicted) = self.insert_new(hash, key, value);
        if let (Some(slot), 2..) = (slot, uses) {
            self.table.add_uses(slot, u32::from(uses) - 1);
        }
        evicted
    }

    /// Stores an entry with a new key. Returns its slot, and the evicted entry.
    #[inline]
    fn insert_new(&mut self, hash: u32, key: K, value: V) -> (Option<u32>, Option<(K, V)>) {
        let share = self.tuner.share();
        let inserted = self.table.insert(hash, Kept(key, value), share, None);
        self.observe(hash);
        let pair = |Kept(key, value)| (key, value);
        match inserted {
            Ok((slot, evicted)) => (Some(slot), evicted.map(pair)),
            Err(entry) => (None, Some(pair(entry))),
        }
    }

    /// Returns the value at `key`; on a miss, stores and returns the value of `make`.
    /// `None` only for a store of capacity 0.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> Option<&mut V> {
        let hash = self.hash(&key);
        let slot = match self.slot(hash, &key) {
            Some(slot) => {
                self.mark(hash, slot);
                Some(slot)
            }
            None => self.insert_new(hash, key, make()).0,
        };
        self.table.get_mut(slot?).map(|entry| &mut entry.1)
    }

    /// Removes the entry at `key` and returns its value.
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let slot = self.slot(self.hash(key), key)?;
        self.table.remove(slot).map(|entry| entry.1)
    }

    /// Removes the entries for which `keep` returns false. O(n), in no particular order.
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
        for _ in 0..entries {
            let Some(slot) = sweep.next::<u32>(self.table.slots()) else {
                return false;
            };
            if let Some(Kept(key, value)) = self.table.get_mut(slot)
                && !keep(key, value)
            {
                self.table.remove(slot);
            }
        }
        sweep.has_more(self.table.slots())
    }
}

impl<K: StoredKey, V, S: BuildHasher> Store for AdaptiveCache<K, V, S> {
    type Key = K::Lookup;
    type Value = V;

    #[inline]
    fn get(&mut self, key: &Self::Key) -> Option<&V> {
        Self::get(self, key)
    }

    #[inline]
    fn get_equivalent<Q: KeyParts<K::Lookup>>(&mut self, key: &Q) -> Result<Option<&V>, Error> {
        let mut state = self.hasher.build_hasher();
        key.hash_as(&mut state);
        let hash = fold(state.finish());
        let found = self.table.find(hash, |entry| key.is(entry.0.borrow()));
        let slot = found.map(|(slot, _)| slot);
        Ok(self.use_slot(hash, slot).map(|value| &*value))
    }

    fn insert_entry(
        &mut self,
        key: &Self::Key,
        value: V,
        ttl: Option<Duration>,
    ) -> Result<Option<V>, Error> {
        if ttl.is_some() {
            return Err(Error::TtlUnsupported);
        }
        Ok(self.insert(K::store(key)?, value).map(|(_, value)| value))
    }

    store_methods!(V);
}

impl<K: Hash + Eq, V, S: BuildHasher> Extend<(K, V)> for AdaptiveCache<K, V, S> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for AdaptiveCache<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
