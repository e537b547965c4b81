//! Deadlines of a store's entries, in order.

use super::{
    slots::{Deadline, Deadlines, Slot},
    treap::{self, Treap},
};

/// The slots of a store in the order of their deadlines.
///
/// Entries with the default time-to-live expire in the order of their writes: a queue, O(1) an
/// operation. Entries with a time-to-live of their own are in a tree, O(log n). An entry is in one
/// of the two, so both use the same two links.
#[derive(Clone, Debug)]
pub(super) struct Expiry<I, D> {
    deadlines: D,
    first: I,
    last: I,
    root: I,
    /// The seed of the tree's priorities.
    seed: u32,
}

/// The largest tick a deadline can be at.
pub(super) const MAX_TICK: u32 = u32::MAX >> 1;

impl<I: Slot, D: Deadlines<I>> Expiry<I, D> {
    pub(super) const fn new(deadlines: D) -> Self {
        Self {
            deadlines,
            first: I::NONE,
            last: I::NONE,
            root: I::NONE,
            seed: 0,
        }
    }

    /// Seeds an empty tree. With predictable priorities, an attacker could choose deadlines that
    /// degenerate the treap into a list.
    #[inline]
    pub(super) fn seed(&mut self, seed: impl FnOnce() -> u32) {
        if self.root == I::NONE {
            self.seed = seed();
        }
    }

    /// The tick at which the entry of a slot expires.
    #[inline]
    pub(super) fn tick(&self, slot: I) -> Option<u32> {
        self.deadlines.deadline(slot).map(|node| node.at >> 1)
    }

    /// Whether the entry of a slot has expired at the tick `now`.
    #[inline]
    pub(super) fn has_passed(&self, slot: I, now: u32) -> bool {
        self.tick(slot).is_some_and(|tick| tick <= now)
    }

    /// The slot that expires first, and its tick. O(1), or O(log n) with entries in the tree.
    #[inline]
    pub(super) fn earliest(&self) -> Option<(I, u32)> {
        let queued = self.tick(self.first).map(|tick| (self.first, tick));
        if self.root == I::NONE {
            return queued;
        }
        let slot = treap::first(self.root, &self.deadlines);
        let own = self.tick(slot).map(|tick| (slot, tick));
        match (queued, own) {
            (Some(queued), Some(own)) if own.1 < queued.1 => Some(own),
            (Some(queued), _) => Some(queued),
            (None, own) => own,
        }
    }

    /// Adds a slot with a tick of at most [`MAX_TICK`]. A slot without an `own` time-to-live must
    /// not be earlier than its predecessors.
    #[inline]
    pub(super) fn schedule(&mut self, slot: I, tick: u32, own: bool) {
        self.deadlines.reserve(slot);
        let Some(node) = self.deadlines.deadline_mut(slot) else {
            return;
        };
        *node = Deadline {
            left: self.last,
            right: I::NONE,
            at: tick.min(MAX_TICK) << 1 | u32::from(own),
        };
        if own {
            self.tree().insert(slot);
            return;
        }
        match self.deadlines.deadline_mut(self.last) {
            Some(last) => last.right = slot,
            None => self.first = slot,
        }
        self.last = slot;
    }

    /// Removes a slot.
    #[inline]
    pub(super) fn cancel(&mut self, slot: I) {
        let Some(&Deadline { left, right, at }) = self.deadlines.deadline(slot) else {
            return;
        };
        if at & 1 == 1 {
            self.tree().remove(slot);
        } else {
            self.link(left, right);
            self.link_back(right, left);
        }
    }

    /// Removes a slot, and moves the deadline of the last slot into its place.
    pub(super) fn swap_remove(&mut self, slot: I, last: I) {
        self.cancel(slot);
        if slot != last {
            self.relocate(last, slot);
        }
    }

    /// Moves the deadline of a slot to a free slot.
    fn relocate(&mut self, from: I, to: I) {
        let Some(&node) = self.deadlines.deadline(from) else {
            return;
        };
        if node.at & 1 == 1 {
            self.tree().remove(from);
            self.schedule(to, node.at >> 1, true);
            return;
        }
        if let Some(place) = self.deadlines.deadline_mut(to) {
            *place = node;
        }
        self.link(node.left, to);
        self.link_back(node.right, to);
    }

    /// Moves the deadline of a slot `ticks` earlier. The caller does so for every slot.
    pub(super) fn rebase(&mut self, slot: I, ticks: u32) {
        if let Some(node) = self.deadlines.deadline_mut(slot) {
            let own = node.at & 1;
            node.at = (node.at >> 1).saturating_sub(ticks) << 1 | own;
        }
    }

    pub(super) fn clear(&mut self) {
        self.first = I::NONE;
        self.last = I::NONE;
        self.root = I::NONE;
    }

    /// Sets the successor of `slot` in the queue to `next`.
    fn link(&mut self, slot: I, next: I) {
        match self.deadlines.deadline_mut(slot) {
            Some(node) => node.right = next,
            None => self.first = next,
        }
    }

    /// Sets the predecessor of `slot` in the queue to `previous`.
    fn link_back(&mut self, slot: I, previous: I) {
        match self.deadlines.deadline_mut(slot) {
            Some(node) => node.left = previous,
            None => self.last = previous,
        }
    }

    fn tree(&mut self) -> Treap<'_, I, D> {
        Treap {
            root: &mut self.root,
            deadlines: &mut self.deadlines,
            seed: self.seed,
        }
    }

    /// Checks the queue and the tree; the error describes the broken invariant.
    #[cfg(any(test, feature = "validate"))]
    pub(super) fn validate(&self, len: usize) -> Result<(), &'static str> {
        let (mut seen, mut slot, mut previous) = (0, self.first, I::NONE);
        while let Some(node) = self.deadlines.deadline(slot) {
            if node.left != previous || node.at & 1 == 1 || seen > len {
                return Err("the queue of deadlines is broken");
            }
            if self
                .deadlines
                .deadline(previous)
                .is_some_and(|p| p.at > node.at)
            {
                return Err("the queue of deadlines is out of order");
            }
            (seen, previous, slot) = (seen + 1, slot, node.right);
        }
        if previous != self.last {
            return Err("the queue of deadlines does not end at its last");
        }
        // The depth of a treap is about 3 log n, and hardly ever much more.
        let depth = 16 + 5 * (len + 1).ilog2();
        seen += self.validate_tree(self.root, None, None, depth)?;
        if seen != len {
            return Err("not every entry has one deadline");
        }
        Ok(())
    }

    #[cfg(any(test, feature = "validate"))]
    fn validate_tree(
        &self,
        slot: I,
        above: Option<(u32, I)>,
        below: Option<(u32, I)>,
        depth: u32,
    ) -> Result<usize, &'static str> {
        let Some(node) = self.deadlines.deadline(slot) else {
            return Ok(0);
        };
        let at = Some((node.at, slot));
        if depth == 0 || node.at & 1 == 0 || above > at || (below.is_some() && below < at) {
            return Err("the tree of deadlines is broken");
        }
        let heavier = |child| {
            child != I::NONE && treap::priority(child, self.seed) > treap::priority(slot, self.seed)
        };
        if heavier(node.left) || heavier(node.right) {
            return Err("the tree of deadlines is not a heap of priorities");
        }
        let left = self.validate_tree(node.left, above, at, depth - 1)?;
        Ok(left + 1 + self.validate_tree(node.right, at, below, depth - 1)?)
    }
}
