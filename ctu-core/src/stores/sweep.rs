//! Positions of sweeps that are done in steps.

use super::slots::Slot;

/// The position of a sweep over a store, between its steps
/// ([`retain_step`](super::Lru::retain_step)).
///
/// ```
/// use ctu_core::{LruCache, stores::Sweep};
/// let mut cache = LruCache::<u32, u32, 8>::new();
/// (0..8).for_each(|key| drop(cache.insert(key, key)));
/// let mut sweep = Sweep::new();
/// // Two entries a step: other code runs between the steps.
/// while cache.retain_step(&mut sweep, 2, |key, _| key % 2 == 0) {}
/// assert_eq!(cache.len(), 4);
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Sweep {
    /// The slots below this number are left; in an arena, the places.
    left: usize,
}

impl Sweep {
    /// A sweep that has not begun.
    pub const fn new() -> Self {
        Self { left: usize::MAX }
    }

    /// The next slot, of a store with `len` entries.
    ///
    /// Downwards: an entry that moves into the slot of a removed one comes from above, and has been
    /// visited.
    #[inline]
    pub(super) fn next<I: Slot>(&mut self, len: usize) -> Option<I> {
        self.left = self.left.min(len).checked_sub(1)?;
        Some(I::new(self.left))
    }

    /// Whether a place of an arena is left to visit.
    pub(super) const fn is_left(&self, place: usize) -> bool {
        place < self.left
    }

    /// Leaves the places below `place` to visit.
    pub(super) fn visit(&mut self, place: usize) {
        self.left = place;
    }

    /// Whether a store with `len` entries has slots to visit.
    pub(super) fn has_more(&self, len: usize) -> bool {
        self.left.min(len) > 0
    }
}

impl Default for Sweep {
    fn default() -> Self {
        Self::new()
    }
}
