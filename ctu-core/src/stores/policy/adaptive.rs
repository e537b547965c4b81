//! The adaptive policy: a window, a main part and a frequency sketch.

use super::{
    clocks::{Clocks, Facts},
    sketch::{ENTRIES_A_BLOCK, Sketch},
};
use crate::stores::slots::Slot;
use alloc::vec::Vec;
use core::mem;

/// The order of eviction of entries that are known by the number of their slot.
///
/// Memory: 21 bytes a slot, and 1 KiB for its counts at least. Every operation is O(1).
///
/// ```
/// use ctu_core::stores::policy::Adaptive;
///
/// let mut policy = Adaptive::new(2);
/// let (one, two) = (policy.insert(1, 30, &()), policy.insert(2, 30, &()));
/// policy.hit(two);
/// assert_eq!(policy.victim(30, &()), Some(one));
/// policy.remove(one);
/// assert_eq!(policy.insert(3, 30, &()), one);
/// ```
#[derive(Clone, Debug)]
pub struct Adaptive {
    clocks: Clocks<u32>,
    hashes: Vec<u32>,
    sketch: Sketch,
    capacity: usize,
}

/// The slot of an evicted entry, which a new entry has taken.
pub(super) struct Replaced {
    pub(super) slot: u32,
    /// The hash of the evicted entry.
    pub(super) hash: u32,
}

/// The facts about entries that the policy asks for.
pub trait Entries {
    /// Whether the entry in a slot has expired: it leaves before any other that the hand looks at.
    fn is_expired(&self, slot: u32) -> bool;
    /// Takes the uses of a [watched](Adaptive::watch) entry that were not marked by
    /// [`Adaptive::hit`], 0 to 3.
    fn take_unmarked(&self, slot: u32) -> u8;
}

/// Entries that do not expire, of which every use is marked.
impl Entries for () {
    fn is_expired(&self, _: u32) -> bool {
        false
    }

    fn take_unmarked(&self, _: u32) -> u8 {
        0
    }
}

/// Counts of fewer entries than these are too coarse: 1 KiB.
const LEAST: usize = 128;
/// The blocks of a sketch for many entries before it grows.
const FIRST_BLOCKS: usize = 32;

impl Adaptive {
    /// An empty order of at most `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        let mut blocks = Self::blocks(capacity);
        while blocks >= 2 * FIRST_BLOCKS {
            blocks /= 2;
        }
        Self {
            clocks: Clocks::new(),
            hashes: Vec::new(),
            sketch: Sketch::new(blocks),
            capacity,
        }
    }

    /// Sets the most entries for which the counts grow. The entries stay.
    pub const fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
    }

    /// The number of recent uses of the entry in a slot, approximately and up to 15.
    pub fn uses(&self, slot: u32) -> u32 {
        let marked = u32::from(self.clocks.unrecorded(slot));
        let hash = self.hash(slot);
        let recorded = hash.map_or(0, |hash| self.sketch.peek(hash));
        (recorded + marked).min(15)
    }

    /// Adds uses to the entry in a slot, as if it had been hit as often.
    pub fn add_uses(&mut self, slot: u32, uses: u32) {
        let marked = uses.min(3);
        for _ in 0..marked {
            self.clocks.hit(slot);
        }
        if let Some(hash) = self.hash(slot) {
            self.sketch.record(hash, uses - marked);
        }
    }

    /// The taken slots: those of the main part from the next to leave on, then those of the window.
    pub fn in_order(&self) -> impl Iterator<Item = u32> {
        self.clocks.in_order()
    }

    /// The blocks of counts for so many entries.
    const fn blocks(capacity: usize) -> usize {
        let counted = if capacity < LEAST { LEAST } else { capacity };
        counted.div_ceil(ENTRIES_A_BLOCK)
    }

    /// The number of entries.
    pub const fn len(&self) -> usize {
        self.clocks.len()
    }

    /// Whether there is no entry.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of slots: those of all entries are below.
    pub fn slots(&self) -> usize {
        self.clocks.slots()
    }

    /// The hash of the entry in a slot.
    #[inline]
    pub fn hash(&self, slot: u32) -> Option<u32> {
        self.hashes.get(slot.index()).copied()
    }

    /// Marks a use of the entry in a slot. Returns whether it wrote the mark: from the third use
    /// on, the mark stays unchanged until the hand passes it.
    #[inline]
    pub fn hit(&self, slot: u32) -> bool {
        self.clocks.hit(slot)
    }

    /// From now on the policy asks [`Entries::take_unmarked`] about a slot, or no longer.
    pub fn watch(&mut self, slot: u32, watched: bool) {
        self.clocks.watch(slot, watched);
    }

    /// Takes a slot for an entry with this `hash`, and returns it; the window has a `share` in a
    /// thousand. The caller makes room first: this evicts nothing. `u32::MAX`, no slot, after
    /// 4,294,967,295 of them.
    #[inline]
    pub fn insert(&mut self, hash: u32, share: usize, entries: &impl Entries) -> u32 {
        if self.clocks.len() / ENTRIES_A_BLOCK >= self.sketch.blocks()
            && 2 * self.sketch.blocks() <= Self::blocks(self.capacity)
        {
            self.sketch.double();
        }
        let mut known = Known::new(&self.hashes, &mut self.sketch, entries);
        let slot = self.clocks.insert(share, &mut known);
        match self.hashes.get_mut(slot.index()) {
            Some(place) => *place = hash,
            None if slot != u32::NONE => self.hashes.push(hash),
            None => {}
        }
        slot
    }

    /// Takes the slot of the entry that makes room for one with this `hash`, as
    /// [`victim`](Self::victim), [`remove`](Self::remove) and [`insert`](Self::insert) together.
    #[inline]
    pub(super) fn replace(
        &mut self,
        hash: u32,
        share: usize,
        entries: &impl Entries,
    ) -> Option<Replaced> {
        if self.is_empty() {
            return None;
        }
        let mut known = Known::new(&self.hashes, &mut self.sketch, entries);
        let slot = self.clocks.replace(share, &mut known);
        let place = self.hashes.get_mut(slot.index())?;
        Some(Replaced {
            slot,
            hash: mem::replace(place, hash),
        })
    }

    /// The slot of the next entry to evict, if any. It stays taken until [`remove`](Self::remove).
    #[inline]
    pub fn victim(&mut self, share: usize, entries: &impl Entries) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let mut known = Known::new(&self.hashes, &mut self.sketch, entries);
        Some(self.clocks.victim(share, &mut known))
    }

    /// Frees the slot of an entry. A slot that is free stays free.
    #[inline]
    pub fn remove(&mut self, slot: u32) {
        self.clocks.remove(slot);
    }

    /// Frees every slot, and forgets all uses.
    pub fn clear(&mut self) {
        self.clocks.clear();
        self.hashes.clear();
        self.sketch.clear();
    }

    /// The bytes of the counts.
    #[cfg(test)]
    pub(super) fn counts_bytes(&self) -> usize {
        self.sketch.blocks() * 64
    }

    /// Walks all links, and names the fault if there is one.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        self.clocks.validate()?;
        match self.hashes.len() == self.slots() {
            true => Ok(()),
            false => Err("a slot without a hash"),
        }
    }
}

/// The facts about the slots: the uses are in the sketch, the rest the caller knows.
struct Known<'a, E> {
    hashes: &'a [u32],
    sketch: &'a mut Sketch,
    entries: &'a E,
}

impl<'a, E> Known<'a, E> {
    const fn new(hashes: &'a [u32], sketch: &'a mut Sketch, entries: &'a E) -> Self {
        Self {
            hashes,
            sketch,
            entries,
        }
    }
}

impl<E: Entries> Facts<u32> for Known<'_, E> {
    #[inline]
    fn record(&mut self, slot: u32, uses: u32) -> u32 {
        match self.hashes.get(slot.index()) {
            Some(hash) => self.sketch.record(*hash, uses),
            None => 0,
        }
    }

    #[inline]
    fn uses(&mut self, slot: u32) -> u32 {
        let hash = self.hashes.get(slot.index());
        hash.map_or(0, |hash| self.sketch.uses(*hash))
    }

    #[inline]
    fn age(&self) -> u32 {
        self.sketch.age()
    }

    #[inline]
    fn is_expired(&self, slot: u32) -> bool {
        self.entries.is_expired(slot)
    }

    #[inline]
    fn take_unmarked(&self, slot: u32) -> u8 {
        self.entries.take_unmarked(slot)
    }
}
