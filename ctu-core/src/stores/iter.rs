use super::slots::{Slot, Slots};
use core::{fmt, iter::FusedIterator, marker::PhantomData};

/// The slots of a store, from the most to the least recently used.
pub(super) struct Order<'a, K, V, T: Slots<K, V>> {
    slots: &'a T,
    newest: T::Slot,
    oldest: T::Slot,
    left: usize,
    entries: PhantomData<&'a (K, V)>,
}

impl<'a, K, V, T: Slots<K, V>> Order<'a, K, V, T> {
    pub(super) fn new(slots: &'a T, newest: T::Slot, oldest: T::Slot) -> Self {
        Self {
            slots,
            newest,
            oldest,
            left: slots.taken(),
            entries: PhantomData,
        }
    }

    pub(super) fn entry(&self, slot: T::Slot) -> Option<(&'a K, &'a V)> {
        Some((self.slots.key(slot)?, self.slots.value(slot)?))
    }
}

impl<K, V, T: Slots<K, V>> Iterator for Order<'_, K, V, T> {
    type Item = T::Slot;

    fn next(&mut self) -> Option<T::Slot> {
        self.left = self.left.checked_sub(1)?;
        let slot = self.newest;
        self.newest = self
            .slots
            .link(slot)
            .map_or(T::Slot::NONE, |link| link.next);
        Some(slot)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V, T: Slots<K, V>> DoubleEndedIterator for Order<'_, K, V, T> {
    fn next_back(&mut self) -> Option<T::Slot> {
        self.left = self.left.checked_sub(1)?;
        let slot = self.oldest;
        self.oldest = self
            .slots
            .link(slot)
            .map_or(T::Slot::NONE, |link| link.prev);
        Some(slot)
    }
}

impl<K, V, T: Slots<K, V>> Clone for Order<'_, K, V, T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

/// The entries of an [`LruCache`](crate::LruCache), from the most to the least recently used.
pub struct Iter<'a, K, V, T: Slots<K, V>>(pub(super) Order<'a, K, V, T>);

impl<'a, K, V, T: Slots<K, V>> Iterator for Iter<'a, K, V, T> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let slot = self.0.next()?;
        self.0.entry(slot)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V, T: Slots<K, V>> DoubleEndedIterator for Iter<'_, K, V, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let slot = self.0.next_back()?;
        self.0.entry(slot)
    }
}

impl<K, V, T: Slots<K, V>> ExactSizeIterator for Iter<'_, K, V, T> {}
impl<K, V, T: Slots<K, V>> FusedIterator for Iter<'_, K, V, T> {}

impl<K, V, T: Slots<K, V>> Clone for Iter<'_, K, V, T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: fmt::Debug, V: fmt::Debug, T: Slots<K, V>> fmt::Debug for Iter<'_, K, V, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
