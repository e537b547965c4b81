//! Ordered deadlines in two links an entry: a treap (Seidel and Aragon, "Randomized search trees",
//! 1996). The priorities are seeded hashes of the slot numbers and take no memory. Operations are
//! O(log n) expected.
//!
//! There are no parent links: a removal looks up the node by its deadline and slot first.

use super::slots::{Deadline, Deadlines, Slot};

/// The location of a link to a node: the root, or a child link of a node.
#[derive(Clone, Copy)]
enum Place<I> {
    Root,
    Left(I),
    Right(I),
}

pub(super) struct Treap<'d, I, D> {
    pub(super) root: &'d mut I,
    pub(super) deadlines: &'d mut D,
    pub(super) seed: u32,
}

impl<I: Slot, D: Deadlines<I>> Treap<'_, I, D> {
    fn node(&self, slot: I) -> Option<Deadline<I>> {
        self.deadlines.deadline(slot).copied()
    }

    fn set(&mut self, place: Place<I>, child: I) {
        match place {
            Place::Root => *self.root = child,
            Place::Left(slot) => {
                if let Some(node) = self.deadlines.deadline_mut(slot) {
                    node.left = child;
                }
            }
            Place::Right(slot) => {
                if let Some(node) = self.deadlines.deadline_mut(slot) {
                    node.right = child;
                }
            }
        }
    }

    /// Adds a slot that has a deadline and is not in the tree.
    pub(super) fn insert(&mut self, slot: I) {
        let Some(new) = self.node(slot) else {
            return;
        };
        let mut place = Place::Root;
        let mut at = *self.root;
        while let Some(node) = self.node(at)
            && priority(at, self.seed) >= priority(slot, self.seed)
        {
            if (new.at, slot) < (node.at, at) {
                place = Place::Left(at);
                at = node.left;
            } else {
                place = Place::Right(at);
                at = node.right;
            }
        }
        self.set(place, slot);
        // The subtree at this place is split in two: the nodes before the new one and those after
        // it.
        let (mut before, mut after) = (Place::Left(slot), Place::Right(slot));
        while let Some(node) = self.node(at) {
            if (node.at, at) < (new.at, slot) {
                self.set(before, at);
                before = Place::Right(at);
                at = node.right;
            } else {
                self.set(after, at);
                after = Place::Left(at);
                at = node.left;
            }
        }
        self.set(before, I::NONE);
        self.set(after, I::NONE);
    }

    /// Removes a slot.
    pub(super) fn remove(&mut self, slot: I) {
        let Some(old) = self.node(slot) else {
            return;
        };
        let mut place = Place::Root;
        let mut at = *self.root;
        while at != slot {
            let Some(node) = self.node(at) else {
                return;
            };
            if (old.at, slot) < (node.at, at) {
                place = Place::Left(at);
                at = node.left;
            } else {
                place = Place::Right(at);
                at = node.right;
            }
        }
        let (mut left, mut right) = (old.left, old.right);
        while let (Some(l), Some(r)) = (self.node(left), self.node(right)) {
            if priority(left, self.seed) >= priority(right, self.seed) {
                self.set(place, left);
                place = Place::Right(left);
                left = l.right;
            } else {
                self.set(place, right);
                place = Place::Left(right);
                right = r.left;
            }
        }
        self.set(place, if left == I::NONE { right } else { left });
    }
}

/// The slot with the earliest deadline.
pub(super) fn first<I: Slot, D: Deadlines<I>>(root: I, deadlines: &D) -> I {
    let mut first = I::NONE;
    let mut at = root;
    while let Some(node) = deadlines.deadline(at) {
        first = at;
        at = node.left;
    }
    first
}

/// A hash of a slot's number, after C. Wellons, "Hash function prospector" (`lowbias32`).
pub(super) fn priority<I: Slot>(slot: I, seed: u32) -> u32 {
    let mut x = slot.index() as u32 ^ seed;
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}
