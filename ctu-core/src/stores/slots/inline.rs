//! Slots of entries in the store itself.

use super::{Deadlines, Link, Slot, Slots, Table};
use crate::stores::index::Unmarked;
use core::fmt;

/// Entries in the store itself, without a heap: at most `N` of them, `N` from 1 to 65,535, or to
/// 255 with slots of type `u8`.
///
/// Keys, values, links and the index are separate arrays, without padding between them: an entry
/// takes its key, its value and four slots (two links, two cells in the index).
///
/// ```
/// use ctu_core::stores::{Inline, Lru};
/// let mut cache: Lru<u32, u32, Inline<u32, u32, 16, u8>> = Lru::new();
/// cache.insert(1, 10);
/// assert_eq!(cache.get(&1), Some(&10));
/// ```
#[derive(Clone)]
pub struct Inline<K, V, const N: usize, I = u16> {
    table: Table<K, V, N, I, Unmarked>,
    links: [Link<I>; N],
}

impl<K, V, const N: usize, I: Slot> Inline<K, V, N, I> {
    pub(crate) const fn new() -> Self {
        Self {
            table: Table::new(),
            links: [Link::NONE; N],
        }
    }
}

impl<K, V, const N: usize, I: Slot> Slots<K, V> for Inline<K, V, N, I> {
    type Slot = I;
    type Deadlines = InlineDeadlines<N, I>;

    #[inline]
    fn capacity(&self) -> usize {
        N
    }

    #[inline]
    fn taken(&self) -> usize {
        self.table.keys.len()
    }

    #[inline]
    fn key(&self, slot: I) -> Option<&K> {
        self.table.keys.get(slot.index())
    }

    #[inline]
    fn value(&self, slot: I) -> Option<&V> {
        self.table.values.get(slot.index())
    }

    #[inline]
    fn value_mut(&mut self, slot: I) -> Option<&mut V> {
        self.table.values.get_mut(slot.index())
    }

    #[inline]
    fn entry_mut(&mut self, slot: I) -> Option<(&K, &mut V)> {
        self.table.entry_mut(slot)
    }

    fn iter_mut<'a>(&'a mut self) -> impl Iterator<Item = (&'a K, &'a mut V)>
    where
        K: 'a,
        V: 'a,
    {
        self.table.keys.iter().zip(self.table.values.iter_mut())
    }

    #[inline]
    fn link(&self, slot: I) -> Option<Link<I>> {
        self.links.get(slot.index()).copied()
    }

    #[inline]
    fn link_mut(&mut self, slot: I) -> Option<&mut Link<I>> {
        self.links.get_mut(slot.index())
    }

    #[inline]
    fn find(&self, hash: u64, is: impl Fn(&K) -> bool) -> I {
        self.table.index.find(hash, &self.table.keys, is)
    }

    #[inline]
    fn find_for_insert(&self, hash: u64, is: impl Fn(&K) -> bool) -> Result<I, I> {
        self.table.index.find_for_insert(hash, &self.table.keys, is)
    }

    #[inline]
    fn push(&mut self, hash: u64, key: K, value: V, _: impl Fn(&K) -> u64) -> I {
        self.table.push(hash, key, value)
    }

    #[inline]
    fn replace_key(
        &mut self,
        slot: I,
        old_hash: u64,
        hash: u64,
        key: K,
        _: impl Fn(&K) -> u64,
    ) -> Option<K> {
        self.table.replace_key(slot, old_hash, hash, key)
    }

    fn swap_remove(&mut self, slot: I, hash: u64, last_hash: u64) -> Option<(K, V)> {
        if let Some(moved) = self.link(I::new(self.taken().wrapping_sub(1)))
            && let Some(link) = self.links.get_mut(slot.index())
        {
            *link = moved;
        }
        self.table.swap_remove(slot, hash, last_hash)
    }

    fn clear(&mut self) {
        self.table.clear();
    }
}

/// Deadlines in the store itself: 4 bytes and two slots an entry.
#[derive(Clone, Debug)]
pub struct InlineDeadlines<const N: usize, I> {
    at: [u32; N],
    places: [I; N],
    slots: [I; N],
}

impl<const N: usize, I: Slot> InlineDeadlines<N, I> {
    pub(crate) const fn new() -> Self {
        Self {
            at: [0; N],
            places: [I::NONE; N],
            slots: [I::NONE; N],
        }
    }
}

impl<const N: usize, I: Slot> Deadlines<I> for InlineDeadlines<N, I> {
    #[inline]
    fn at(&self, slot: I) -> Option<u32> {
        self.at.get(slot.index()).copied()
    }

    #[inline]
    fn set_at(&mut self, slot: I, at: u32) {
        if let Some(place) = self.at.get_mut(slot.index()) {
            *place = at;
        }
    }

    #[inline]
    fn place(&self, slot: I) -> usize {
        self.places
            .get(slot.index())
            .map_or(usize::MAX, |place| place.index())
    }

    #[inline]
    fn slot(&self, place: usize) -> I {
        self.slots.get(place).copied().unwrap_or(I::NONE)
    }

    #[inline]
    fn put(&mut self, place: usize, slot: I) {
        if let (Some(at_place), Some(of_slot)) =
            (self.slots.get_mut(place), self.places.get_mut(slot.index()))
        {
            *at_place = slot;
            *of_slot = I::new(place);
        }
    }

    #[inline]
    fn reserve(&mut self, _: I) {}
}

impl<K, V, const N: usize, I> fmt::Debug for Inline<K, V, N, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inline")
            .field("capacity", &N)
            .finish_non_exhaustive()
    }
}
