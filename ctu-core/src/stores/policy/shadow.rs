//! Caches of tags in which the policy is tried out.

use super::{
    clocks::{Clocks, Facts},
    sketch::Sketch,
};
use crate::stores::slots::Slot;
use alloc::vec::Vec;

/// A tag as the sketch wants it: every bit counts in every bit.
pub(super) const fn spread(tag: u16) -> u32 {
    (tag as u32).wrapping_mul(0x9e37_79b1)
}

/// The tag of a hash: bits that the choice of the sample leaves free.
pub(super) const fn tag(hash: u32) -> u16 {
    (hash.wrapping_mul(0x85eb_ca6b) >> 16) as u16
}

/// A cache of tags: it follows the policy, and keeps no values.
#[derive(Clone, Debug)]
pub(super) struct Shadow {
    clocks: Clocks<u8>,
    tags: Vec<u16>,
}

impl Shadow {
    pub(super) const fn new() -> Self {
        Self {
            clocks: Clocks::new(),
            tags: Vec::new(),
        }
    }

    /// Walks all links, and names the fault if there is one.
    #[cfg(any(test, feature = "validate"))]
    pub(super) fn validate(&self, size: usize) -> Result<(), &'static str> {
        self.clocks.validate()?;
        match self.clocks.len() <= size && self.tags.len() == self.clocks.slots() {
            true => Ok(()),
            false => Err("a shadow has too many entries, or another number of tags"),
        }
    }

    /// Whether `tag` is there. It is from then on, in a shadow of `size` entries, 255 at most.
    pub(super) fn look_up(
        &mut self,
        tag: u16,
        share: usize,
        size: usize,
        sketch: &mut Sketch,
    ) -> bool {
        if let Some(slot) = position(&self.tags, tag) {
            self.clocks.hit(u8::new(slot));
            return true;
        }
        let mut facts = Tags {
            tags: &self.tags,
            sketch,
        };
        let slot = match self.clocks.len() >= size {
            true => self.clocks.replace(share, &mut facts),
            false => self.clocks.insert(share, &mut facts),
        };
        match self.tags.get_mut(slot.index()) {
            Some(place) => *place = tag,
            None => self.tags.push(tag),
        }
        false
    }
}

/// The position of a tag. It is sought in pieces without a branch, so that the compiler compares
/// eight tags at a time.
fn position(tags: &[u16], tag: u16) -> Option<usize> {
    const PIECE: usize = 32;
    let has = |piece: &&[u16]| {
        piece
            .iter()
            .fold(false, |found, other| found | (*other == tag))
    };
    let mut pieces = tags.chunks(PIECE).enumerate();
    let (number, piece) = pieces.find(|(_, piece)| has(piece))?;
    let within = piece.iter().position(|other| *other == tag)?;
    Some(number * PIECE + within)
}

/// The facts about the slots of a shadow. Its uses are in the sketch already.
struct Tags<'a> {
    tags: &'a [u16],
    sketch: &'a mut Sketch,
}

impl Facts<u8> for Tags<'_> {
    fn record(&mut self, slot: u8, _: u32) -> u32 {
        self.uses(slot)
    }

    fn uses(&mut self, slot: u8) -> u32 {
        let tag = self.tags.get(slot.index());
        tag.map_or(0, |tag| self.sketch.uses(spread(*tag)))
    }

    fn age(&self) -> u32 {
        self.sketch.age()
    }

    fn is_expired(&self, _: u8) -> bool {
        false
    }

    fn take_unmarked(&self, _: u8) -> u8 {
        0
    }
}
