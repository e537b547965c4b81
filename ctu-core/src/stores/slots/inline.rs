//! Slots of entries in the store itself.

use super::{Deadlines, Link, Slot, Slots};
use crate::stores::index::Index;
use core::{fmt, mem};

/// Entries in the store itself, without a heap: at most `N` of them, `N` from 1 to 65,535.
///
/// Keys, values, links and the index are separate arrays, without padding between them: an entry
/// takes its key, its value and 8 bytes (4 for two links, 4 in the index).
#[derive(Clone)]
pub struct Inline<K, V, const N: usize> {
    keys: heapless::Vec<K, N, u16>,
    values: heapless::Vec<V, N, u16>,
    links: [Link<u16>; N],
    index: Index<N>,
}

impl<K, V, const N: usize> Inline<K, V, N> {
    pub(crate) const fn new() -> Self {
        const {
            assert!(N >= 1 && N <= 65_535, "the capacity must be 1 to 65,535");
        }
        Self {
            keys: heapless::Vec::new(),
            values: heapless::Vec::new(),
            links: [Link::NONE; N],
            index: Index::EMPTY,
        }
    }
}

impl<K, V, const N: usize> Slots<K, V> for Inline<K, V, N> {
    type Slot = u16;
    type Deadlines = InlineDeadlines<N>;

    #[inline]
    fn capacity(&self) -> usize {
        N
    }

    #[inline]
    fn taken(&self) -> usize {
        self.keys.len()
    }

    #[inline]
    fn key(&self, slot: u16) -> Option<&K> {
        self.keys.get(usize::from(slot))
    }

    #[inline]
    fn value(&self, slot: u16) -> Option<&V> {
        self.values.get(usize::from(slot))
    }

    #[inline]
    fn value_mut(&mut self, slot: u16) -> Option<&mut V> {
        self.values.get_mut(usize::from(slot))
    }

    #[inline]
    fn entry_mut(&mut self, slot: u16) -> Option<(&K, &mut V)> {
        let key = self.keys.get(usize::from(slot))?;
        Some((key, self.values.get_mut(usize::from(slot))?))
    }

    #[inline]
    fn link(&self, slot: u16) -> Option<Link<u16>> {
        self.links.get(usize::from(slot)).copied()
    }

    #[inline]
    fn set_link(&mut self, slot: u16, link: Link<u16>) {
        if let Some(place) = self.links.get_mut(usize::from(slot)) {
            *place = link;
        }
    }

    #[inline]
    fn set_prev(&mut self, slot: u16, prev: u16) -> bool {
        let link = self.links.get_mut(usize::from(slot));
        link.map(|link| link.prev = prev).is_some()
    }

    #[inline]
    fn set_next(&mut self, slot: u16, next: u16) -> bool {
        let link = self.links.get_mut(usize::from(slot));
        link.map(|link| link.next = next).is_some()
    }

    #[inline]
    fn find(&self, hash: u64, is: impl Fn(&K) -> bool) -> u16 {
        self.index.find(hash, &self.keys, is)
    }

    #[inline]
    fn find_for_insert(&self, hash: u64, is: impl Fn(&K) -> bool) -> Result<u16, u16> {
        self.index.find_for_insert(hash, &self.keys, is)
    }

    #[inline]
    fn push(&mut self, hash: u64, key: K, value: V, _: impl Fn(&K) -> u64) -> u16 {
        let slot = self.keys.len() as u16;
        // The numbers of keys and values are equal.
        if self.keys.push(key).is_err() || self.values.push(value).is_err() {
            return u16::NONE;
        }
        self.index.insert(hash, slot);
        slot
    }

    #[inline]
    fn replace(
        &mut self,
        slot: u16,
        old_hash: u64,
        hash: u64,
        key: K,
        value: V,
        _: impl Fn(&K) -> u64,
    ) -> Option<(K, V)> {
        self.index.remove(old_hash, slot);
        self.index.insert(hash, slot);
        let key = mem::replace(self.keys.get_mut(usize::from(slot))?, key);
        let value = mem::replace(self.values.get_mut(usize::from(slot))?, value);
        Some((key, value))
    }

    fn swap_remove(&mut self, slot: u16, hash: u64, last_hash: u64) -> Option<(K, V)> {
        let at = usize::from(slot);
        let last = (self.keys.len() as u16).checked_sub(1)?;
        self.keys.get(at)?;
        self.index.remove(hash, slot);
        let mut key = self.keys.pop()?;
        let mut value = self.values.pop()?;
        if slot != last {
            self.index.renumber(last_hash, last, slot);
            let moved = self.link(last)?;
            *self.links.get_mut(at)? = moved;
            mem::swap(self.keys.get_mut(at)?, &mut key);
            mem::swap(self.values.get_mut(at)?, &mut value);
        }
        Some((key, value))
    }

    fn clear(&mut self) {
        self.index = Index::EMPTY;
        self.keys.clear();
        self.values.clear();
    }
}

/// Deadlines in the store itself: 8 bytes an entry.
#[derive(Clone, Debug)]
pub struct InlineDeadlines<const N: usize> {
    at: [u32; N],
    places: [u16; N],
    slots: [u16; N],
}

impl<const N: usize> InlineDeadlines<N> {
    pub(crate) const fn new() -> Self {
        Self {
            at: [0; N],
            places: [u16::NONE; N],
            slots: [u16::NONE; N],
        }
    }
}

impl<const N: usize> Deadlines<u16> for InlineDeadlines<N> {
    #[inline]
    fn at(&self, slot: u16) -> Option<u32> {
        self.at.get(slot.index()).copied()
    }

    #[inline]
    fn set_at(&mut self, slot: u16, at: u32) {
        if let Some(place) = self.at.get_mut(slot.index()) {
            *place = at;
        }
    }

    #[inline]
    fn place(&self, slot: u16) -> usize {
        self.places
            .get(slot.index())
            .map_or(usize::MAX, |place| place.index())
    }

    #[inline]
    fn slot(&self, place: usize) -> u16 {
        self.slots.get(place).copied().unwrap_or(u16::NONE)
    }

    #[inline]
    fn put(&mut self, place: usize, slot: u16) {
        if let (Some(at_place), Some(of_slot)) =
            (self.slots.get_mut(place), self.places.get_mut(slot.index()))
        {
            *at_place = slot;
            *of_slot = u16::new(place);
        }
    }

    #[inline]
    fn reserve(&mut self, _: u16) {}
}

impl<K, V, const N: usize> fmt::Debug for Inline<K, V, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inline")
            .field("capacity", &N)
            .finish_non_exhaustive()
    }
}
