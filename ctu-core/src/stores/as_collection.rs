//! The map-like stores as collections: debug output, iteration, `Extend` and equality.

#[cfg(feature = "alloc")]
use super::slots::Heap;
use super::{
    iter::{IntoIter, Iter, LiveIter},
    lru::{InlineLru, Lru},
    slots::{Slot, Slots},
    ttl::Ttl,
};
use crate::clock::Clock;
use core::{
    fmt,
    hash::{BuildHasher, Hash},
};

impl<K: fmt::Debug, V: fmt::Debug, T: Slots<K, V>, S> fmt::Debug for Lru<K, V, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: fmt::Debug, V: fmt::Debug, T: Slots<K, V>, C: Clock, S> fmt::Debug for Ttl<K, V, T, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a, K, V, T: Slots<K, V>, S> IntoIterator for &'a Lru<K, V, T, S> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Hash + Eq, V, T: Slots<K, V>, S: BuildHasher> IntoIterator for Lru<K, V, T, S> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V, T, S>;

    fn into_iter(self) -> Self::IntoIter {
        IntoIter(self)
    }
}

impl<'a, K, V, T: Slots<K, V>, C: Clock, S> IntoIterator for &'a Ttl<K, V, T, C, S> {
    type Item = (&'a K, &'a V);
    type IntoIter = LiveIter<'a, K, V, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K, V, T, C, S> IntoIterator for Ttl<K, V, T, C, S>
where
    K: Hash + Eq,
    T: Slots<K, V>,
    C: Clock,
    S: BuildHasher,
{
    type Item = (K, V);
    type IntoIter = IntoIter<K, V, T, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_live()
    }
}

impl<K, V, const N: usize, I: Slot, S> FromIterator<(K, V)> for InlineLru<K, V, N, I, S>
where
    K: Hash + Eq,
    S: BuildHasher + Default,
{
    /// A store of the last `N` entries. The last entry is the most recently used.
    fn from_iter<E: IntoIterator<Item = (K, V)>>(entries: E) -> Self {
        let mut store = Self::default();
        store.extend(entries);
        store
    }
}

#[cfg(feature = "alloc")]
impl<K, V, S> FromIterator<(K, V)> for Lru<K, V, Heap<K, V>, S>
where
    K: Hash + Eq,
    S: BuildHasher + Default,
{
    /// A store of all entries, with their number as its capacity. The last entry is the most
    /// recently used.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries: alloc::vec::Vec<_> = entries.into_iter().collect();
        let mut store = Self::with_slots(Heap::with_capacity(entries.len()), S::default());
        store.extend(entries);
        store
    }
}

impl<K: Hash + Eq, V, T: Slots<K, V>, S: BuildHasher> Extend<(K, V)> for Lru<K, V, T, S> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K, V, T, C, S> Extend<(K, V)> for Ttl<K, V, T, C, S>
where
    K: Hash + Eq,
    T: Slots<K, V>,
    C: Clock,
    S: BuildHasher,
{
    /// Stores the entries for the default time-to-live.
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: PartialEq, V: PartialEq, T: Slots<K, V>, S> PartialEq for Lru<K, V, T, S> {
    /// Whether both hold the same entries in the same recency order.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq, T: Slots<K, V>, S> Eq for Lru<K, V, T, S> {}
