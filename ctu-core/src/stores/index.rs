//! The index from hashes to slots of a store without a heap.

use super::slots::Slot;
use core::{fmt, hint::select_unpredictable, marker::PhantomData};

/// A hash table of slots, in two cells an entry.
///
/// Chained hashing with one bucket an entry. `N` need not be a power of two, and there is no
/// rehash: the cost of an operation does not depend on earlier ones. Chains end in no slot. Cell
/// `i` below `N` is the successor of slot `i`; the other cells are the heads of the buckets.
///
/// A chain has at most [`MAX_CHAIN`] slots, for any keys: an insertion into a longer one replaces
/// an entry of the chain. Where keys spread evenly over a full table, one insertion in a billion
/// meets such a chain.
///
/// The last cells hold the marks `M`, a few bits an entry; there are as many buckets less.
#[derive(Clone)]
pub(super) struct Index<I, const N: usize, M = Unmarked>([[I; 2]; N], PhantomData<M>);

/// The marks of slots: numbers of a few bits in the index.
pub trait Marks {
    /// The number of bits of a slot: a divisor of eight, or 0 for no marks.
    const BITS: usize;
    /// The largest mark.
    const MOST: u8 = ((1 << Self::BITS) - 1) as u8;
}

/// No marks.
#[derive(Clone)]
pub struct Unmarked;

impl Marks for Unmarked {
    const BITS: usize = 0;
}

/// A mark of some bits a slot.
#[derive(Clone)]
pub struct Marked<const BITS: usize>;

impl<const BITS: usize> Marks for Marked<BITS> {
    const BITS: usize = BITS;
}

/// The maximum number of slots of a bucket.
pub(crate) const MAX_CHAIN: u32 = 12;

impl<I: Slot, const N: usize, M: Marks> Index<I, N, M> {
    pub(super) const EMPTY: Self = Self([[I::NONE; 2]; N], PhantomData);

    /// The number of buckets. A store of one entry has a bucket and no mark.
    const BUCKETS: usize = if N > 1 {
        N - (N * M::BITS).div_ceil(I::BITS)
    } else {
        1
    };

    /// The mark of a slot.
    #[inline]
    pub(super) fn mark(&self, slot: I) -> u8 {
        let bit = slot.index().wrapping_mul(M::BITS);
        self.cell(Self::mark_cell(bit)).bits(bit, M::BITS)
    }

    /// Sets the mark of a slot.
    #[inline]
    pub(super) fn set_mark(&mut self, slot: I, to: u8) {
        if M::BITS > 0 {
            let bit = slot.index().wrapping_mul(M::BITS);
            let cell = self.cell(Self::mark_cell(bit));
            self.set(Self::mark_cell(bit), cell.with_bits(bit, M::BITS, to));
        }
    }

    #[inline]
    const fn mark_cell(bit: usize) -> usize {
        (bit / I::BITS).wrapping_add(N + Self::BUCKETS)
    }

    #[inline]
    fn cell(&self, at: usize) -> I {
        self.0.as_flattened().get(at).copied().unwrap_or(I::NONE)
    }

    #[inline]
    fn set(&mut self, at: usize, slot: I) {
        if let Some(cell) = self.0.as_flattened_mut().get_mut(at) {
            *cell = slot;
        }
    }

    /// The cell with the head of a hash's chain.
    ///
    /// Fibonacci hashing spreads hashes that differ in few bits; the high half of a product maps
    /// them to any N without a division.
    #[inline]
    fn bucket(hash: u64) -> usize {
        let folded = (hash ^ (hash >> 32)) as u32;
        let spread = folded.wrapping_mul(0x9E37_79B9);
        N.wrapping_add(((u64::from(spread) * Self::BUCKETS as u64) >> 32) as usize)
    }

    /// The slot with this hash and a key that `is` accepts; `keys` are those of all slots.
    #[inline]
    pub(super) fn find<K>(&self, hash: u64, keys: &[K], is: impl Fn(&K) -> bool) -> I {
        match self.search(hash, keys, is) {
            Ok(slot) => slot,
            Err(_) => I::NONE,
        }
    }

    /// [`find`](Self::find) before an insertion: if there is no such slot, the error is the slot to
    /// be replaced in a full bucket, or no slot.
    #[inline]
    pub(super) fn find_for_insert<K>(
        &self,
        hash: u64,
        keys: &[K],
        is: impl Fn(&K) -> bool,
    ) -> Result<I, I> {
        self.search(hash, keys, is).map_err(
            |(seen, last)| {
                if seen < MAX_CHAIN { I::NONE } else { last }
            },
        )
    }

    /// Returns the slot, or else the number of slots in the bucket and its last one.
    ///
    /// The depth of an entry in its chain is unpredictable, and on a processor with branch
    /// prediction a misprediction costs more than the comparison of one more key. There, with small
    /// keys, the first two entries are compared together: 9 of 10 keys of a full store are among
    /// them.
    #[inline]
    fn search<K>(&self, hash: u64, keys: &[K], is: impl Fn(&K) -> bool) -> Result<I, (u32, I)> {
        let mut slot = self.cell(Self::bucket(hash));
        let (mut seen, mut last_seen) = (0_u32, I::NONE);
        if BRANCHES_ARE_PREDICTED && size_of::<K>() <= 16 {
            let Some(last) = keys.len().min(N).checked_sub(1) else {
                return Err((0, I::NONE));
            };
            // Beyond the end of a chain any slot will do: a match there is a match.
            let first = slot.index().min(last);
            let next = self.cell(first);
            let second = next.index().min(last);
            let in_first = keys.get(first).is_some_and(&is);
            let found = select_unpredictable(in_first, first, second);
            if keys.get(found).is_some_and(&is) {
                return Ok(I::new(found));
            }
            let ended = (slot == I::NONE) | (next == I::NONE);
            slot = select_unpredictable(ended, I::NONE, self.cell(second));
            seen = 2;
        }
        while let Some(key) = keys.get(slot.index()) {
            if is(key) {
                return Ok(slot);
            }
            last_seen = slot;
            seen = seen.wrapping_add(1);
            slot = self.cell(slot.index());
        }
        Err((seen, last_seen))
    }

    /// Adds a slot that is not in the table.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, slot: I) {
        let bucket = Self::bucket(hash);
        self.set(slot.index(), self.cell(bucket));
        self.set(bucket, slot);
    }

    /// The cell that points to a slot with this hash.
    #[inline]
    fn leading_to(&self, hash: u64, slot: I) -> usize {
        let mut at = Self::bucket(hash);
        if BRANCHES_ARE_PREDICTED {
            // As in `search`: two steps without a branch.
            for _ in 0..2 {
                let next = self.cell(at);
                at = select_unpredictable(next == slot, at, next.index());
            }
        }
        loop {
            let next = self.cell(at);
            if next == slot || next == I::NONE {
                return at;
            }
            at = next.index();
        }
    }

    /// Removes a slot from the table.
    #[inline]
    pub(super) fn remove(&mut self, hash: u64, slot: I) {
        let next = self.cell(slot.index());
        self.set(self.leading_to(hash, slot), next);
    }

    /// Changes the number of a slot in the table, and moves its mark.
    #[inline]
    pub(super) fn renumber(&mut self, hash: u64, slot: I, to: I) {
        self.set_mark(to, self.mark(slot));
        let next = self.cell(slot.index());
        self.set(self.leading_to(hash, slot), to);
        self.set(to.index(), next);
    }
}

/// Whether the processor predicts branches: not a microcontroller.
const BRANCHES_ARE_PREDICTED: bool = cfg!(target_pointer_width = "64");

impl<I: fmt::Debug, const N: usize, M> fmt::Debug for Index<I, N, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}
