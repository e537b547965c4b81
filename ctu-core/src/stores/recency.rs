//! Operations on the recency order, and its ends.

#[cfg(feature = "alloc")]
use super::slots::Heap;
use super::{
    lru::Lru,
    slots::{Slot, Slots},
    ttl::Ttl,
};
use crate::clock::Clock;
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
};

impl<K, V, M: Slots<K, V>, H> Lru<K, V, M, H> {
    /// Returns the least recently used entry without a change to the recency order.
    pub fn peek_lru(&self) -> Option<(&K, &V)> {
        let tail = self.tail();
        Some((self.slots.key(tail)?, self.slots.value(tail)?))
    }
}

impl<K: Hash + Eq, V, M: Slots<K, V>, H: BuildHasher> Lru<K, V, M, H> {
    /// Marks the entry at `key` as most recently used. Returns whether there is one.
    pub fn promote<Q>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let slot = self.find(key);
        self.touch(slot);
        slot != M::Slot::NONE
    }

    /// Marks the entry at `key` as least recently used, the next to be evicted. Returns whether
    /// there is one.
    ///
    /// ```
    /// use ctu_core::LruCache;
    ///
    /// let mut cache: LruCache<u32, &str, 2> = [(1, "one"), (2, "two")].into_iter().collect();
    /// assert!(cache.demote(&2));
    /// assert_eq!(cache.insert(3, "three"), Some((2, "two")));
    /// ```
    pub fn demote<Q>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let slot = self.find(key);
        self.touch(slot);
        // The first of a circle is after its last.
        match self.slots.link(slot) {
            Some(link) => self.head = link.next,
            None => return false,
        }
        true
    }

    /// Removes the most recently used entry and returns it.
    pub fn pop_mru(&mut self) -> Option<(K, V)> {
        self.remove_slot(self.head)
    }

    /// Removes the least recently used entry and returns it.
    pub fn pop_lru(&mut self) -> Option<(K, V)> {
        self.remove_slot(self.tail())
    }
}

impl<K: Hash + Eq, V, M: Slots<K, V>, T: Clock, H: BuildHasher> Ttl<K, V, M, T, H> {
    /// Marks the live entry at `key` as most recently used. Returns whether there is one.
    pub fn promote<Q>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.find_live(key).is_some() && self.lru.promote(key)
    }

    /// Marks the live entry at `key` as least recently used, the next to be evicted after expired
    /// ones. Returns whether there is one.
    pub fn demote<Q>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.find_live(key).is_some() && self.lru.demote(key)
    }

    /// Removes the expired entries, then the least recently used live one, and returns that one.
    pub fn pop_lru(&mut self) -> Option<(K, V)> {
        self.expire();
        let now = self.time.last();
        self.remove_slot(self.lru.tail(), now)
    }

    /// Removes the expired entries, then the most recently used live one, and returns that one.
    pub fn pop_mru(&mut self) -> Option<(K, V)> {
        self.expire();
        let now = self.time.last();
        self.remove_slot(self.lru.head, now)
    }
}

#[cfg(feature = "alloc")]
impl<K: Hash + Eq, V, H: BuildHasher> Lru<K, V, Heap<K, V>, H> {
    /// Sets the capacity, up to 4,294,967,294. Entries over a lower capacity are evicted, the least
    /// recently used first, in O(1) each.
    pub fn set_capacity(&mut self, capacity: usize) {
        // Evictions first: a panic in the code of a key or value leaves the old capacity.
        while self.len() > capacity {
            self.pop_lru();
        }
        self.slots.set_capacity(capacity);
    }
}

#[cfg(feature = "alloc")]
impl<K: Hash + Eq, V, T: Clock, H: BuildHasher> Ttl<K, V, Heap<K, V>, T, H> {
    /// Sets the capacity, up to 4,294,967,294. Over a lower capacity, expired entries leave, then
    /// the least recently used ones.
    pub fn set_capacity(&mut self, capacity: usize) {
        // As for an LRU store.
        while self.len() > capacity {
            if self.pop_expired().is_none() {
                let now = self.time.last();
                self.remove_slot(self.lru.tail(), now);
            }
        }
        self.lru.slots_mut().set_capacity(capacity);
    }
}
