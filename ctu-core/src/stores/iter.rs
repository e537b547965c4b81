//! Iterators over the entries of a store.

use super::{
    expiry::Expiry,
    lru::Lru,
    slots::{Slot, Slots},
};
use core::{
    fmt,
    hash::{BuildHasher, Hash},
    iter::FusedIterator,
    marker::PhantomData,
};

/// The slots of a store, from the most to the least recently used.
pub(super) struct Order<'a, K, V, M: Slots<K, V>> {
    slots: &'a M,
    newest: M::Slot,
    oldest: M::Slot,
    left: usize,
    entries: PhantomData<&'a (K, V)>,
}

impl<'a, K, V, M: Slots<K, V>> Order<'a, K, V, M> {
    pub(super) fn new(slots: &'a M, newest: M::Slot, oldest: M::Slot) -> Self {
        Self {
            slots,
            newest,
            oldest,
            left: slots.taken(),
            entries: PhantomData,
        }
    }

    pub(super) fn entry(&self, slot: M::Slot) -> Option<(&'a K, &'a V)> {
        Some((self.slots.key(slot)?, self.slots.value(slot)?))
    }
}

impl<K, V, M: Slots<K, V>> Iterator for Order<'_, K, V, M> {
    type Item = M::Slot;

    fn next(&mut self) -> Option<M::Slot> {
        self.left = self.left.checked_sub(1)?;
        let slot = self.newest;
        self.newest = self
            .slots
            .link(slot)
            .map_or(M::Slot::NONE, |link| link.next);
        Some(slot)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V, M: Slots<K, V>> DoubleEndedIterator for Order<'_, K, V, M> {
    fn next_back(&mut self) -> Option<M::Slot> {
        self.left = self.left.checked_sub(1)?;
        let slot = self.oldest;
        self.oldest = self
            .slots
            .link(slot)
            .map_or(M::Slot::NONE, |link| link.prev);
        Some(slot)
    }
}

impl<K, V, M: Slots<K, V>> Clone for Order<'_, K, V, M> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

/// The entries of an [`LruCache`](crate::LruCache), from the most to the least recently used.
///
/// ```
/// use ctu_core::{LruCache, stores::Iter};
/// let mut cache = LruCache::<u32, u32, 8>::new();
/// cache.insert(1, 10);
/// let entries: Iter<'_, _, _, _> = cache.iter();
/// assert_eq!(entries.collect::<Vec<_>>(), [(&1, &10)]);
/// ```
pub struct Iter<'a, K, V, M: Slots<K, V>>(pub(super) Order<'a, K, V, M>);

impl<'a, K, V, M: Slots<K, V>> Iterator for Iter<'a, K, V, M> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let slot = self.0.next()?;
        self.0.entry(slot)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V, M: Slots<K, V>> DoubleEndedIterator for Iter<'_, K, V, M> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let slot = self.0.next_back()?;
        self.0.entry(slot)
    }
}

impl<K, V, M: Slots<K, V>> ExactSizeIterator for Iter<'_, K, V, M> {}
impl<K, V, M: Slots<K, V>> FusedIterator for Iter<'_, K, V, M> {}

impl<K, V, M: Slots<K, V>> Clone for Iter<'_, K, V, M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: fmt::Debug, V: fmt::Debug, M: Slots<K, V>> fmt::Debug for Iter<'_, K, V, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The live entries of a [`TtlCache`](crate::TtlCache), from the most to the least recently used.
///
/// ```
/// use core::time::Duration;
/// use ctu_core::{ManualClock, TtlCache};
///
/// let mut cache = TtlCache::<u32, &str, 8, _>::new(Duration::from_secs(1), ManualClock::new());
/// cache.extend([(1, "one"), (2, "two")]);
/// assert_eq!(cache.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [2, 1]);
/// ```
pub struct LiveIter<'a, K, V, M: Slots<K, V>> {
    order: Order<'a, K, V, M>,
    expiry: &'a Expiry<M::Deadlines>,
    now: u64,
}

impl<'a, K, V, M: Slots<K, V>> LiveIter<'a, K, V, M> {
    pub(super) fn new(
        order: Order<'a, K, V, M>,
        expiry: &'a Expiry<M::Deadlines>,
        now: u64,
    ) -> Self {
        Self { order, expiry, now }
    }
}

impl<'a, K, V, M: Slots<K, V>> Iterator for LiveIter<'a, K, V, M> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let slot = self.order.next()?;
            if self.expiry.left(slot, self.now).is_some() {
                return self.order.entry(slot);
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.order.size_hint().1)
    }
}

impl<K, V, M: Slots<K, V>> DoubleEndedIterator for LiveIter<'_, K, V, M> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            let slot = self.order.next_back()?;
            if self.expiry.left(slot, self.now).is_some() {
                return self.order.entry(slot);
            }
        }
    }
}

impl<K, V, M: Slots<K, V>> FusedIterator for LiveIter<'_, K, V, M> {}

impl<K, V, M: Slots<K, V>> Clone for LiveIter<'_, K, V, M> {
    fn clone(&self) -> Self {
        Self {
            order: self.order.clone(),
            ..*self
        }
    }
}

impl<K: fmt::Debug, V: fmt::Debug, M: Slots<K, V>> fmt::Debug for LiveIter<'_, K, V, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The entries of a store by value, from the most to the least recently used.
///
/// ```
/// use ctu_core::LruCache;
///
/// let cache: LruCache<u32, &str, 8> = [(1, "one"), (2, "two")].into_iter().collect();
/// assert_eq!(cache.into_iter().collect::<Vec<_>>(), [(2, "two"), (1, "one")]);
/// ```
pub struct IntoIter<K, V, M: Slots<K, V>, H>(pub(super) Lru<K, V, M, H>);

impl<K: Hash + Eq, V, M: Slots<K, V>, H: BuildHasher> Iterator for IntoIter<K, V, M, H> {
    type Item = (K, V);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.pop_mru()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<K: Hash + Eq, V, M: Slots<K, V>, H: BuildHasher> DoubleEndedIterator for IntoIter<K, V, M, H> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.pop_lru()
    }
}

impl<K: Hash + Eq, V, M: Slots<K, V>, H: BuildHasher> ExactSizeIterator for IntoIter<K, V, M, H> {}
impl<K: Hash + Eq, V, M: Slots<K, V>, H: BuildHasher> FusedIterator for IntoIter<K, V, M, H> {}

impl<K: fmt::Debug, V: fmt::Debug, M: Slots<K, V>, H> fmt::Debug for IntoIter<K, V, M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}
