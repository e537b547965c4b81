//! The stores without a recency list as collections: debug output, iteration and `Extend`.

use super::{Evicting, Rule, Unordered};
use crate::stores::slots::Slot;
use core::{
    fmt,
    hash::{BuildHasher, Hash},
    iter::Zip,
    slice,
};

impl<K, V, const N: usize, I: Slot, R: Rule, H: Default> Default for Unordered<K, V, N, I, R, H> {
    fn default() -> Self {
        Self::with_hasher(H::default())
    }
}

impl<K, V, const N: usize, I, R, H> fmt::Debug for Unordered<K, V, N, I, R, H>
where
    K: fmt::Debug,
    V: fmt::Debug,
    I: Slot,
    R: Rule,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a, K, V, const N: usize, I: Slot, R: Rule, H> IntoIterator
    for &'a Unordered<K, V, N, I, R, H>
{
    type Item = (&'a K, &'a V);
    type IntoIter = Zip<slice::Iter<'a, K>, slice::Iter<'a, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K, V, const N: usize, I, R, H> Extend<(K, V)> for Unordered<K, V, N, I, R, H>
where
    K: Hash + Eq,
    I: Slot,
    R: Evicting,
    H: BuildHasher,
{
    fn extend<E: IntoIterator<Item = (K, V)>>(&mut self, entries: E) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K, V, const N: usize, I, R, H> FromIterator<(K, V)> for Unordered<K, V, N, I, R, H>
where
    K: Hash + Eq,
    I: Slot,
    R: Evicting,
    H: BuildHasher + Default,
{
    fn from_iter<E: IntoIterator<Item = (K, V)>>(entries: E) -> Self {
        let mut store = Self::default();
        store.extend(entries);
        store
    }
}
