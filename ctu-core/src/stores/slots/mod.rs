//! The storage of entries, below the recency list and the deadlines.

#[cfg(feature = "alloc")]
mod heap;
mod inline;

#[cfg(feature = "alloc")]
pub use heap::{Heap, RandomState};
pub use inline::Inline;
pub(super) use inline::InlineDeadlines;

use core::fmt;

mod sealed {
    /// Restricts the traits of this module to the types of this crate.
    pub trait Sealed {}

    impl Sealed for u8 {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
    impl<K, V, const N: usize> Sealed for super::Inline<K, V, N> {}
    impl<const N: usize> Sealed for super::InlineDeadlines<N> {}
    #[cfg(feature = "alloc")]
    impl<K, V> Sealed for super::Heap<K, V> {}
    #[cfg(feature = "alloc")]
    impl Sealed for alloc::vec::Vec<super::heap::HeapDeadline> {}
}

/// The number of a slot. The largest value means "none" and is never a slot.
pub trait Slot: sealed::Sealed + Copy + Eq + Ord + fmt::Debug {
    /// No slot. It is out of range for every array of slots, so a lookup finds nothing.
    const NONE: Self;
    /// The slot of this number, or [`NONE`](Self::NONE) if the type cannot hold it.
    fn new(index: usize) -> Self;
    /// Its number.
    fn index(self) -> usize;
}

macro_rules! slot {
    ($($t:ty),*) => {$(
        impl Slot for $t {
            const NONE: Self = <$t>::MAX;
            #[inline]
            fn new(index: usize) -> Self {
                Self::try_from(index).unwrap_or(Self::NONE)
            }
            #[inline]
            fn index(self) -> usize {
                self as usize
            }
        }
    )*};
}
slot!(u8, u16, u32);

/// An entry's neighbours in the recency list: `prev` was used more recently, `next` less recently.
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
    /// The link of a slot.
    fn link(&self, slot: Self::Slot) -> Option<Link<Self::Slot>>;
    /// Sets the link of a slot.
    fn set_link(&mut self, slot: Self::Slot, link: Link<Self::Slot>);
    /// Sets the more recently used neighbour of a slot. Returns whether the slot exists.
    fn set_prev(&mut self, slot: Self::Slot, prev: Self::Slot) -> bool;
    /// Sets the less recently used neighbour of a slot. Returns whether the slot exists.
    fn set_next(&mut self, slot: Self::Slot, next: Self::Slot) -> bool;

    /// The slot of the key with this `hash` for which `is` returns true.
    fn find(&self, hash: u64, is: impl Fn(&K) -> bool) -> Self::Slot;
    /// [`find`](Self::find) before an insertion. If the key is missing and the index has no room
    /// for another key with this hash, the error is the slot of an entry that a new one replaces;
    /// otherwise, it is no slot.
    fn find_for_insert(&self, hash: u64, is: impl Fn(&K) -> bool)
    -> Result<Self::Slot, Self::Slot>;
    /// Appends an entry with unset links. Returns no slot if all slots are occupied.
    fn push(&mut self, hash: u64, key: K, value: V, rehash: impl Fn(&K) -> u64) -> Self::Slot;
    /// Replaces the entry of a slot. Its links stay. Returns the old entry.
    fn replace(
        &mut self,
        slot: Self::Slot,
        old_hash: u64,
        hash: u64,
        key: K,
        value: V,
        rehash: impl Fn(&K) -> u64,
    ) -> Option<(K, V)>;
    /// Removes the entry of a slot, and moves the last entry and its link into the slot.
    fn swap_remove(&mut self, slot: Self::Slot, hash: u64, last_hash: u64) -> Option<(K, V)>;
    /// Removes every entry.
    fn clear(&mut self);
}

/// Checks the index of a store against its entries; for tests and fuzzing.
#[cfg(any(test, feature = "validate"))]
pub(crate) fn validate_index<K: Eq, V, T: Slots<K, V>>(
    slots: &T,
    hash: impl Fn(&K) -> u64,
) -> Result<(), &'static str> {
    for i in 0..slots.taken() {
        let slot = T::Slot::new(i);
        let Some(key) = slots.key(slot) else {
            return Err("a slot below the length is empty");
        };
        if slots.find(hash(key), |found| found == key) != slot {
            return Err("an entry is not found at its slot");
        }
    }
    if slots.key(T::Slot::new(slots.taken())).is_some() {
        return Err("a slot beyond the length is taken");
    }
    Ok(())
}
