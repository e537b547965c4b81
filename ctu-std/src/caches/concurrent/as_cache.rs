//! `ConcurrentCache` as a [`Cache`].

use super::{ConcurrentCache, cache::mix, entries::Place, entry::Kept, write::Expected};
use ctu_core::{Cache, Clock, Error, Found, InMemory, KeyParts, StoredKey};
use std::{
    hash::{BuildHasher, Hasher},
    time::Duration,
};

impl<K, V, T, H> InMemory for ConcurrentCache<K, V, T, H> {}

impl<K, V, T, H> Cache for ConcurrentCache<K, V, T, H>
where
    K: StoredKey,
    V: Clone,
    T: Clock,
    H: BuildHasher,
{
    type Key = K::Lookup;
    type Value = V;
    type Error = Error;

    #[inline]
    fn get(&self, key: &K::Lookup) -> Result<Option<V>, Error> {
        let value = |kept: &Kept<K, V>| kept.value.clone();
        Ok(self.read(self.hash(key), |found| found == key, value))
    }

    #[inline]
    fn get_equivalent<Q: KeyParts<K::Lookup>>(&self, key: &Q) -> Result<Option<V>, Error> {
        let mut state = self.hasher.build_hasher();
        key.hash_as(&mut state);
        let value = |kept: &Kept<K, V>| kept.value.clone();
        Ok(self.read(mix(state.finish()), |found| key.is(found), value))
    }

    fn insert_entry(&self, key: &K::Lookup, value: V, ttl: Option<Duration>) -> Result<(), Error> {
        let new = self.prepare(key, value, ttl)?;
        self.store(new, &Expected::Any);
        Ok(())
    }

    fn remove(&self, key: &K::Lookup) -> Result<bool, Error> {
        Ok(self.take(key, |_| ()).is_some())
    }

    /// As [`Cache::clear`], one shard after the other: an entry that is stored meanwhile may stay.
    fn clear(&self) -> Result<(), Error> {
        self.remove_all();
        Ok(())
    }

    fn len(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let shards = (0..self.shards.len()).filter_map(|index| self.shards.read_at(index));
        let len = shards.map(|shard| match self.limits.has_clock {
            false => shard.len(),
            true => {
                let live = shard
                    .iter()
                    .filter(|(_, entry)| entry.kept().life.is_live(now));
                live.count()
            }
        });
        Ok(len.sum())
    }

    #[inline]
    fn contains(&self, key: &K::Lookup) -> Result<bool, Error> {
        Ok(self.peek_with(key, |_| ()).is_some())
    }

    fn get_with_ttl(&self, key: &K::Lookup) -> Result<Found<V>, Error> {
        let found = self.read(
            self.hash(key),
            |found| found == key,
            |kept| {
                // After it was found: an entry that was stored in between would have too much left.
                let now = self.clock.now();
                let left = kept.life.remaining(now);
                kept.life.is_live(now).then(|| (kept.value.clone(), left))
            },
        );
        Ok(found.flatten())
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.limits.default_ttl()
    }

    fn pop(&self, key: &K::Lookup) -> Result<Option<V>, Error> {
        Ok(self.take(key, V::clone))
    }

    /// As [`Cache::retain`]. An entry that is stored meanwhile is asked for or not. No lock is held
    /// while `keep` runs. It copies keys, 64 at a time.
    fn retain(&self, keep: &mut dyn FnMut(&K::Lookup) -> bool) -> Result<(), Error> {
        let mut place = Place::START;
        loop {
            let (keys, next) = self.batch(place, |kept, _| K::store(kept.key.borrow()));
            for key in keys {
                let key = key?;
                if !keep(key.borrow()) {
                    self.take(key.borrow(), |_| ());
                }
            }
            match next {
                Some(next) => place = next,
                None => return Ok(()),
            }
        }
    }
}
