//! Keys and values with their index, in the store itself.

use super::Slot;
use crate::stores::index::{Index, Marks};
use core::mem;

/// At most `N` entries in dense slots, and an index with marks `M`: their keys, their values and
/// two slots an entry. The methods are those of [`Slots`](super::Slots).
#[derive(Clone)]
pub(crate) struct Table<K, V, const N: usize, I, M> {
    pub(crate) keys: heapless::Vec<K, N, u16>,
    pub(crate) values: heapless::Vec<V, N, u16>,
    pub(crate) index: Index<I, N, M>,
}

impl<K, V, const N: usize, I: Slot, M: Marks> Table<K, V, N, I, M> {
    pub(crate) const fn new() -> Self {
        const {
            assert!(
                N >= 1 && N <= I::MOST,
                "the capacity must be 1 to 65,535, and at most 255 in a small store"
            );
        }
        Self {
            keys: heapless::Vec::new(),
            values: heapless::Vec::new(),
            index: Index::EMPTY,
        }
    }

    #[inline]
    pub(crate) fn entry_mut(&mut self, slot: I) -> Option<(&K, &mut V)> {
        let key = self.keys.get(slot.index())?;
        Some((key, self.values.get_mut(slot.index())?))
    }

    #[inline]
    pub(crate) fn push(&mut self, hash: u64, key: K, value: V) -> I {
        let slot = I::new(self.keys.len());
        // The numbers of keys and values are equal.
        if self.keys.push(key).is_err() || self.values.push(value).is_err() {
            return I::NONE;
        }
        self.index.insert(hash, slot);
        slot
    }

    #[inline]
    pub(crate) fn replace_key(&mut self, slot: I, old_hash: u64, hash: u64, key: K) -> Option<K> {
        let place = self.keys.get_mut(slot.index())?;
        self.index.remove(old_hash, slot);
        self.index.insert(hash, slot);
        Some(mem::replace(place, key))
    }

    pub(crate) fn swap_remove(&mut self, slot: I, hash: u64, last_hash: u64) -> Option<(K, V)> {
        let at = slot.index();
        let last = I::new(self.keys.len().checked_sub(1)?);
        self.keys.get(at)?;
        self.index.remove(hash, slot);
        let mut key = self.keys.pop()?;
        let mut value = self.values.pop()?;
        if slot != last {
            self.index.renumber(last_hash, last, slot);
            mem::swap(self.keys.get_mut(at)?, &mut key);
            mem::swap(self.values.get_mut(at)?, &mut value);
        }
        Some((key, value))
    }

    pub(crate) fn clear(&mut self) {
        self.index = Index::EMPTY;
        let values = Cleared(&mut self.values);
        self.keys.clear();
        drop(values);
    }
}

/// Clears values when it is dropped: after a panic in the drop of a key as well.
struct Cleared<'a, V, const N: usize>(&'a mut heapless::Vec<V, N, u16>);

impl<V, const N: usize> Drop for Cleared<'_, V, N> {
    fn drop(&mut self) {
        self.0.clear();
    }
}
