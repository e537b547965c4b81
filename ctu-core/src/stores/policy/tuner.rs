//! The share of the window, found by trial.

use super::{
    clocks::{Clocks, Facts},
    sketch::Sketch,
};
use alloc::vec::Vec;

/// Chooses the window's share of the entries: the one that finds the most, of five.
///
/// The best share depends on the keys: a small window keeps frequently used entries, a large window
/// keeps recently used ones. Five small shadow caches without values see a sample of the keys, each
/// with another share. The cache adopts the share of the best shadow once its lead is significant.
/// Memory: 4 KiB for any capacity. [`observe`](Self::observe) is O(1).
#[derive(Debug)]
pub struct Tuner {
    shadows: [Shadow; SHARES.len()],
    sketch: Sketch,
    /// The entries of a shadow.
    size: usize,
    /// The upper limit of the mixed bits of a hash in the sample.
    sampled_to: u32,
    /// The recent hits of each shadow. Older hits have a decreasing weight.
    hits: [f32; SHARES.len()],
    /// How often one shadow of a pair found a key that the other did not.
    differences: [[f32; SHARES.len()]; SHARES.len()],
    best: usize,
    observed: u32,
}

/// The window's shares of the shadows, in a thousand.
const SHARES: [usize; 5] = [10, 30, 100, 400, 950];
/// The share that is taken before anything is known.
const FIRST: usize = 1;
/// The most entries of a shadow.
const SIZE: usize = 92;
/// The blocks of the sketch: room for the counts of 128 entries.
const BLOCKS: usize = 16;
/// Hits count for as many observations as 40 times the entries of a shadow.
const HORIZON: f32 = 40.0 * SIZE as f32;
/// How many observations are judged at a time.
const BATCH: u32 = 16;
/// A lead is no accident if it is above 3 times the standard deviation of one by accident.
const DEVIATIONS: f32 = 3.0;

/// A cache of keys' tags alone.
#[derive(Debug)]
struct Shadow {
    clocks: Clocks<u8>,
    tags: Vec<u16>,
}

impl Tuner {
    /// A tuner for a cache of `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        let size = capacity.clamp(1, SIZE);
        let sampled_to = u64::from(u32::MAX) * size as u64 / capacity.max(1) as u64;
        Self {
            shadows: SHARES.map(|_| Shadow {
                clocks: Clocks::new(),
                tags: Vec::new(),
            }),
            sketch: Sketch::new(BLOCKS),
            size,
            sampled_to: sampled_to as u32,
            hits: [0.0; SHARES.len()],
            differences: [[0.0; SHARES.len()]; SHARES.len()],
            best: FIRST,
            observed: 0,
        }
    }

    /// The hashes in the sample: those for which [`Sample::has`] is true.
    pub const fn sample(&self) -> Sample {
        Sample(self.sampled_to)
    }

    /// The window's share, in a thousand.
    pub const fn share(&self) -> usize {
        SHARES[self.best]
    }

    /// Shows the tuner a use of a key in the sample.
    pub fn observe(&mut self, hash: u32) {
        let tag = (hash.wrapping_mul(0x85eb_ca6b) >> 16) as u16;
        let mut found = [false; SHARES.len()];
        for ((shadow, share), found) in self.shadows.iter_mut().zip(SHARES).zip(&mut found) {
            *found = shadow.look_up(tag, share, self.size, &mut self.sketch);
        }
        self.sketch.record(spread(tag), 1);
        for (one, hits) in self.hits.iter_mut().enumerate() {
            *hits += f32::from(u8::from(found[one]));
            for (other, differences) in self.differences[one].iter_mut().enumerate() {
                *differences += f32::from(u8::from(found[one] != found[other]));
            }
        }
        self.observed = self.observed.wrapping_add(1);
        if self.observed.is_multiple_of(BATCH) {
            self.judge();
        }
    }

    fn judge(&mut self) {
        let mut largest = 0.0;
        let present = self.best;
        for one in 0..SHARES.len() {
            let lead = self.hits[one] - self.hits[present] - 0.5;
            let differences = self.differences[one][present];
            // The deviation of a sum of n differences that are 1 or -1 is the root of n.
            if lead > largest && lead * lead > DEVIATIONS * DEVIATIONS * differences {
                (self.best, largest) = (one, lead);
            }
        }
        let kept = 1.0 - BATCH as f32 / HORIZON;
        for count in self
            .hits
            .iter_mut()
            .chain(self.differences.as_flattened_mut())
        {
            *count *= kept;
        }
    }

    /// Walks all shadows, and names the fault if there is one.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        for shadow in &self.shadows {
            shadow.clocks.validate()?;
            if shadow.clocks.len() > self.size || shadow.tags.len() != shadow.clocks.slots() {
                return Err("a shadow has too many entries, or another number of tags");
            }
        }
        Ok(())
    }
}

/// A sample of all keys.
#[derive(Clone, Copy, Debug)]
pub struct Sample(u32);

impl Sample {
    /// Whether the key with this hash is in the sample.
    #[inline]
    pub const fn has(self, hash: u32) -> bool {
        hash.wrapping_mul(0xc2b2_ae35) <= self.0
    }
}

/// A tag as the sketch wants it: every bit counts in every bit.
const fn spread(tag: u16) -> u32 {
    (tag as u32).wrapping_mul(0x9e37_79b1)
}

impl Shadow {
    /// Whether `tag` is there. It is from then on.
    fn look_up(&mut self, tag: u16, share: usize, size: usize, sketch: &mut Sketch) -> bool {
        if let Some(slot) = position(&self.tags, tag) {
            self.clocks.hit(slot as u8);
            return true;
        }
        let mut facts = Tags {
            tags: &self.tags,
            sketch,
        };
        if self.clocks.len() >= size {
            let victim = self.clocks.victim(share, &mut facts);
            self.clocks.remove(victim);
        }
        let slot = usize::from(self.clocks.insert(share, &mut facts));
        match self.tags.get_mut(slot) {
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
    fn record(&mut self, _: u8, _: u32) {}

    fn uses(&mut self, slot: u8) -> u32 {
        let tag = self.tags.get(usize::from(slot));
        tag.map_or(0, |tag| self.sketch.uses(spread(*tag)))
    }

    fn is_expired(&self, _: u8) -> bool {
        false
    }

    fn take_unmarked(&self, _: u8) -> u8 {
        0
    }
}
