//! The least-recently-used store: a doubly linked recency list over dense slots.

use super::{
    iter::{Iter, Order},
    slots::{Inline, Link, Slot, Slots},
    sweep::Sweep,
};
use crate::entries::KeyParts;
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash, Hasher as _},
    marker::PhantomData,
};
use rustc_hash::FxBuildHasher;

/// A store of at most `N` entries that evicts the least recently used one.
///
/// The entries are in the store itself, which may be a `static`; there is no heap. An entry takes
/// `size_of::<K>() + size_of::<V>() + 8` bytes, for any `N` from 1 to 65,535. With feature `alloc`,
/// `heap::LruCache` is the same store with a capacity chosen at run time.
///
/// ```
/// use ctu_core::LruCache;
///
/// let mut cache = LruCache::<u32, &str, 2>::new();
/// cache.insert(1, "one");
/// cache.insert(2, "two");
/// assert_eq!(cache.get(&1), Some(&"one"));
/// // 2 is now the least recently used, so it makes room:
/// assert_eq!(cache.insert(3, "three"), Some((2, "two")));
/// assert_eq!(cache.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [3, 1]);
/// ```
///
/// # Bounds
/// Every operation except `clear`, `retain` and iteration takes a time that does not depend on `N`,
/// for any keys: at most three hashes and the comparisons of twelve keys, since a bucket of the
/// index holds twelve keys. A new key for a full bucket replaces the oldest entry of the bucket.
/// This is one insertion in a billion with evenly spread hashes.
/// [`retain_step`](Lru::retain_step) is `retain` in bounded steps.
///
/// Keys are hashed with [`FxHasher`](rustc_hash::FxHasher), which is quick and has no seed: chosen
/// keys of an attacker can share a bucket, and so evict entries early. Pass a seeded hasher to
/// [`with_hasher`](Lru::with_hasher) where keys come from untrusted callers.
pub type LruCache<K, V, const N: usize, H = FxBuildHasher> = Lru<K, V, Inline<K, V, N>, H>;

/// An [`LruCache`] of at most 255 entries that take 4 bytes over their key and value, in place of 8.
///
/// ```
/// use ctu_core::SmallLruCache;
///
/// let mut cache = SmallLruCache::<u32, u32, 255>::new();
/// cache.insert(1, 10);
/// assert_eq!(cache.get(&1), Some(&10));
/// ```
pub type SmallLruCache<K, V, const N: usize, H = FxBuildHasher> = Lru<K, V, Inline<K, V, N, u8>, H>;

/// The in-place stores of both sizes.
pub(super) type InlineLru<K, V, const N: usize, I, H> = Lru<K, V, Inline<K, V, N, I>, H>;

/// The least-recently-used store, generic over its storage: [`LruCache`] and `heap::LruCache`.
#[derive(Clone)]
pub struct Lru<K, V, M: Slots<K, V>, H = FxBuildHasher> {
    pub(super) slots: M,
    /// The most recently used entry. The least recently used one is before it in the circle.
    pub(super) head: M::Slot,
    hasher: H,
    entries: PhantomData<(K, V)>,
}

impl<K, V, const N: usize, I: Slot> Lru<K, V, Inline<K, V, N, I>> {
    /// An empty store. Compiles only for a capacity `N` from 1 to 65,535, or to 255 in a
    /// [`SmallLruCache`]. It is all zeros: a `static` of it takes RAM and no flash.
    pub const fn new() -> Self {
        Self::with_hasher(FxBuildHasher)
    }
}

impl<K, V, const N: usize, I: Slot, H> InlineLru<K, V, N, I, H> {
    /// An empty store that hashes keys with `hasher`.
    pub const fn with_hasher(hasher: H) -> Self {
        Self::with_slots(Inline::new(), hasher)
    }
}

impl<K, V, const N: usize, I: Slot, H: Default> Default for InlineLru<K, V, N, I, H> {
    fn default() -> Self {
        Self::with_hasher(H::default())
    }
}

impl<K, V, M: Slots<K, V>, H> Lru<K, V, M, H> {
    pub(crate) const fn with_slots(slots: M, hasher: H) -> Self {
        Self {
            slots,
            head: M::Slot::NONE,
            hasher,
            entries: PhantomData,
        }
    }

    /// The maximum number of entries.
    pub fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.slots.taken()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the next new key evicts an entry.
    pub fn is_full(&self) -> bool {
        self.len() >= self.capacity()
    }

    /// Removes every entry. O(N).
    pub fn clear(&mut self) {
        self.head = M::Slot::NONE;
        self.slots.clear();
    }

    /// Iterates over the entries, from the most to the least recently used; `.rev()` reverses.
    pub fn iter(&self) -> Iter<'_, K, V, M> {
        Iter(self.order())
    }

    /// Iterates over the entries with mutable values, in no particular order. The recency order does
    /// not change.
    pub fn iter_mut<'a>(&'a mut self) -> impl Iterator<Item = (&'a K, &'a mut V)>
    where
        K: 'a,
        V: 'a,
    {
        self.slots.iter_mut()
    }

    pub(super) fn order(&self) -> Order<'_, K, V, M> {
        Order::new(&self.slots, self.head, self.tail())
    }

    /// The slot of the least recently used entry.
    #[inline]
    pub(super) fn tail(&self) -> M::Slot {
        self.slots
            .link(self.head)
            .map_or(M::Slot::NONE, |link| link.prev)
    }

    pub(super) const fn slots(&self) -> &M {
        &self.slots
    }

    pub(super) const fn slots_mut(&mut self) -> &mut M {
        &mut self.slots
    }

    /// Links an entry that is not in the list at the head.
    #[inline]
    fn link_first(&mut self, slot: M::Slot) {
        if self.head == M::Slot::NONE {
            self.set_prev(slot, slot);
            self.set_next(slot, slot);
        } else {
            self.link_before_head(slot);
        }
        self.head = slot;
    }

    /// Links an entry that is not in the list between its last and its first entry.
    #[inline]
    fn link_before_head(&mut self, slot: M::Slot) {
        let next = self.head;
        if let Some(first) = self.slots.link_mut(next) {
            let prev = core::mem::replace(&mut first.prev, slot);
            self.set_next(prev, slot);
            if let Some(link) = self.slots.link_mut(slot) {
                *link = Link { prev, next };
            }
        }
    }

    #[inline]
    fn set_next(&mut self, slot: M::Slot, next: M::Slot) {
        if let Some(link) = self.slots.link_mut(slot) {
            link.next = next;
        }
    }

    #[inline]
    fn set_prev(&mut self, slot: M::Slot, prev: M::Slot) {
        if let Some(link) = self.slots.link_mut(slot) {
            link.prev = prev;
        }
    }

    /// Makes the entry of a slot the most recently used.
    #[inline]
    pub(super) fn touch(&mut self, slot: M::Slot) {
        if slot != self.head
            && let Some(Link { prev, next }) = self.slots.link(slot)
        {
            // The last entry of a circle is before its first one already.
            if next != self.head {
                self.set_next(prev, next);
                self.set_prev(next, prev);
                self.link_before_head(slot);
            }
            self.head = slot;
        }
    }
}

impl<K: Hash + Eq, V, M: Slots<K, V>, H: BuildHasher> Lru<K, V, M, H> {
    #[inline]
    pub(super) fn hash<Q: ?Sized + Hash>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    #[inline]
    pub(super) fn find<Q>(&self, key: &Q) -> M::Slot
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.slots
            .find(self.hash(key), |found| found.borrow() == key)
    }

    /// [`find`](Self::find) by the parts of a key.
    #[inline]
    pub(super) fn find_equivalent<Q, L>(&self, key: &Q) -> M::Slot
    where
        K: Borrow<L>,
        Q: KeyParts<L>,
        L: ?Sized,
    {
        let mut state = self.hasher.build_hasher();
        key.hash_as(&mut state);
        self.slots
            .find(state.finish(), |found| key.is(found.borrow()))
    }

    /// Returns the value in a slot and marks the entry as most recently used.
    #[inline]
    pub(super) fn use_slot(&mut self, slot: M::Slot) -> Option<&mut V> {
        self.touch(slot);
        self.slots.value_mut(slot)
    }

    /// Returns the value at `key` and marks the entry as most recently used.
    #[inline]
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.get_mut(key).map(|value| &*value)
    }

    /// Returns the value at `key` and marks the entry as most recently used.
    #[inline]
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.use_slot(self.find(key))
    }

    /// Returns the value at `key` without a change to the recency order.
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.slots.value(self.find(key))
    }

    /// Whether `key` has an entry. The recency order does not change.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.find(key) != M::Slot::NONE
    }

    /// Stores `value` at `key` and marks the entry as most recently used.
    ///
    /// Returns the displaced entry: `key` with its old value, or the least recently used entry if
    /// the store was full; the returned key distinguishes the two. A heap-backed store of capacity
    /// 0 returns the new entry itself.
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        let mut value = Some(value);
        let key = self.exchange(key, &mut value)?;
        Some((key, value?))
    }

    /// [`insert`](Self::insert) of the value in `value`, which is the displaced one afterwards.
    /// Returns its key. It moves the new value once and the old one once.
    #[inline]
    pub(super) fn exchange(&mut self, key: K, value: &mut Option<V>) -> Option<K> {
        let hash = self.hash(&key);
        match self.slots.find_for_insert(hash, |found| *found == key) {
            Ok(slot) => {
                self.touch(slot);
                self.swap_value(slot, value);
                Some(key)
            }
            Err(victim) => self.insert_new(hash, key, value, victim).1,
        }
    }

    #[inline]
    pub(super) fn swap_value(&mut self, slot: M::Slot, value: &mut Option<V>) {
        if let (Some(place), Some(value)) = (self.slots.value_mut(slot), value) {
            core::mem::swap(place, value);
        }
    }

    /// Stores an entry with a new key, in place of the entry of `victim`, if there is one, or else
    /// of the least recently used one in a full store. Returns its slot and the key of the replaced
    /// entry, and leaves the value of that one in `value`.
    // A call would take a quarter of the time of an eviction.
    #[inline(always)]
    pub(super) fn insert_new(
        &mut self,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        victim: M::Slot,
    ) -> (M::Slot, Option<K>) {
        let hasher = &self.hasher;
        let rehash = |key: &K| hasher.hash_one(key);
        let mut slot = victim;
        if slot == M::Slot::NONE {
            if self.slots.taken() < self.slots.capacity() {
                if let Some(value) = value.take() {
                    slot = self.slots.push(hash, key, value, rehash);
                    self.link_first(slot);
                }
                return (slot, None);
            }
            slot = self.tail();
        }
        let Some(old_key) = self.slots.key(slot) else {
            return (M::Slot::NONE, Some(key));
        };
        let old_hash = rehash(old_key);
        let old_key = self.slots.replace_key(slot, old_hash, hash, key, rehash);
        if victim == M::Slot::NONE {
            // The last of the circle becomes its first.
            self.head = slot;
        } else {
            self.touch(slot);
        }
        self.swap_value(slot, value);
        (slot, old_key)
    }

    /// Removes the entry at `key` and returns its value.
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let slot = self.find(key);
        self.remove_slot(slot).map(|(_, value)| value)
    }

    /// Removes the entries for which `keep` returns false. O(n), in no particular order.
    pub fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.retain_step(&mut Sweep::new(), usize::MAX, keep);
    }

    /// [`retain`](Self::retain) in steps: visits at most `entries` entries, and returns whether
    /// there are more to visit. The time of a step does not depend on `N`.
    ///
    /// The store may change between the steps. Each entry that is in the store from the first step
    /// to the last is visited, once or more often; an entry that comes in between may be left out.
    ///
    /// ```
    /// use ctu_core::{LruCache, stores::Sweep};
    ///
    /// let mut cache: LruCache<u32, u32, 100> = (0..100).map(|key| (key, key)).collect();
    /// let mut sweep = Sweep::new();
    /// while cache.retain_step(&mut sweep, 8, |key, _| key % 2 == 0) {
    ///     // The lock may be free here, and an interrupt run.
    /// }
    /// assert_eq!(cache.len(), 50);
    /// ```
    pub fn retain_step(
        &mut self,
        sweep: &mut Sweep,
        entries: usize,
        mut keep: impl FnMut(&K, &mut V) -> bool,
    ) -> bool {
        for _ in 0..entries {
            let Some(slot) = sweep.next::<M::Slot>(self.len()) else {
                return false;
            };
            if let Some((key, value)) = self.slots.entry_mut(slot)
                && !keep(key, value)
            {
                self.remove_slot(slot);
            }
        }
        sweep.has_more(self.len())
    }

    /// Removes the entry of a slot; the entry of the last slot then has its number.
    pub(super) fn remove_slot(&mut self, slot: M::Slot) -> Option<(K, V)> {
        let last = M::Slot::new(self.len().checked_sub(1)?);
        // Hashes first: `Hash` is the user's code, and a panic there leaves the store unchanged.
        let hash = self.hash(self.slots.key(slot)?);
        let last_hash = self.hash(self.slots.key(last)?);
        let Link { prev, next } = self.slots.link(slot)?;
        if next == slot {
            self.head = M::Slot::NONE;
        } else {
            self.set_next(prev, next);
            self.set_prev(next, prev);
            if self.head == slot {
                self.head = next;
            }
        }
        let entry = self.slots.swap_remove(slot, hash, last_hash);
        if slot != last {
            self.renumber(last, slot);
        }
        entry
    }

    /// Corrects the list after the entry of slot `from` has moved to slot `to` with its link.
    #[inline]
    fn renumber(&mut self, from: M::Slot, to: M::Slot) {
        if self.head == from {
            self.head = to;
        }
        if let Some(Link { prev, next }) = self.slots.link(to) {
            if next == from {
                // It is the only entry.
                self.set_prev(to, to);
                self.set_next(to, to);
            } else {
                self.set_next(prev, to);
                self.set_prev(next, to);
            }
        }
    }

    /// Checks all links and the whole index; the error describes the broken invariant.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        super::slots::validate_index(&self.slots, |key| self.hash(key))?;
        let (mut slot, mut before) = (self.head, self.tail());
        for _ in 0..self.len() {
            if self.slots.key(slot).is_none() {
                return Err("a link leads outside the slots, or the list ends early");
            }
            let link = self.slots.link(slot).unwrap_or(Link::NONE);
            if link.prev != before {
                return Err("a predecessor link is wrong");
            }
            (slot, before) = (link.next, slot);
        }
        if slot != self.head || self.slots.key(slot).is_some() == self.is_empty() {
            return Err("the list does not end at its head");
        }
        Ok(())
    }
}
