//! The adaptive store as a [`Store`].

use super::{AdaptiveCache, cache::fold, lifetimes::Lifetimes};
use crate::{
    entries::{KeyParts, StoredKey},
    error::Error,
    stores::store::{Store, sweep_methods},
};
use core::{
    hash::{BuildHasher, Hasher},
    time::Duration,
};

impl<K: StoredKey, V, H: BuildHasher, L: Lifetimes> Store for AdaptiveCache<K, V, H, L> {
    type Key = K::Lookup;
    type Value = V;

    #[inline]
    fn get(&mut self, key: &Self::Key) -> Option<&V> {
        Self::get(self, key)
    }

    #[inline]
    fn get_equivalent<Q: KeyParts<K::Lookup>>(&mut self, key: &Q) -> Result<Option<&V>, Error> {
        let now = self.times.advance();
        let mut state = self.hasher.build_hasher();
        key.hash_as(&mut state);
        let hash = fold(state.finish());
        let found = self.table.find(hash, |entry| key.is(entry.key.borrow()));
        let slot = found.map(|(slot, _)| slot);
        Ok(self.use_slot(hash, slot, now).map(|entry| &entry.value))
    }

    fn insert_entry(
        &mut self,
        key: &Self::Key,
        value: V,
        ttl: Option<Duration>,
    ) -> Result<Option<V>, Error> {
        let (_, displaced) = self.store(K::store(key)?, value, ttl, 0)?;
        Ok(displaced.map(|entry| entry.value))
    }

    fn remove(&mut self, key: &Self::Key) -> Option<V> {
        Self::remove(self, key)
    }

    fn take(&mut self, key: &Self::Key) -> Option<(V, bool)> {
        Self::take(self, key)
    }

    fn pop_expired(&mut self) -> Option<V> {
        let now = self.times.advance();
        let expired = self.take_expired(self.table.slots(), now);
        expired.map(|entry| entry.value)
    }

    fn contains(&mut self, key: &Self::Key) -> bool {
        let now = self.times.advance();
        self.look(key, now).is_some()
    }

    fn remaining(&mut self, key: &Self::Key) -> Option<Duration> {
        let now = self.times.advance();
        L::left(&self.look(key, now)?.life, now)
    }

    fn get_with_ttl(&mut self, key: &Self::Key) -> Option<(&V, Option<Duration>)> {
        let now = self.times.advance();
        let entry = self.use_key(key, now)?;
        Some((&entry.value, L::left(&entry.life, now)))
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.times.default_ttl()
    }

    sweep_methods!();

    fn len(&mut self) -> usize {
        while L::LIMITED && Store::pop_expired(self).is_some() {}
        Self::len(self)
    }
}
