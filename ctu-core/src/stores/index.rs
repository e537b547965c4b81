//! The index from hashes to slots of a store without a heap.

use core::{fmt, hint::select_unpredictable};

/// A hash table of slot numbers, in 4 bytes an entry.
///
/// Chained hashing with one bucket an entry. `N` need not be a power of two, and there is no
/// rehash: the cost of an operation does not depend on earlier ones. Chains end in [`NONE`]. Cell
/// `i` below `N` is the successor of slot `i`; the other cells are the heads of the buckets.
///
/// A chain has at most [`MAX_CHAIN`] slots, for any keys: an insertion into a longer one replaces
/// an entry of the chain. Where keys spread evenly over a full table, one insertion in a billion
/// meets such a chain.
#[derive(Clone)]
pub(super) struct Index<const N: usize>([[u16; 2]; N]);

pub(super) const NONE: u16 = u16::MAX;

/// The maximum number of slots of a bucket.
pub(crate) const MAX_CHAIN: u32 = 12;

impl<const N: usize> Index<N> {
    pub(super) const EMPTY: Self = Self([[NONE; 2]; N]);

    #[inline]
    fn cell(&self, at: usize) -> u16 {
        self.0.as_flattened().get(at).copied().unwrap_or(NONE)
    }

    #[inline]
    fn set(&mut self, at: usize, slot: u16) {
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
        N.wrapping_add(((u64::from(spread) * N as u64) >> 32) as usize)
    }

    /// The slot with this hash and a key that `is` accepts; `keys` are those of all slots.
    #[inline]
    pub(super) fn find<K>(&self, hash: u64, keys: &[K], is: impl Fn(&K) -> bool) -> u16 {
        self.search(hash, keys, is).0
    }

    /// [`find`](Self::find) before an insertion: if there is no such slot, the error is the slot to
    /// be replaced in a full bucket, or [`NONE`].
    #[inline]
    pub(super) fn find_for_insert<K>(
        &self,
        hash: u64,
        keys: &[K],
        is: impl Fn(&K) -> bool,
    ) -> Result<u16, u16> {
        match self.search(hash, keys, is) {
            (NONE, MAX_CHAIN, last) => Err(last),
            (NONE, ..) => Err(NONE),
            (slot, ..) => Ok(slot),
        }
    }

    /// Returns the slot, or else the number of slots in the bucket and its last one.
    ///
    /// The depth of an entry in its chain is unpredictable, and on a processor with branch
    /// prediction a misprediction costs more than the comparison of one more key. There, with small
    /// keys, the first two entries are compared together: 9 of 10 keys of a full store are among
    /// them.
    #[inline]
    fn search<K>(&self, hash: u64, keys: &[K], is: impl Fn(&K) -> bool) -> (u16, u32, u16) {
        let mut slot = self.cell(Self::bucket(hash));
        let (mut seen, mut last_seen) = (0_u32, NONE);
        if cfg!(target_pointer_width = "64") && size_of::<K>() <= 16 {
            let Some(last) = keys.len().min(N).checked_sub(1) else {
                return (NONE, 0, NONE);
            };
            // Beyond the end of a chain any slot will do: a match there is a match.
            let first = usize::from(slot).min(last);
            let next = self.cell(first);
            let second = usize::from(next).min(last);
            let in_first = keys.get(first).is_some_and(&is);
            let found = select_unpredictable(in_first, first, second);
            if keys.get(found).is_some_and(&is) {
                return (found as u16, 0, NONE);
            }
            // 1 if either is `NONE`. It is arithmetic, since the compiler makes plainer code a
            // branch.
            let ended = (u32::from(slot).wrapping_add(1) | u32::from(next).wrapping_add(1)) >> 16;
            slot = self.cell(second) | (ended as u16).wrapping_neg();
            seen = 2;
        }
        while let Some(key) = keys.get(usize::from(slot)) {
            if is(key) {
                return (slot, 0, NONE);
            }
            last_seen = slot;
            seen = seen.wrapping_add(1);
            slot = self.cell(usize::from(slot));
        }
        (NONE, seen, last_seen)
    }

    /// Adds a slot that is not in the table.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, slot: u16) {
        let bucket = Self::bucket(hash);
        self.set(usize::from(slot), self.cell(bucket));
        self.set(bucket, slot);
    }

    /// The cell that points to a slot with this hash.
    #[inline]
    fn leading_to(&self, hash: u64, slot: u16) -> usize {
        let mut at = Self::bucket(hash);
        // As in `find`: two steps without a branch.
        for _ in 0..2 {
            let next = self.cell(at);
            at = select_unpredictable(next == slot, at, usize::from(next));
        }
        loop {
            let next = self.cell(at);
            if next == slot || next == NONE {
                return at;
            }
            at = usize::from(next);
        }
    }

    /// Removes a slot from the table.
    #[inline]
    pub(super) fn remove(&mut self, hash: u64, slot: u16) {
        let next = self.cell(usize::from(slot));
        self.set(self.leading_to(hash, slot), next);
    }

    /// Changes the number of a slot in the table.
    #[inline]
    pub(super) fn renumber(&mut self, hash: u64, slot: u16, to: u16) {
        let next = self.cell(usize::from(slot));
        self.set(self.leading_to(hash, slot), to);
        self.set(usize::from(to), next);
    }
}

impl<const N: usize> fmt::Debug for Index<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}
