//! The marks of slots: their uses since the hand came by, in a byte.

use crate::stores::slots::Slot;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A mark: 2 bits of uses since the hand came by, 2 bits of uses that are not recorded yet, and
/// flags.
pub(super) const USES: u8 = 0b11;
pub(super) const UNRECORDED: u8 = 0b11 << 2;
pub(super) const IN_MAIN: u8 = 1 << 4;
pub(super) const WATCHED: u8 = 1 << 5;
pub(super) const TAKEN: u8 = 1 << 6;
/// The hand has found the slot used: its entry was used after its insertion.
pub(super) const USED_AGAIN: u8 = 1 << 7;
/// A use that is not recorded yet.
pub(super) const ONE_UNRECORDED: u8 = 1 << 2;

/// A mark after more uses, up to 3.
#[inline]
pub(super) const fn marked(mark: u8, more: u8) -> u8 {
    let uses = (mark & USES) + more;
    let unrecorded = unrecorded(mark) + more;
    let uses = if uses > 3 { 3 } else { uses };
    let unrecorded = if unrecorded > 3 { 3 } else { unrecorded };
    mark & !(USES | UNRECORDED) | uses | unrecorded << 2
}

/// The uses of a mark that are not recorded yet, 0 to 3.
#[inline]
pub(super) const fn unrecorded(mark: u8) -> u8 {
    (mark & UNRECORDED) >> 2
}

/// A mark for each slot. A use is marked through a shared reference.
#[derive(Debug)]
pub(super) struct Marks(Vec<AtomicU8>);

impl Clone for Marks {
    fn clone(&self) -> Self {
        let copy = |mark: &AtomicU8| AtomicU8::new(mark.load(Relaxed));
        Self(self.0.iter().map(copy).collect())
    }
}

impl Marks {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    #[cfg(any(test, feature = "validate"))]
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, mark: u8) {
        self.0.push(AtomicU8::new(mark));
    }

    /// The mark of a slot; 0 where there is none.
    #[inline]
    pub(super) fn get(&self, slot: impl Slot) -> u8 {
        let mark = self.0.get(slot.index());
        mark.map_or(0, |mark| mark.load(Relaxed))
    }

    #[inline]
    pub(super) fn set(&self, slot: impl Slot, to: u8) {
        if let Some(mark) = self.0.get(slot.index()) {
            mark.store(to, Relaxed);
        }
    }

    /// Marks a use of a slot. Returns whether that changed the mark: the third use in a row, and
    /// those that follow, write nothing.
    #[inline]
    pub(super) fn hit(&self, slot: impl Slot) -> bool {
        let Some(mark) = self.0.get(slot.index()) else {
            return false;
        };
        let old = mark.load(Relaxed);
        if old & (USES | UNRECORDED) == USES | UNRECORDED {
            return false;
        }
        mark.store(marked(old, 1), Relaxed);
        true
    }
}
