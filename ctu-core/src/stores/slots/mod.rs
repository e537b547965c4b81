//! The storage of entries, below the recency list and the deadlines.

#[cfg(feature = "alloc")]
mod heap;
mod inline;
mod table;

#[cfg(feature = "alloc")]
pub use heap::{Heap, RandomState};
pub use inline::Inline;
pub(super) use inline::InlineDeadlines;
pub(super) use table::Table;

use core::fmt;

mod sealed {
    /// Restricts the traits of this module to the types of this crate.
    pub trait Sealed {}

    impl Sealed for u8 {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
    impl<K, V, const N: usize, I> Sealed for super::Inline<K, V, N, I> {}
    impl<const N: usize, I> Sealed for super::InlineDeadlines<N, I> {}
    #[cfg(feature = "alloc")]
    impl<K, V> Sealed for super::Heap<K, V> {}
    #[cfg(feature = "alloc")]
    impl Sealed for alloc::vec::Vec<super::heap::HeapDeadline> {}
}

/// The number of a slot, or none.
///
/// The types of in-place stores hold the number plus 1, and 0 for none: an empty store is all
/// zeros, and a `static` of it takes no flash.
///
/// ```
/// use ctu_core::stores::Slot;
/// assert_eq!((<u8 as Slot>::MOST, <u16 as Slot>::MOST), (255, 65_535));
/// assert_eq!(<u8 as Slot>::new(3).index(), 3);
/// ```
pub trait Slot: sealed::Sealed + Copy + Eq + Ord + fmt::Debug {
    /// No slot. Its index is out of range for every array of slots, so a lookup finds nothing.
    const NONE: Self;
    /// The maximum number of slots.
    const MOST: usize;
    /// The width of the type.
    const BITS: usize;
    /// The slot of this number, or [`NONE`](Self::NONE) if the type cannot hold it.
    fn new(index: usize) -> Self;
    /// Its number.
    fn index(self) -> usize;
    /// The number in `width` bits from `bit` on, for cells that hold numbers of few bits in place of
    /// a slot.
    fn bits(self, bit: usize, width: usize) -> u8;
    /// The cell with the number in these bits set.
    fn with_bits(self, bit: usize, width: usize, to: u8) -> Self;
}

/// Bits of a type of slots.
macro_rules! bits {
    () => {
        const BITS: usize = Self::BITS as usize;
        #[inline]
        fn bits(self, bit: usize, width: usize) -> u8 {
            let mask = (1 << width) - 1;
            (self >> (bit % <Self as Slot>::BITS) & mask) as u8
        }
        #[inline]
        fn with_bits(self, bit: usize, width: usize, to: u8) -> Self {
            let shift = bit % <Self as Slot>::BITS;
            let mask = ((1 << width) - 1) << shift;
            self & !mask | Self::from(to) << shift & mask
        }
    };
}

macro_rules! inline_slot {
    ($($t:ty),*) => {$(
        impl Slot for $t {
            const NONE: Self = 0;
            const MOST: usize = Self::MAX as usize;
            #[inline]
            fn new(index: usize) -> Self {
                Self::try_from(index.wrapping_add(1)).unwrap_or(Self::NONE)
            }
            #[inline]
            fn index(self) -> usize {
                usize::from(self).wrapping_sub(1)
            }
            bits!();
        }
    )*};
}
inline_slot!(u8, u16);

impl Slot for u32 {
    const NONE: Self = Self::MAX;
    const MOST: usize = Self::MAX as usize;
    #[inline]
    fn new(index: usize) -> Self {
        Self::try_from(index).unwrap_or(Self::NONE)
    }
    #[inline]
    fn index(self) -> usize {
        self as usize
    }
    bits!();
}

/// An entry's neighbours in the recency list: `prev` was used more recently, `next` less recently.
/// The list is a circle.
#[derive(Clone, Copy, Debug)]
pub struct Link<I> {
    pub(crate) prev: I,
    pub(crate) next: I,
}

impl<I: Slot> Link<I> {
    pub(crate) const NONE: Self = Self {
        prev: I::NONE,
        next: I::NONE,
    };
}

/// A tick and a place by slot, and a slot by place. Both are below the number of entries.
pub trait Deadlines<I>: sealed::Sealed {
    /// The tick of a slot.
    fn at(&self, slot: I) -> Option<u32>;
    /// Sets the tick of a slot.
    fn set_at(&mut self, slot: I, at: u32);
    /// The place of a slot.
    fn place(&self, slot: I) -> usize;
    /// The slot at a place.
    fn slot(&self, place: usize) -> I;
    /// Puts a slot at a place.
    fn put(&mut self, place: usize, slot: I);
    /// Reserves memory for a slot and its place.
    fn reserve(&mut self, slot: I);
}

/// Entries in dense slots, an index from keys to slots, and a link per slot.
///
/// The number of a slot is valid from the `push` that returned it until a `swap_remove`. A method
/// called with any other number does nothing. The caller computes hashes: equal keys, equal hashes.
/// Only [`Inline`](Inline) and `Heap` implement it.
///
/// ```
/// use ctu_core::{LruCache, stores::{Lru, Slots}};
/// /// The share of the capacity that is in use.
/// fn fill<K, V, M: Slots<K, V>, H>(store: &Lru<K, V, M, H>) -> f64 {
///     store.len() as f64 / store.capacity() as f64
/// }
/// let mut cache = LruCache::<u32, u32, 4>::new();
/// cache.insert(1, 10);
/// assert_eq!(fill(&cache), 0.25);
/// ```
pub trait Slots<K, V>: sealed::Sealed {
    /// The number of a slot.
    type Slot: Slot;
    /// A deadline per slot, for stores that need one.
    type Deadlines: Deadlines<Self::Slot>;

    /// The maximum number of entries.
    fn capacity(&self) -> usize;
    /// The number of occupied slots.
    fn taken(&self) -> usize;
    /// The key in a slot.
    fn key(&self, slot: Self::Slot) -> Option<&K>;
    /// The value in a slot.
    fn value(&self, slot: Self::Slot) -> Option<&V>;
    /// The value in a slot.
    fn value_mut(&mut self, slot: Self::Slot) -> Option<&mut V>;
    /// The key and the value in a slot.
    fn entry_mut(&mut self, slot: Self::Slot) -> Option<(&K, &mut V)>;
    /// The entries in the order of their slots.
    fn iter_mut<'a>(&'a mut self) -> impl Iterator<Item = (&'a K, &'a mut V)>
    where
        K: 'a,
        V: 'a;
    /// The link of a slot.
    fn link(&self, slot: Self::Slot) -> Option<Link<Self::Slot>>;
    /// The link of a slot.
    fn link_mut(&mut self, slot: Self::Slot) -> Option<&mut Link<Self::Slot>>;

    /// The slot of the key with this `hash` for which `is` returns true.
    fn find(&self, hash: u64, is: impl Fn(&K) -> bool) -> Self::Slot;
    /// [`find`](Self::find) before an insertion. If the key is missing and the index has no room
    /// for another key with this hash, the error is the slot of an entry that a new one replaces;
    /// otherwise, it is no slot.
    fn find_for_insert(&self, hash: u64, is: impl Fn(&K) -> bool)
    -> Result<Self::Slot, Self::Slot>;
    /// Appends an entry with unset links. Returns no slot if all slots are occupied.
    fn push(&mut self, hash: u64, key: K, value: V, rehash: impl Fn(&K) -> u64) -> Self::Slot;
    /// Replaces the key of a slot. Its value and its links stay. Returns the old key.
    fn replace_key(
        &mut self,
        slot: Self::Slot,
        old_hash: u64,
        hash: u64,
        key: K,
        rehash: impl Fn(&K) -> u64,
    ) -> Option<K>;
    /// Removes the entry of a slot, and moves the last entry and its link into the slot.
    fn swap_remove(&mut self, slot: Self::Slot, hash: u64, last_hash: u64) -> Option<(K, V)>;
    /// Removes every entry.
    fn clear(&mut self);
}

/// Checks the index of a store against its entries; for tests and fuzzing.
#[cfg(any(test, feature = "validate"))]
pub(crate) fn validate_index<K: Eq, V, M: Slots<K, V>>(
    slots: &M,
    hash: impl Fn(&K) -> u64,
) -> Result<(), &'static str> {
    for i in 0..slots.taken() {
        let slot = M::Slot::new(i);
        let Some(key) = slots.key(slot) else {
            return Err("a slot below the length is empty");
        };
        if slots.find(hash(key), |found| found == key) != slot {
            return Err("an entry is not found at its slot");
        }
    }
    if slots.key(M::Slot::new(slots.taken())).is_some() {
        return Err("a slot beyond the length is taken");
    }
    Ok(())
}
