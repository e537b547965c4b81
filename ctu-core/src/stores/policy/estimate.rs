//! The hit rate at other capacities, from a sample of the keys.

use super::{
    Sample,
    shadow::{Shadow, spread, tag},
    sketch::Sketch,
};

/// Estimates the hit rates that a cache would have at half and at twice its capacity.
///
/// Three shadow caches without values, of 16, 32 and 64 entries, see the look-ups of a sample of
/// the keys. The shadow of the present capacity shows how far the sample differs from all keys.
/// Memory: 1.2 KiB for any capacity. [`observe`](Self::observe) is O(1).
///
/// ```
/// use ctu_core::stores::policy::Estimate;
///
/// let mut estimate = Estimate::new(32);
/// // A loop over 48 keys fits twice the capacity.
/// for hash in (0..48_000_u32).map(|step| (step % 48).wrapping_mul(0x9e37_79b9)) {
///     if estimate.sample().has(hash) {
///         estimate.observe(hash, 30);
///     }
/// }
/// let [half, _, twice] = estimate.hit_rates();
/// assert!(half < 0.5 && twice > 0.9);
/// ```
#[derive(Debug)]
pub struct Estimate {
    shadows: [Shadow; 3],
    hits: [f32; 3],
    observed: f32,
    sketch: Sketch,
    sample: Sample,
    /// The entries of the shadow of the present capacity.
    size: usize,
}

/// The most entries of the shadow of the present capacity.
const SIZE: usize = 32;
/// The blocks of the sketch: room for the counts of 64 entries.
const BLOCKS: usize = 8;
/// From so many observations on, older ones lose half of their weight.
const HORIZON: f32 = 65_536.0;

impl Estimate {
    /// An estimate for a cache of `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        let size = capacity.clamp(1, SIZE);
        Self {
            shadows: [const { Shadow::new() }; 3],
            hits: [0.0; 3],
            observed: 0.0,
            sketch: Sketch::new(BLOCKS),
            sample: Sample::of(size, capacity),
            size,
        }
    }

    /// The hashes in the sample.
    pub const fn sample(&self) -> Sample {
        self.sample
    }

    const fn sizes(size: usize) -> [usize; 3] {
        [size.div_ceil(2), size, size * 2]
    }

    /// Shows the look-up of a key in the sample. The window has a `share` in a thousand.
    pub fn observe(&mut self, hash: u32, share: usize) {
        let tag = tag(hash);
        let sizes = Self::sizes(self.size);
        for ((shadow, size), hits) in self.shadows.iter_mut().zip(sizes).zip(&mut self.hits) {
            let found = shadow.look_up(tag, share, size, &mut self.sketch);
            *hits += f32::from(u8::from(found));
        }
        self.sketch.record(spread(tag), 1);
        self.observed += 1.0;
        if self.observed >= HORIZON {
            self.observed /= 2.0;
            self.hits = self.hits.map(|hits| hits / 2.0);
        }
    }

    /// The hit rates of the sample at half the capacity, the capacity and twice the capacity, 0 to
    /// 1. All are 0 before the first observation.
    pub fn hit_rates(&self) -> [f64; 3] {
        let observed = f64::from(self.observed.max(1.0));
        self.hits.map(|hits| f64::from(hits) / observed)
    }

    /// Walks all links, and names the fault if there is one.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        let mut shadows = self.shadows.iter().zip(Self::sizes(self.size));
        shadows.try_for_each(|(shadow, size)| shadow.validate(size))
    }
}
