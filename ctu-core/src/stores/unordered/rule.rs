//! The part of a store that chooses the entry to evict.

use crate::stores::{
    index::{Index, Marks},
    slots::Slot,
};

/// Which entry a full store replaces.
///
/// ```
/// use ctu_core::stores::{Rule, Slot, Unordered};
/// fn count<K, V, const N: usize, I: Slot, R: Rule, H>(store: &Unordered<K, V, N, I, R, H>) -> usize {
///     store.len()
/// }
/// let cache = ctu_core::ClockCache::<u32, u32, 8>::new();
/// assert_eq!(count(&cache), 0);
/// ```
#[allow(private_bounds)]
pub trait Rule: Evict {
    /// The marks of the slots.
    #[doc(hidden)]
    type Marks: Marks + Clone;
}

/// A rule with an entry to evict for every new key.
///
/// ```
/// use ctu_core::{S3FifoCache, stores::{Evicting, Slot, Unordered}};
/// fn fill<const N: usize, I: Slot, R: Evicting>(store: &mut Unordered<u32, u32, N, I, R>) {
///     store.extend((0..N as u32).map(|key| (key, key)));
/// }
/// let mut cache = S3FifoCache::<u32, u32, 8>::new();
/// fill(&mut cache);
/// assert!(cache.is_full());
/// ```
pub trait Evicting: Rule {}

/// The decisions of a rule. Entries are in the slots below the number of entries; when an entry
/// leaves, that of the last slot moves into its slot, and so takes its place in the order.
pub(super) trait Evict: Sized {
    /// A rule at its start.
    const START: Self;
    /// Whether the buckets of the index are bounded, by an eviction.
    const EVICTS: bool;

    /// Takes note of a new key by its hash, before it is stored. Returns whether the store evicted
    /// it a short time ago.
    fn recall(&mut self, _: u64) -> bool {
        false
    }

    /// The slot that a new entry replaces in a full store, which has `len` entries.
    fn victim(&mut self, _: usize, _: &mut impl Uses) -> Option<usize> {
        None
    }

    /// Orders the new entry of a slot. `evicted` is the hash of the key that it replaces;
    /// `recalled` is the answer of [`recall`](Self::recall).
    fn place(&mut self, _: usize, _: Option<u64>, _: bool) {}

    /// Checks the order of a store with `len` entries.
    #[cfg(any(test, feature = "validate"))]
    fn validate(&self, _: usize) -> Result<(), &'static str> {
        Ok(())
    }
}

/// The number of uses of each entry since the rule looked at it, as far as its mark can count.
pub(super) trait Uses {
    fn uses(&self, slot: usize) -> u8;
    fn set_uses(&mut self, slot: usize, to: u8);
}

impl<I: Slot, const N: usize, M: Marks> Uses for Index<I, N, M> {
    #[inline]
    fn uses(&self, slot: usize) -> u8 {
        self.mark(I::new(slot))
    }

    #[inline]
    fn set_uses(&mut self, slot: usize, to: u8) {
        self.set_mark(I::new(slot), to);
    }
}
