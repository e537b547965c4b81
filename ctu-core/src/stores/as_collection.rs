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

impl<K: fmt::Debug, V: fmt::Debug, M: Slots<K, V>, H> fmt::Debug for Lru<K, V, M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: fmt::Debug, V: fmt::Debug, M: Slots<K, V>, T: Clock, H> fmt::Debug for Ttl<K, V, M, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a, K, V, M: Slots<K, V>, H> IntoIterator for &'a Lru<K, V, M, H> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V, M>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Hash + Eq, V, M: Slots<K, V>, H: BuildHasher> IntoIterator for Lru<K, V, M, H> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V, M, H>;

    fn into_iter(self) -> Self::IntoIter {
        IntoIter(self)
    }
}

impl<'a, K, V, M: Slots<K, V>, T: Clock, H> IntoIterator for &'a Ttl<K, V, M, T, H> {
    type Item = (&'a K, &'a V);
    type IntoIter = LiveIter<'a, K, V, M>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K, V, M, T, H> IntoIterator for Ttl<K, V, M, T, H>
where
    K: Hash + Eq,
    M: Slots<K, V>,
    T: Clock,
    H: BuildHasher,
{
    type Item = (K, V);
    type IntoIter = IntoIter<K, V, M, H>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_live()
    }
}

impl<K, V, const N: usize, I: Slot, H> FromIterator<(K, V)> for InlineLru<K, V, N, I, H>
where
    K: Hash + Eq,
    H: BuildHasher + Default,
{
    /// A store of the last `N` entries. The last entry is the most recently used.
    fn from_iter<E: IntoIterator<Item = (K, V)>>(entries: E) -> Self {
        let mut store = Self::default();
        store.extend(entries);
        store
    }
}

#[cfg(feature = "alloc")]
impl<K, V, H> FromIterator<(K, V)> for Lru<K, V, Heap<K, V>, H>
where
    K: Hash + Eq,
    H: BuildHasher + Default,
{
    /// A store of all entries, with their number as its capacity. The last entry is the most
    /// recently used.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries: alloc::vec::Vec<_> = entries.into_iter().collect();
        let mut store = Self::with_slots(Heap::with_capacity(entries.len()), H::default());
        store.extend(entries);
        store
    }
}

impl<K: Hash + Eq, V, M: Slots<K, V>, H: BuildHasher> Extend<(K, V)> for Lru<K, V, M, H> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K, V, M, T, H> Extend<(K, V)> for Ttl<K, V, M, T, H>
where
    K: Hash + Eq,
    M: Slots<K, V>,
    T: Clock,
    H: BuildHasher,
{
    /// Stores the entries for the default time-to-live.
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: PartialEq, V: PartialEq, M: Slots<K, V>, H> PartialEq for Lru<K, V, M, H> {
    /// Whether both hold the same entries in the same recency order.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq, M: Slots<K, V>, H> Eq for Lru<K, V, M, H> {}
