//! How often keys were used lately, in 8 bytes an entry.

use alloc::{vec, vec::Vec};

/// Counts the uses of hashes, from 0 to 15, and forgets half of each count from time to time.
///
/// A count-min sketch of 4-bit counters: G. Cormode, S. Muthukrishnan, "An improved data stream
/// summary", J. Algorithms 55 (2005); its aging is that of G. Einziger, R. Friedman, B. Manes,
/// "TinyLFU", ACM Transactions on Storage 13 (2017). The four counters of a hash lie in one block
/// of 64 bytes. A count is never too low because of other hashes, and sometimes too high. A block
/// ages when it is used next, so no operation walks over the whole sketch.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    /// Blocks of [`WORDS`] words. The highest counter of a block holds the age of the block.
    words: Vec<u64>,
    /// The number of halvings, of which a block keeps the lowest 4 bits.
    age: u64,
    /// Uses that were recorded since the last halving.
    recorded: usize,
}

const WORDS: usize = 8;
/// Counters of a hash.
const ROWS: usize = 4;
/// Counters an entry.
const COUNTERS: usize = 16;
/// Entries a block: it has 128 counters.
pub(super) const ENTRIES_A_BLOCK: usize = WORDS * 16 / COUNTERS;
/// Counts are halved after as many uses as this for each entry.
const USES_AN_ENTRY: usize = 16;
const AGE: u32 = 60;
const MOST: u64 = 15;

/// A counter: its word, and its lowest bit.
type Place = (usize, u32);

impl Sketch {
    /// A sketch of `blocks` blocks, 1 at least.
    pub(super) fn new(blocks: usize) -> Self {
        Self {
            words: vec![0; blocks.max(1).saturating_mul(WORDS)],
            age: 0,
            recorded: 0,
        }
    }

    pub(super) fn blocks(&self) -> usize {
        self.words.len() / WORDS
    }

    /// Doubles the number of blocks. Each hash keeps its count.
    pub(super) fn double(&mut self) {
        let (blocks, _) = self.words.as_chunks::<WORDS>();
        let twice = blocks.iter().flat_map(|block| [*block, *block]);
        self.words = twice.flatten().collect();
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }

    /// The block of a hash, brought up to the present age.
    #[inline]
    fn block(&mut self, hash: u32) -> Option<&mut [u64; WORDS]> {
        let age = self.age & MOST;
        let (blocks, _) = self.words.as_chunks_mut::<WORDS>();
        let index = (u64::from(hash) * blocks.len() as u64) >> 32;
        let block = blocks.get_mut(index as usize)?;
        let halvings = age.wrapping_sub(block[WORDS - 1] >> AGE) & MOST;
        if halvings > 0 {
            Self::halve(block, halvings, age);
        }
        Some(block)
    }

    #[cold]
    fn halve(block: &mut [u64; WORDS], halvings: u64, age: u64) {
        // The bits of a counter that remain after a shift of all counters.
        let kept = MOST >> halvings.min(4);
        let mask = 0x1111_1111_1111_1111 * kept;
        for word in block.iter_mut() {
            *word = word.checked_shr(halvings.min(4) as u32).unwrap_or(0) & mask;
        }
        block[WORDS - 1] = block[WORDS - 1] & !(MOST << AGE) | age << AGE;
    }

    /// The four counters of a hash, one in each quarter of its block, none of them that of the age.
    #[inline]
    fn places(hash: u32) -> [Place; ROWS] {
        let bits = (u64::from(hash) | 1 << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = bits ^ bits >> 29;
        // 5 bits choose one of the 32 counters of a quarter: its word, and its place there.
        let counter = |row: usize| {
            let chosen = bits >> (33 + 6 * row as u32) & 31;
            let chosen = if row == ROWS - 1 && chosen == 31 {
                30
            } else {
                chosen
            };
            (2 * row + (chosen >> 4) as usize, ((chosen & 15) * 4) as u32)
        };
        [counter(0), counter(1), counter(2), counter(3)]
    }

    #[inline]
    fn counts(block: &[u64; WORDS], places: &[Place; ROWS]) -> [u64; ROWS] {
        places.map(|(word, bit)| block[word & (WORDS - 1)] >> bit & MOST)
    }

    #[inline]
    fn least(block: &[u64; WORDS], places: &[Place; ROWS]) -> u64 {
        let [first, second, third, fourth] = Self::counts(block, places);
        first.min(second).min(third.min(fourth))
    }

    /// How often `hash` was used.
    #[inline]
    pub(super) fn uses(&mut self, hash: u32) -> u32 {
        let block = self.block(hash);
        block.map_or(0, |block| Self::least(block, &Self::places(hash)) as u32)
    }

    /// [`uses`](Self::uses) without a change to the block. Slower where the block is to be aged.
    pub(super) fn peek(&self, hash: u32) -> u32 {
        let (blocks, _) = self.words.as_chunks::<WORDS>();
        let index = (u64::from(hash) * blocks.len() as u64) >> 32;
        let Some(mut block) = blocks.get(index as usize).copied() else {
            return 0;
        };
        let age = self.age & MOST;
        let halvings = age.wrapping_sub(block[WORDS - 1] >> AGE) & MOST;
        if halvings > 0 {
            Self::halve(&mut block, halvings, age);
        }
        Self::least(&block, &Self::places(hash)) as u32
    }

    /// Adds `uses` to the count of `hash`, and returns the new count.
    #[inline]
    pub(super) fn record(&mut self, hash: u32, uses: u32) -> u32 {
        let Some(block) = self.block(hash) else {
            return 0;
        };
        let places = Self::places(hash);
        let counts = Self::counts(block, &places);
        let least = counts[0].min(counts[1]).min(counts[2].min(counts[3]));
        // No counter above the new count is raised: it has that much from other hashes.
        let count = (least + u64::from(uses)).min(MOST);
        for ((word, bit), old) in places.into_iter().zip(counts) {
            block[word & (WORDS - 1)] += count.saturating_sub(old) << bit;
        }
        self.recorded += uses as usize;
        if self.recorded >= self.words.len() / WORDS * ENTRIES_A_BLOCK * USES_AN_ENTRY {
            self.recorded = 0;
            self.age += 1;
        }
        count as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any number is a hash.
    fn hash(number: u32) -> u32 {
        number.wrapping_mul(0x9e37_79b1)
    }

    #[test]
    fn count_is_exact_for_few_hashes_and_at_most_15() {
        let mut sketch = Sketch::new(16);
        for number in 0..16 {
            sketch.record(hash(number), number);
        }
        assert!((0..16).all(|number| sketch.uses(hash(number)) == number));
        assert!((0..16).all(|number| sketch.peek(hash(number)) == number));
        sketch.record(hash(9), 9);
        assert_eq!(sketch.uses(hash(9)), 15);
    }

    #[test]
    fn count_is_never_too_low_and_seldom_too_high() {
        let mut sketch = Sketch::new(16);
        for number in 0..128 {
            sketch.record(hash(number), number % 4);
        }
        let uses = (0..128).map(|number| (sketch.uses(hash(number)), number % 4));
        let (mut exact, mut all) = (0, 0);
        for (found, recorded) in uses {
            assert!(found >= recorded);
            exact += u32::from(found == recorded);
            all += 1;
        }
        assert!(exact * 10 >= all * 9, "{exact} of {all}");
    }

    #[test]
    fn counts_are_halved_after_16_uses_an_entry() {
        let mut sketch = Sketch::new(1);
        sketch.record(hash(1), 12);
        // One block has room for 8 entries.
        for _ in 0..(8 * 16 - 12) {
            sketch.record(hash(2), 1);
        }
        assert_eq!((sketch.uses(hash(1)), sketch.uses(hash(2))), (6, 7));
        for halvings in 1..40 {
            sketch.recorded = 8 * 16 - 1;
            sketch.record(hash(3), 1);
            let peeked = sketch.peek(hash(1));
            assert_eq!(sketch.uses(hash(1)), peeked);
            assert!(peeked <= 6 >> halvings.min(3));
        }
    }

    #[test]
    fn doubling_keeps_every_count() {
        let mut sketch = Sketch::new(3);
        for number in 0..24 {
            sketch.record(hash(number), number % 5);
        }
        let before: [_; 24] = core::array::from_fn(|number| sketch.uses(hash(number as u32)));
        sketch.double();
        let after: [_; 24] = core::array::from_fn(|number| sketch.uses(hash(number as u32)));
        assert_eq!((before, sketch.blocks()), (after, 6));
    }
}
