//! Where entries live: what the recency list and the deadlines are written over.

#[cfg(feature = "alloc")]
mod heap;
mod inline;

#[cfg(feature = "alloc")]
pub use heap::{Heap, RandomState};
pub use inline::Inline;

use core::fmt;

mod sealed {
    /// What only this crate implements.
    pub trait Sealed {}

    impl Sealed for u16 {}
    impl Sealed for u32 {}
    impl<K, V, const N: usize> Sealed for super::Inline<K, V, N> {}
    impl<const N: usize> Sealed for [super::Deadline<u16>; N] {}
    #[cfg(feature = "alloc")]
    impl<K, V> Sealed for super::Heap<K, V> {}
    #[cfg(feature = "alloc")]
    impl Sealed for alloc::vec::Vec<super::Deadline<u32>> {}
}

/// The number of a slot. The largest value stands for "none" and is never a slot.
pub trait Slot: sealed::Sealed + Copy + Eq + Ord + fmt::Debug {
    /// No slot. Out of range for every array of slots, so a look-up of it finds nothing.
    const NONE: Self;
    /// The slot of this number, or [`NONE`](Self::NONE) where the type cannot tell it.
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
slot!(u16, u32);

/// An entry's neighbours in the recency list: `prev` was used more recently, `next` less recently.
#[derive(Clone, Copy, Debug)]
pub struct Link<I> {
    pub(crate) prev: I,
    pub(crate) next: I,
}

/// An entry's place among the deadlines: two neighbours in a queue, or two children in a tree.
#[derive(Clone, Copy, Debug)]
pub struct Deadline<I> {
    pub(crate) left: I,
    pub(crate) right: I,
    /// The tick at which the entry expires, above one bit that says where it is filed.
    pub(crate) at: u32,
}

impl<I: Slot> Link<I> {
    pub(crate) const NONE: Self = Self {
        prev: I::NONE,
        next: I::NONE,
    };
}

impl<I: Slot> Deadline<I> {
    pub(crate) const NONE: Self = Self {
        left: I::NONE,
        right: I::NONE,
        at: 0,
    };
}

/// Deadlines by slot.
pub trait Deadlines<I>: sealed::Sealed {
    /// The deadline in a slot.
    fn deadline(&self, slot: I) -> Option<&Deadline<I>>;
    /// The deadline in a slot.
    fn deadline_mut(&mut self, slot: I) -> Option<&mut Deadline<I>>;
    /// Makes sure that there is room for the deadline of a slot.
    fn reserve(&mut self, slot: I);
}

/// Entries in dense slots, an index from keys to slots, and a link per slot.
///
/// The number of a slot is valid from the `push` that returned it until a `swap_remove`. Methods
/// given any other number do nothing. Hashes are the caller's: the same key, the same hash.
/// Implemented by [`Inline`](Inline) and `Heap`, and by nobody else.
pub trait Slots<K, V>: sealed::Sealed {
    /// The number of a slot.
    type Slot: Slot;
    /// A deadline per slot, for stores that need one.
    type Deadlines: Deadlines<Self::Slot>;

    /// The most entries there may be.
    fn capacity(&self) -> usize;
    /// How many slots are taken.
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
    /// Sets what was used more recently than the entry in a slot; says whether there is that slot.
    fn set_prev(&mut self, slot: Self::Slot, prev: Self::Slot) -> bool;
    /// Sets what was used less recently than the entry in a slot; says whether there is that slot.
    fn set_next(&mut self, slot: Self::Slot, next: Self::Slot) -> bool;

    /// The slot of the key that hashes to `hash` and that `is` knows.
    fn find(&self, hash: u64, is: impl Fn(&K) -> bool) -> Self::Slot;
    /// Appends an entry, with links of no meaning yet. Gives it back when all slots are taken.
    fn push(
        &mut self,
        hash: u64,
        key: K,
        value: V,
        rehash: impl Fn(&K) -> u64,
    ) -> Result<Self::Slot, (K, V)>;
    /// Puts another entry, under another key, in a slot. Links stay. Returns what was there.
    fn replace(
        &mut self,
        slot: Self::Slot,
        old_hash: u64,
        hash: u64,
        key: K,
        value: V,
        rehash: impl Fn(&K) -> u64,
    ) -> Option<(K, V)>;
    /// Removes the entry of a slot, and moves the last one, its link included, into it.
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
