//! Entries in slots, found by hash and evicted by the adaptive policy.

use super::{Adaptive, Entries};
use crate::stores::slots::Slot;
use alloc::vec::Vec;
use core::mem;
use hashbrown::HashTable;

/// An entry of a [`Table`]. Its methods must not panic: the table calls them in the middle of a change.
pub trait Entry {
    /// Whether the entry has expired at `now`: it makes room before others.
    fn is_expired(&self, now: u64) -> bool {
        let _ = now;
        false
    }

    /// Takes the uses of a [watched](Table::watch) entry that [`Table::hit`] did not mark, 0 to 3.
    fn take_unmarked(&self) -> u8 {
        0
    }
}

/// Entries that are found by the hash of their key, and evicted by [`Adaptive`].
///
/// It knows nothing of keys: the caller hashes them, and recognizes an entry. So no code of a key
/// runs while the table changes, and a panic there leaves the table whole.
#[derive(Clone, Debug)]
pub struct Table<E> {
    index: HashTable<u32>,
    entries: Vec<Option<E>>,
    policy: Adaptive,
    capacity: usize,
}

/// The entries, as the policy sees them.
struct Seen<'a, E> {
    entries: &'a [Option<E>],
    /// `None`: no entry expires, and the policy need not read them.
    now: Option<u64>,
}

impl<E: Entry> Entries for Seen<'_, E> {
    #[inline]
    fn is_expired(&self, slot: u32) -> bool {
        let Some(now) = self.now else { return false };
        let entry = self.entries.get(slot.index()).and_then(Option::as_ref);
        entry.is_some_and(|entry| entry.is_expired(now))
    }

    #[inline]
    fn take_unmarked(&self, slot: u32) -> u8 {
        let entry = self.entries.get(slot.index()).and_then(Option::as_ref);
        entry.map_or(0, Entry::take_unmarked)
    }
}

/// All bits of a hash: the index uses the highest and the lowest.
#[inline]
const fn spread(hash: u32) -> u64 {
    let product = (hash as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}

impl<E> Table<E> {
    /// A table of at most `capacity` entries, 4,294,967,294 at most. Memory is taken as entries
    /// come.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.min(u32::NONE as usize - 1);
        Self {
            index: HashTable::new(),
            entries: Vec::new(),
            policy: Adaptive::new(capacity),
            capacity,
        }
    }

    /// The most entries there may be.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Sets the most entries there may be. Where there are more, the caller evicts the excess.
    pub fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity.min(u32::NONE as usize - 1);
        self.policy.set_capacity(self.capacity);
    }

    /// The number of entries.
    pub const fn len(&self) -> usize {
        self.policy.len()
    }

    /// The number of recent uses of the entry in a slot, approximately and up to 15.
    pub fn uses(&self, slot: u32) -> u32 {
        self.policy.uses(slot)
    }

    /// Adds uses to the entry in a slot, as if it had been found as often.
    pub fn add_uses(&mut self, slot: u32, uses: u32) {
        self.policy.add_uses(slot, uses);
    }

    /// The slots in an order of eviction: where no entry is used again, the first leaves first,
    /// apart from a choice between window and main part that depends on the counts.
    pub fn in_order(&self) -> impl Iterator<Item = u32> {
        self.policy.in_order()
    }

    /// Whether there is no entry.
    pub const fn is_empty(&self) -> bool {
        self.policy.is_empty()
    }

    /// Whether a new entry needs another to leave.
    pub const fn is_full(&self) -> bool {
        self.len() >= self.capacity
    }

    /// The slot and the entry with this `hash` that `is` recognizes. O(1), and O(n) among `n`
    /// entries with one hash.
    #[inline]
    pub fn find(&self, hash: u32, mut is: impl FnMut(&E) -> bool) -> Option<(u32, &E)> {
        let entries = &self.entries;
        let found = self.index.find(spread(hash), |slot| {
            let entry = entries.get(slot.index());
            entry.is_some_and(|entry| entry.as_ref().is_some_and(&mut is))
        });
        let slot = *found?;
        Some((slot, self.get(slot)?))
    }

    /// The entry in a slot.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<&E> {
        self.entries.get(slot.index())?.as_ref()
    }

    /// The entry in a slot.
    #[inline]
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut E> {
        self.entries.get_mut(slot.index())?.as_mut()
    }

    /// The hash of the entry in a slot.
    pub fn hash(&self, slot: u32) -> Option<u32> {
        self.policy.hash(slot)
    }

    /// The entries and their slots.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &E)> {
        let slots = self.entries.iter().enumerate();
        slots.filter_map(|(slot, entry)| Some((slot as u32, entry.as_ref()?)))
    }

    /// The entries, in no particular order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut E> {
        self.entries.iter_mut().flatten()
    }

    /// The number of slots: those of all entries are below.
    pub fn slots(&self) -> usize {
        self.entries.len()
    }

    /// Marks a use of the entry in a slot. Returns whether it wrote the mark: from the third use
    /// on, the mark stays unchanged until the eviction considers the entry.
    #[inline]
    pub fn hit(&self, slot: u32) -> bool {
        self.policy.hit(slot)
    }

    /// From now on [`Entry::take_unmarked`] is asked of the entry in a slot, or no longer.
    pub fn watch(&mut self, slot: u32, watched: bool) {
        self.policy.watch(slot, watched);
    }

    /// Puts another entry in a slot, under the same key. Returns the one that was there.
    pub fn replace(&mut self, slot: u32, entry: E) -> Option<E> {
        self.get_mut(slot).map(|place| mem::replace(place, entry))
    }

    /// Puts in a slot the entry that `change` makes of the one that is there.
    pub fn change(&mut self, slot: u32, change: impl FnOnce(E) -> E) {
        if let Some(place) = self.entries.get_mut(slot.index()) {
            *place = place.take().map(change);
        }
    }

    /// Removes the entry in a slot.
    pub fn remove(&mut self, slot: u32) -> Option<E> {
        let entry = self.entries.get_mut(slot.index())?.take()?;
        if let Some(hash) = self.policy.hash(slot)
            && let Ok(found) = self.index.find_entry(spread(hash), |found| *found == slot)
        {
            found.remove();
        }
        self.policy.remove(slot);
        Some(entry)
    }

    /// Removes every entry, and returns them.
    pub fn clear(&mut self) -> Vec<Option<E>> {
        self.index.clear();
        self.policy.clear();
        mem::take(&mut self.entries)
    }

    /// Walks all links, and names the fault if there is one.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        self.policy.validate()?;
        let taken = self.entries.iter().flatten().count();
        if taken != self.len() || self.index.len() != taken || taken > self.capacity {
            return Err("index, entries and order differ in number, or there are too many");
        }
        let found = |slot: u32| {
            let hash = self.policy.hash(slot)?;
            self.index.find(spread(hash), |found| *found == slot)
        };
        match self.iter().all(|(slot, _)| found(slot).is_some()) {
            true => Ok(()),
            false => Err("an entry is not in the index"),
        }
    }
}

impl<E: Entry> Table<E> {
    /// Removes the entry that makes room at `now`, and returns it. The window has a `share` in a
    /// thousand. Without a time, no entry counts as expired.
    pub fn evict(&mut self, share: usize, now: Option<u64>) -> Option<E> {
        let entries = &self.entries;
        let slot = self.policy.victim(share, &Seen { entries, now })?;
        self.remove(slot)
    }

    /// Stores an entry with a new key, and returns its slot. In a [full](Self::is_full) table it
    /// takes the place of the entry that makes room at `now`, as [`evict`](Self::evict) does, and
    /// puts that one in `evicted`.
    ///
    /// # Errors
    /// The entry, where the capacity is 0.
    #[inline]
    pub fn insert(
        &mut self,
        hash: u32,
        entry: E,
        share: usize,
        now: Option<u64>,
        evicted: &mut Option<E>,
    ) -> Result<u32, E> {
        let entries = &self.entries;
        let seen = Seen { entries, now };
        let slot = if !self.is_full() {
            let slot = self.policy.insert(hash, share, &seen);
            match self.entries.get_mut(slot.index()) {
                Some(place) => *place = Some(entry),
                None => self.entries.push(Some(entry)),
            }
            slot
        } else if let Some(replaced) = self.policy.replace(hash, share, &seen)
            && let Some(place) = self.entries.get_mut(replaced.slot.index())
        {
            *evicted = place.replace(entry);
            let is = |found: &u32| *found == replaced.slot;
            if let Ok(found) = self.index.find_entry(spread(replaced.hash), is) {
                found.remove();
            }
            replaced.slot
        } else {
            return Err(entry);
        };
        let policy = &self.policy;
        self.index.insert_unique(spread(hash), slot, |slot| {
            policy.hash(*slot).map_or(0, spread)
        });
        Ok(slot)
    }
}
