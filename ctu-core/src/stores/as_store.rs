//! The map-like stores as [`Store`]s. Lookups take the borrowed key; `insert_entry` converts it to
//! the owned one.

use super::{
    lru::Lru,
    slots::Slots,
    store::{Store, insert_by_exchange, refuse_ttl, store_methods, sweep_methods},
    ttl::Ttl,
};
use crate::{
    clock::Clock,
    entries::{KeyParts, StoredKey},
    error::Error,
};
use core::{hash::BuildHasher, time::Duration};

impl<K: StoredKey, V, M: Slots<K, V>, H: BuildHasher> Store for Lru<K, V, M, H> {
    type Key = K::Lookup;
    type Value = V;

    #[inline]
    fn get_equivalent<Q: KeyParts<K::Lookup>>(&mut self, key: &Q) -> Result<Option<&V>, Error> {
        let slot = self.find_equivalent(key);
        Ok(self.use_slot(slot).map(|value| &*value))
    }

    fn exchange_entry(
        &mut self,
        key: &Self::Key,
        value: &mut Option<V>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        refuse_ttl(ttl)?;
        self.exchange(K::store(key)?, value);
        Ok(())
    }

    store_methods!(V);
}

impl<K: StoredKey, V, M: Slots<K, V>, T: Clock, H: BuildHasher> Store for Ttl<K, V, M, T, H> {
    type Key = K::Lookup;
    type Value = V;

    fn get(&mut self, key: &Self::Key) -> Option<&V> {
        Self::get(self, key)
    }

    fn get_equivalent<Q: KeyParts<K::Lookup>>(&mut self, key: &Q) -> Result<Option<&V>, Error> {
        let slot = self.live(|lru| lru.find_equivalent(key));
        Ok(slot.and_then(|slot| self.use_slot(slot)))
    }

    fn exchange_entry(
        &mut self,
        key: &Self::Key,
        value: &mut Option<V>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        let ttl = match ttl {
            Some(ttl) => self.time.check(ttl)?,
            None => self.time.ttl(),
        };
        self.exchange(K::store(key)?, value, ttl);
        Ok(())
    }

    fn remove(&mut self, key: &Self::Key) -> Option<V> {
        Self::remove(self, key)
    }

    fn take(&mut self, key: &Self::Key) -> Option<(V, bool)> {
        Self::take(self, key)
    }

    fn pop_expired(&mut self) -> Option<V> {
        Self::pop_expired(self).map(|(_, value)| value)
    }

    fn contains(&mut self, key: &Self::Key) -> bool {
        self.find_live(key).is_some()
    }

    fn remaining(&mut self, key: &Self::Key) -> Option<Duration> {
        let slot = self.find_live(key)?;
        self.time_left(slot)
    }

    fn get_with_ttl(&mut self, key: &Self::Key) -> Option<(&V, Option<Duration>)> {
        let slot = self.find_live(key)?;
        let left = self.time_left(slot);
        Some((self.use_slot(slot)?, left))
    }

    fn default_ttl(&self) -> Option<Duration> {
        Some(self.ttl())
    }

    insert_by_exchange!(V);
    sweep_methods!();

    fn len(&mut self) -> usize {
        self.expire();
        Self::len(self)
    }
}
