//! The share of the window, found by trial.

use super::{
    shadow::{Shadow, spread, tag},
    sketch::Sketch,
};

/// Chooses the window's share of the entries: the one that finds the most, of four.
///
/// The best share depends on the keys: a small window keeps frequently used entries, a large window
/// keeps recently used ones. Four small shadow caches without values see a sample of the keys, each
/// with another share. The cache adopts the share of the best shadow once its lead is significant.
/// Memory: 3 KiB for any capacity. [`observe`](Self::observe) is O(1).
#[derive(Clone, Debug)]
pub struct Tuner {
    shadows: [Shadow; SHARES.len()],
    sketch: Sketch,
    /// The entries of a shadow.
    size: usize,
    sample: Sample,
    /// The recent hits of each shadow on keys that another missed. Older hits have a decreasing
    /// weight.
    hits: [f32; SHARES.len()],
    /// How often one shadow of a pair found a key that the other did not.
    differences: [[f32; SHARES.len()]; SHARES.len()],
    best: usize,
    observed: u32,
}

/// The window's shares of the shadows, in a thousand.
const SHARES: [usize; 4] = [30, 100, 400, 950];
/// The share that is taken before anything is known.
const FIRST: usize = 0;
/// The most entries of a shadow.
const SIZE: usize = 64;
/// The blocks of the sketch: room for the counts of 128 entries.
const BLOCKS: usize = 16;
/// Hits count for as many observations as 40 times the entries of a shadow.
const HORIZON: f32 = 40.0 * SIZE as f32;
/// How many observations are judged at a time.
const BATCH: u32 = 16;
/// A lead is no accident if it is above 4 times the standard deviation of one by accident.
const DEVIATIONS: f32 = 4.0;

impl Tuner {
    /// A tuner for a cache of `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        let size = capacity.clamp(1, SIZE);
        Self {
            shadows: SHARES.map(|_| Shadow::new()),
            sketch: Sketch::new(BLOCKS),
            size,
            sample: Sample::of(size, capacity),
            hits: [0.0; SHARES.len()],
            differences: [[0.0; SHARES.len()]; SHARES.len()],
            best: FIRST,
            observed: 0,
        }
    }

    /// The hashes in the sample: those for which [`Sample::has`] is true.
    pub const fn sample(&self) -> Sample {
        self.sample
    }

    /// Adapts to another capacity of the cache. The window's share stays until the shadows, which
    /// start empty, give a reason for another.
    pub fn set_capacity(&mut self, capacity: usize) {
        *self = Self {
            best: self.best,
            ..Self::new(capacity)
        };
    }

    /// The window's share, in a thousand.
    pub const fn share(&self) -> usize {
        SHARES[self.best]
    }

    /// Shows the tuner a use of a key in the sample.
    pub fn observe(&mut self, hash: u32) {
        let tag = tag(hash);
        let mut found = [false; SHARES.len()];
        for ((shadow, share), found) in self.shadows.iter_mut().zip(SHARES).zip(&mut found) {
            *found = shadow.look_up(tag, share, self.size, &mut self.sketch);
        }
        self.sketch.record(spread(tag), 1);
        self.count(found);
        self.observed = self.observed.wrapping_add(1);
        if self.observed.is_multiple_of(BATCH) {
            self.judge();
        }
    }

    /// Counts the shadows that found a key.
    fn count(&mut self, found: [bool; SHARES.len()]) {
        // Most keys are in all shadows or in none, which changes no lead.
        if found.iter().all(|one| *one == found[0]) {
            return;
        }
        for (one, hits) in self.hits.iter_mut().enumerate() {
            *hits += f32::from(u8::from(found[one]));
            for (other, differences) in self.differences[one].iter_mut().enumerate() {
                *differences += f32::from(u8::from(found[one] != found[other]));
            }
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
            shadow.validate(self.size)?;
        }
        Ok(())
    }
}

/// A sample of all keys.
#[derive(Clone, Copy, Debug)]
pub struct Sample(u32);

impl Sample {
    /// A sample of the keys that fills `size` places where all keys fill `capacity`.
    pub const fn of(size: usize, capacity: usize) -> Self {
        let (size, capacity) = (size as u64, if capacity == 0 { 1 } else { capacity as u64 });
        let share = u32::MAX as u128 * size as u128 / capacity as u128;
        Self(if share > u32::MAX as u128 {
            u32::MAX
        } else {
            share as u32
        })
    }

    /// The sample as a number, for an atomic.
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// The sample of [`to_bits`](Self::to_bits).
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Whether the key with this hash is in the sample.
    #[inline]
    pub const fn has(self, hash: u32) -> bool {
        hash.wrapping_mul(0xc2b2_ae35) <= self.0
    }
}
