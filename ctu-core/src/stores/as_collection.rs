//! The map-like stores as collections: debug output, iteration, `Extend` and equality.

use super::{iter::Iter, lru::Lru, slots::Slots, ttl::Ttl};
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

impl<K: Hash + Eq, V, T: Slots<K, V>, S: BuildHasher> Extend<(K, V)> for Lru<K, V, T, S> {
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
