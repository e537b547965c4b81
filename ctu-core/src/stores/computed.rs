//! Values that are computed on a miss.

use super::{lru::Lru, slots::Slots, ttl::Ttl};
use crate::clock::Clock;
use core::{
    convert::Infallible,
    hash::{BuildHasher, Hash},
};

impl<K: Hash + Eq, V, M: Slots<K, V>, H: BuildHasher> Lru<K, V, M, H> {
    /// Returns the value at `key`; on a miss, stores and returns the value of `make`.
    /// `None` only for a heap-backed store of capacity 0.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> Option<&mut V> {
        let Ok(value) = self.try_get_or_insert_with(key, || Ok::<_, Infallible>(make()));
        value
    }

    /// [`get_or_insert_with`](Self::get_or_insert_with) with a computation that may fail.
    ///
    /// # Errors
    /// That of `make`. Nothing is stored.
    ///
    /// ```
    /// use ctu_core::LruCache;
    ///
    /// let mut cache = LruCache::<u32, u32, 2>::new();
    /// assert_eq!(cache.try_get_or_insert_with(1, || Err("no value")), Err("no value"));
    /// assert_eq!(cache.try_get_or_insert_with(1, || Ok::<_, ()>(10)), Ok(Some(&mut 10)));
    /// ```
    pub fn try_get_or_insert_with<E>(
        &mut self,
        key: K,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Option<&mut V>, E> {
        let hash = self.hash(&key);
        let slot = match self.slots.find_for_insert(hash, |found| *found == key) {
            Ok(slot) => {
                self.touch(slot);
                slot
            }
            Err(victim) => self.insert_new(hash, key, &mut Some(make()?), victim).0,
        };
        Ok(self.slots.value_mut(slot))
    }
}

impl<K: Hash + Eq, V, M: Slots<K, V>, T: Clock, H: BuildHasher> Ttl<K, V, M, T, H> {
    /// Returns the value at `key`; on a miss, stores the value of `make` for the cache's
    /// time-to-live and returns it. `None` only for a heap-backed store of capacity 0.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> Option<&mut V> {
        let Ok(value) = self.try_get_or_insert_with(key, || Ok::<_, Infallible>(make()));
        value
    }

    /// [`get_or_insert_with`](Self::get_or_insert_with) with a computation that may fail.
    ///
    /// # Errors
    /// That of `make`. Nothing is stored.
    pub fn try_get_or_insert_with<E>(
        &mut self,
        key: K,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Option<&mut V>, E> {
        let slot = match self.find_live(&key) {
            Some(slot) => {
                self.lru.touch(slot);
                slot
            }
            None => self.exchange(key, &mut Some(make()?), self.time.ttl()).0,
        };
        Ok(self.lru.slots_mut().value_mut(slot))
    }
}
