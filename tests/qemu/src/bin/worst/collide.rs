//! A hasher that fills buckets.

use core::hash::{BuildHasher, Hasher};
use core::hint::black_box;
use rustc_hash::FxHasher;

/// Costs as much as the default hasher, and spreads `N` keys over few buckets of twelve keys.
#[derive(Clone, Copy)]
pub(crate) struct Colliding<const N: u32>;

pub(crate) struct State<const N: u32> {
    real: FxHasher,
    /// The last bytes of the key.
    last: u32,
}

impl<const N: u32> BuildHasher for Colliding<N> {
    type Hasher = State<N>;
    #[inline]
    fn build_hasher(&self) -> State<N> {
        State {
            real: FxHasher::default(),
            last: 0,
        }
    }
}

impl<const N: u32> Hasher for State<N> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.real.write(bytes);
        if let Some(end) = bytes.last_chunk() {
            self.last = u32::from_be_bytes(*end);
        }
    }
    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.real.write_u8(number);
        self.last = number.into();
    }
    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.real.write_u32(number);
        self.last = number;
    }
    #[inline]
    fn write_usize(&mut self, number: usize) {
        // The length of a slice.
        self.real.write_usize(number);
    }
    #[inline]
    fn finish(&self) -> u64 {
        black_box(self.real.finish());
        u64::from(self.last % N.div_ceil(12))
    }
}
