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
    /// The highest counter of the last word holds the age of the block.
    blocks: Vec<Block>,
    /// The number of halvings, of which a block keeps the lowest 4 bits.
    age: u64,
    /// Uses that were recorded since the last halving.
    recorded: usize,
}

/// Counters in one line of the processor's cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Block([u64; WORDS]);

const WORDS: usize = 8;
/// Counters of a hash. The counts of more keys than entries share the block: with a fourth counter
/// they collide more often, and cost more time.
const ROWS: usize = 3;
/// Counters of a word.
const NIBBLES: usize = 16;
/// Counters of a row in each word. The highest counter of a word is in no row.
const COLUMNS: usize = (NIBBLES - 1) / ROWS;
/// Counters an entry.
const COUNTERS: usize = 16;
/// Entries a block: it has 128 counters.
pub(super) const ENTRIES_A_BLOCK: usize = WORDS * NIBBLES / COUNTERS;
/// Counts are halved after as many uses as this for each entry.
const USES_AN_ENTRY: usize = 10;
const AGE: u32 = 60;
const MOST: u64 = 15;

/// A counter: its word, and its lowest bit.
type Place = (usize, u32);

impl Block {
    /// Brings the block up to an age.
    #[inline]
    fn set_age(&mut self, age: u64) {
        let age = age & MOST;
        let halvings = age.wrapping_sub(self.0[WORDS - 1] >> AGE) & MOST;
        if halvings > 0 {
            self.halve(halvings, age);
        }
    }

    #[cold]
    fn halve(&mut self, halvings: u64, age: u64) {
        // The bits of a counter that remain after a shift of all counters.
        let kept = MOST >> halvings.min(4);
        let mask = 0x1111_1111_1111_1111 * kept;
        for word in &mut self.0 {
            *word = word.checked_shr(halvings.min(4) as u32).unwrap_or(0) & mask;
        }
        self.0[WORDS - 1] = self.0[WORDS - 1] & !(MOST << AGE) | age << AGE;
    }

    /// The counters of a hash, one in each row.
    #[inline]
    fn places(hash: u32) -> [Place; ROWS] {
        let bits = (u64::from(hash) | 1 << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = bits ^ bits >> 29;
        core::array::from_fn(|row| {
            // 3 bits choose the word, and 5 the column.
            let byte = (bits >> (64 - 8 * (row + 1)) & 0xff) as usize;
            let column = COLUMNS * row + (((byte >> 3) * COLUMNS) >> 5);
            (byte & (WORDS - 1), 4 * column as u32)
        })
    }

    #[inline]
    fn counts(&self, places: &[Place; ROWS]) -> [u64; ROWS] {
        places.map(|(word, bit)| self.0[word & (WORDS - 1)] >> bit & MOST)
    }

    #[inline]
    fn least(&self, places: &[Place; ROWS]) -> u64 {
        let counts = self.counts(places);
        counts[1..]
            .iter()
            .fold(counts[0], |least, count| least.min(*count))
    }
}

impl Sketch {
    /// A sketch of `blocks` blocks, 1 at least.
    pub(super) fn new(blocks: usize) -> Self {
        Self {
            blocks: vec![Block([0; WORDS]); blocks.max(1)],
            age: 0,
            recorded: 0,
        }
    }

    pub(super) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The number of halvings, wrapping.
    #[inline]
    pub(super) const fn age(&self) -> u32 {
        self.age as u32
    }

    /// Doubles the number of blocks. Each hash keeps its count.
    pub(super) fn double(&mut self) {
        let twice = self
            .blocks
            .iter()
            .flat_map(|block| [block.clone(), block.clone()]);
        self.blocks = twice.collect();
    }

    pub(super) fn clear(&mut self) {
        self.blocks.fill(Block([0; WORDS]));
    }

    /// The number of the block of a hash.
    #[inline]
    fn index(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.blocks.len() as u64) >> 32) as usize
    }

    /// How often `hash` was used.
    #[inline]
    pub(super) fn uses(&mut self, hash: u32) -> u32 {
        let (index, age) = (self.index(hash), self.age);
        let Some(block) = self.blocks.get_mut(index) else {
            return 0;
        };
        block.set_age(age);
        block.least(&Block::places(hash)) as u32
    }

    /// [`uses`](Self::uses) without a change to the block. Slower where the block is to be aged.
    pub(super) fn peek(&self, hash: u32) -> u32 {
        let block = self.blocks.get(self.index(hash)).cloned();
        let uses = block.map(|mut block| {
            block.set_age(self.age);
            block.least(&Block::places(hash))
        });
        uses.unwrap_or(0) as u32
    }

    /// Adds `uses` to the count of `hash`, and returns the new count.
    #[inline]
    pub(super) fn record(&mut self, hash: u32, uses: u32) -> u32 {
        let (index, age) = (self.index(hash), self.age);
        let Some(block) = self.blocks.get_mut(index) else {
            return 0;
        };
        block.set_age(age);
        let places = Block::places(hash);
        let counts = block.counts(&places);
        let least = counts[1..]
            .iter()
            .fold(counts[0], |least, count| least.min(*count));
        // No counter above the new count is raised: it has that much from other hashes.
        let count = (least + u64::from(uses)).min(MOST);
        for ((word, bit), old) in places.into_iter().zip(counts) {
            block.0[word & (WORDS - 1)] += count.saturating_sub(old) << bit;
        }
        self.recorded += uses as usize;
        if self.recorded >= self.blocks.len() * (ENTRIES_A_BLOCK * USES_AN_ENTRY) {
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
    fn counts_are_halved_after_10_uses_an_entry() {
        let mut sketch = Sketch::new(1);
        sketch.record(hash(1), 12);
        // One block has room for 8 entries.
        for _ in 0..(8 * 10 - 12) {
            sketch.record(hash(2), 1);
        }
        assert_eq!((sketch.uses(hash(1)), sketch.uses(hash(2))), (6, 7));
        for halvings in 1..40 {
            sketch.recorded = 8 * 10 - 1;
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
