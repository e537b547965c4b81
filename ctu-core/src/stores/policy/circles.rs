//! Circles of slots, each linked to its neighbours.

use crate::stores::slots::Slot;
use alloc::vec::Vec;

/// Slots in a circle: the newest is the neighbour of the oldest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circle<I> {
    /// The oldest slot, at which the hand points.
    pub(super) hand: I,
    pub(super) len: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Link<I> {
    pub(super) newer: I,
    pub(super) older: I,
}

/// The links of all slots, and the free slots.
#[derive(Clone, Debug)]
pub(super) struct Links<I> {
    links: Vec<Link<I>>,
    /// The first free slot; the others follow as `older`.
    free: I,
}

impl<I: Slot> Circle<I> {
    pub(super) const EMPTY: Self = Self {
        hand: I::NONE,
        len: 0,
    };
}

impl<I: Slot> Links<I> {
    pub(super) const fn new() -> Self {
        Self {
            links: Vec::new(),
            free: I::NONE,
        }
    }

    /// The number of slots, free or not.
    pub(super) const fn len(&self) -> usize {
        self.links.len()
    }

    #[inline]
    pub(super) fn get(&self, slot: I) -> Option<Link<I>> {
        self.links.get(slot.index()).copied()
    }

    #[inline]
    fn set(&mut self, slot: I, to: Link<I>) {
        if let Some(link) = self.links.get_mut(slot.index()) {
            *link = to;
        }
    }

    #[inline]
    fn set_older(&mut self, slot: I, older: I) {
        if let Some(link) = self.links.get_mut(slot.index()) {
            link.older = older;
        }
    }

    #[inline]
    fn set_newer(&mut self, slot: I, newer: I) {
        if let Some(link) = self.links.get_mut(slot.index()) {
            link.newer = newer;
        }
    }

    /// The slot that came after another. After the newest it is the oldest.
    #[inline]
    pub(super) fn newer(&self, slot: I) -> I {
        self.get(slot).map_or(I::NONE, |link| link.newer)
    }

    /// Takes a free slot, if there is one.
    #[inline]
    pub(super) fn take_free(&mut self) -> Option<I> {
        let slot = self.free;
        self.free = self.get(slot)?.older;
        Some(slot)
    }

    /// Adds a slot, which is not free; [`Slot::NONE`] where no number is left.
    pub(super) fn add(&mut self) -> I {
        let slot = I::new(self.links.len());
        if slot != I::NONE {
            let (newer, older) = (I::NONE, I::NONE);
            self.links.push(Link { newer, older });
        }
        slot
    }

    /// Frees a slot that is in no circle.
    pub(super) fn release(&mut self, slot: I) {
        self.set_older(slot, self.free);
        self.free = slot;
    }

    /// Makes a slot that is in no circle the newest of one.
    #[inline]
    pub(super) fn join(&mut self, circle: &mut Circle<I>, slot: I) {
        let oldest = circle.hand;
        let newest = self.get(oldest).map_or(slot, |link| link.older);
        let newer = if oldest == I::NONE { slot } else { oldest };
        let older = newest;
        self.set(slot, Link { newer, older });
        self.set_newer(newest, slot);
        self.set_older(oldest, slot);
        if oldest == I::NONE {
            circle.hand = slot;
        }
        circle.len += 1;
    }

    /// Takes a slot out of its circle.
    #[inline]
    pub(super) fn leave(&mut self, circle: &mut Circle<I>, slot: I) {
        let Some(Link { newer, older }) = self.get(slot) else {
            return;
        };
        self.set_older(newer, older);
        self.set_newer(older, newer);
        circle.len -= 1;
        if circle.len == 0 {
            circle.hand = I::NONE;
        } else if circle.hand == slot {
            circle.hand = newer;
        }
    }

    /// Exchanges the places of the oldest slots of two circles. Each is the newest from then on.
    /// Returns whether it did: not where a circle has one slot.
    #[inline]
    pub(super) fn exchange(&mut self, one: &mut Circle<I>, other: &mut Circle<I>) -> bool {
        let (first, second) = (one.hand, other.hand);
        let (Some(from), Some(to)) = (self.get(first), self.get(second)) else {
            return false;
        };
        if from.newer == first || to.newer == second {
            return false;
        }
        for (slot, link) in [(first, to), (second, from)] {
            self.set_older(link.newer, slot);
            self.set_newer(link.older, slot);
            self.set(slot, link);
        }
        (one.hand, other.hand) = (from.newer, to.newer);
        true
    }

    /// The slots of a circle, from the oldest to the newest.
    pub(super) fn of(&self, circle: Circle<I>) -> impl Iterator<Item = I> {
        let mut next = circle.hand;
        (0..circle.len).map(move |_| {
            let slot = next;
            next = self.newer(slot);
            slot
        })
    }

    /// Walks the links of a circle. `is_of` tells whether a slot may be in it.
    #[cfg(any(test, feature = "validate"))]
    pub(super) fn validate(
        &self,
        circle: Circle<I>,
        is_of: impl Fn(I) -> bool,
    ) -> Result<(), &'static str> {
        let mut slot = circle.hand;
        for _ in 0..circle.len {
            let newer = self.newer(slot);
            if self.get(newer).map(|link| link.older) != Some(slot) || !is_of(slot) {
                return Err("a slot does not lead back, or is marked for the other circle");
            }
            slot = newer;
        }
        match slot == circle.hand && (circle.len > 0 || slot == I::NONE) {
            true => Ok(()),
            false => Err("a circle is longer or shorter than its length"),
        }
    }

    /// Walks the free slots, and returns their number. `is_free` tells whether a slot may be free.
    #[cfg(any(test, feature = "validate"))]
    pub(super) fn validate_free(&self, is_free: impl Fn(I) -> bool) -> Result<usize, &'static str> {
        let (mut free, mut slot) = (0, self.free);
        while let Some(link) = self.get(slot) {
            if !is_free(slot) || free > self.links.len() {
                return Err("a free slot is taken, or the free slots form a circle");
            }
            (free, slot) = (free + 1, link.older);
        }
        Ok(free)
    }
}
