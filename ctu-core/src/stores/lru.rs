use super::{
    iter::{Iter, Order},
    slots::{Inline, Link, Slot, Slots},
};
use crate::entries::Equivalent;
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash, Hasher as _},
    marker::PhantomData,
};
use rustc_hash::FxBuildHasher;

/// A store of at most `N` entries that makes room by removing the least recently used one.
///
/// It lives where it is put, a `static` included, and takes no heap:
/// `size_of::<K>() + size_of::<V>() + 8` bytes an entry, for any `N` from 1 to 65,535.
/// Every operation is O(1), but `clear`, `retain` and iteration. With feature `alloc`,
/// `heap::LruCache` is the same with a capacity chosen at run time.
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
/// Keys are hashed with [`FxHasher`](rustc_hash::FxHasher), which is quick and the same everywhere:
/// whoever chooses keys can make an operation cost O(N). Give [`with_hasher`](Lru::with_hasher) a seeded hasher where
/// strangers choose them.
pub type LruCache<K, V, const N: usize, S = FxBuildHasher> = Lru<K, V, Inline<K, V, N>, S>;

/// The least-recently-used store behind [`LruCache`] and its heap-backed twin.
#[derive(Clone)]
pub struct Lru<K, V, T: Slots<K, V>, S = FxBuildHasher> {
    slots: T,
    /// The most recently used entry.
    head: T::Slot,
    /// The least recently used entry.
    tail: T::Slot,
    hasher: S,
    entries: PhantomData<(K, V)>,
}

impl<K, V, const N: usize> LruCache<K, V, N> {
    /// An empty store. Compiles only for a capacity `N` from 1 to 65,535.
    pub const fn new() -> Self {
        Self::with_hasher(FxBuildHasher)
    }
}

impl<K, V, const N: usize, S> LruCache<K, V, N, S> {
    /// An empty store that hashes keys with `hasher`.
    pub const fn with_hasher(hasher: S) -> Self {
        Self::with_slots(Inline::new(), hasher)
    }
}

impl<K, V, const N: usize, S: Default> Default for LruCache<K, V, N, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K, V, T: Slots<K, V>, S> Lru<K, V, T, S> {
    pub(crate) const fn with_slots(slots: T, hasher: S) -> Self {
        Self {
            slots,
            head: T::Slot::NONE,
            tail: T::Slot::NONE,
            hasher,
            entries: PhantomData,
        }
    }

    /// The most entries there may be.
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

    /// Whether the next new key makes an entry leave.
    pub fn is_full(&self) -> bool {
        self.len() >= self.capacity()
    }

    /// Removes every entry. O(N).
    pub fn clear(&mut self) {
        self.head = T::Slot::NONE;
        self.tail = T::Slot::NONE;
        self.slots.clear();
    }

    /// The entries, from the most to the least recently used; `.rev()` goes the other way.
    pub fn iter(&self) -> Iter<'_, K, V, T> {
        Iter(self.order())
    }

    pub(super) fn order(&self) -> Order<'_, K, V, T> {
        Order::new(&self.slots, self.head, self.tail)
    }

    /// The least recently used entry, which stays that.
    pub fn peek_lru(&self) -> Option<(&K, &V)> {
        Some((self.slots.key(self.tail)?, self.slots.value(self.tail)?))
    }

    pub(super) const fn tail(&self) -> T::Slot {
        self.tail
    }

    pub(super) const fn slots(&self) -> &T {
        &self.slots
    }

    pub(super) const fn slots_mut(&mut self) -> &mut T {
        &mut self.slots
    }

    /// What follows `slot`, or the most recently used entry where that is none, is `next`.
    #[inline]
    fn set_next(&mut self, slot: T::Slot, next: T::Slot) {
        if !self.slots.set_next(slot, next) {
            self.head = next;
        }
    }

    /// What comes before `slot`, or the least recently used entry where that is none, is `prev`.
    #[inline]
    fn set_prev(&mut self, slot: T::Slot, prev: T::Slot) {
        if !self.slots.set_prev(slot, prev) {
            self.tail = prev;
        }
    }

    /// Puts an entry that is not in the list at its head.
    #[inline]
    fn link_first(&mut self, slot: T::Slot) {
        let head = self.head;
        self.slots.set_link(
            slot,
            Link {
                prev: T::Slot::NONE,
                next: head,
            },
        );
        self.set_prev(head, slot);
        self.head = slot;
    }

    /// Makes the entry of a slot the most recently used.
    #[inline]
    pub(super) fn touch(&mut self, slot: T::Slot) {
        if slot != self.head
            && let Some(Link { prev, next }) = self.slots.link(slot)
        {
            self.set_next(prev, next);
            self.set_prev(next, prev);
            self.link_first(slot);
        }
    }
}

impl<K: Hash + Eq, V, T: Slots<K, V>, S: BuildHasher> Lru<K, V, T, S> {
    #[inline]
    pub(super) fn hash<Q: ?Sized + Hash>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    #[inline]
    pub(super) fn find<Q>(&self, key: &Q) -> T::Slot
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.slots
            .find(self.hash(key), |found| found.borrow() == key)
    }

    /// [`find`](Self::find) by what stands for a key.
    #[inline]
    pub(super) fn find_equivalent<Q, L>(&self, key: &Q) -> T::Slot
    where
        K: Borrow<L>,
        Q: Equivalent<L>,
        L: ?Sized,
    {
        let mut state = self.hasher.build_hasher();
        key.hash_as(&mut state);
        self.slots
            .find(state.finish(), |found| key.is(found.borrow()))
    }

    /// The value in a slot, which becomes the most recently used.
    #[inline]
    pub(super) fn use_slot(&mut self, slot: T::Slot) -> Option<&mut V> {
        if slot == T::Slot::NONE {
            return None;
        }
        self.touch(slot);
        self.slots.value_mut(slot)
    }

    /// The value at `key`, which becomes the most recently used.
    #[inline]
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.get_mut(key).map(|value| &*value)
    }

    /// The value at `key`, which becomes the most recently used.
    #[inline]
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.use_slot(self.find(key))
    }

    /// The value at `key`, whose place in the recency order stays.
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.slots.value(self.find(key))
    }

    /// Whether there is an entry at `key`, whose place in the recency order stays.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.find(key) != T::Slot::NONE
    }

    /// Stores `value` at `key`, which becomes the most recently used.
    ///
    /// Returns the entry that this displaced: `key` with its old value, or else the least recently
    /// used entry where the store was full; which of the two it was, its key tells. (A heap-backed store of capacity 0 returns what it was given.)
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        let hash = self.hash(&key);
        let slot = self.slots.find(hash, |found| *found == key);
        if let Some(place) = self.slots.value_mut(slot) {
            let value = core::mem::replace(place, value);
            self.touch(slot);
            return Some((key, value));
        }
        self.insert_new(hash, key, value).1
    }

    /// Stores an entry whose key is not in the store. Returns its slot, and the entry that made room.
    #[inline]
    pub(super) fn insert_new(&mut self, hash: u64, key: K, value: V) -> (T::Slot, Option<(K, V)>) {
        let hasher = &self.hasher;
        let (key, value) = match self
            .slots
            .push(hash, key, value, |key| hasher.hash_one(key))
        {
            Ok(slot) => {
                self.link_first(slot);
                return (slot, None);
            }
            Err(entry) => entry,
        };
        // Full: the oldest entry's slot is written over.
        let tail = self.tail;
        let Some(oldest) = self.slots.key(tail) else {
            return (T::Slot::NONE, Some((key, value)));
        };
        let old_hash = hasher.hash_one(oldest);
        let evicted = self
            .slots
            .replace(tail, old_hash, hash, key, value, |key| hasher.hash_one(key));
        self.touch(tail);
        (tail, evicted)
    }

    /// The value at `key`; where there is none, what `make` returns, which is stored.
    /// `None` only for a heap-backed store of capacity 0.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> Option<&mut V> {
        let hash = self.hash(&key);
        let mut slot = self.slots.find(hash, |found| *found == key);
        if slot == T::Slot::NONE {
            slot = self.insert_new(hash, key, make()).0;
        } else {
            self.touch(slot);
        }
        self.slots.value_mut(slot)
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

    /// Removes the least recently used entry and returns it.
    pub fn pop_lru(&mut self) -> Option<(K, V)> {
        self.remove_slot(self.tail)
    }

    /// Removes the entries that `keep` refuses. O(n), in no particular order.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        // Downwards, so that what moves into a freed slot has been asked for already.
        for index in (0..self.len()).rev() {
            let slot = T::Slot::new(index);
            if let Some((key, value)) = self.slots.entry_mut(slot)
                && !keep(key, value)
            {
                self.remove_slot(slot);
            }
        }
    }

    /// Removes the entry of a slot; the entry of the last slot then has its number.
    pub(super) fn remove_slot(&mut self, slot: T::Slot) -> Option<(K, V)> {
        let last = T::Slot::new(self.len().checked_sub(1)?);
        // Hashes first: they are the user's code, and where it panics the store is whole.
        let hash = self.hash(self.slots.key(slot)?);
        let last_hash = self.hash(self.slots.key(last)?);
        let Link { prev, next } = self.slots.link(slot)?;
        self.set_next(prev, next);
        self.set_prev(next, prev);
        let entry = self.slots.swap_remove(slot, hash, last_hash);
        if slot != last
            && let Some(Link { prev, next }) = self.slots.link(slot)
        {
            self.set_next(prev, slot);
            self.set_prev(next, slot);
        }
        entry
    }

    /// Walks all links and the whole index, and says what is wrong if anything is.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        super::slots::validate_index(&self.slots, |key| self.hash(key))?;
        let (mut slot, mut before) = (self.head, T::Slot::NONE);
        for _ in 0..self.len() {
            if self.slots.key(slot).is_none() {
                return Err("the list leads out of the slots, or ends early");
            }
            let link = self.slots.link(slot).unwrap_or(Link::NONE);
            if link.prev != before {
                return Err("an entry does not lead back");
            }
            (slot, before) = (link.next, slot);
        }
        if slot != T::Slot::NONE || self.tail != before {
            return Err("the list does not end at its tail");
        }
        Ok(())
    }
}
