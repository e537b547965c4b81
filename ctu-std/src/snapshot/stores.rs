//! Snapshots of each store and cache.

use super::{LoadSnapshot, Save, SaveSnapshot, Saved, SnapshotError};
use crate::caches::ConcurrentCache;
use ctu_core::{
    Clock, Error, StoredKey,
    heap::{AdaptiveCache, AdaptiveTtlCache},
    stores::{Lru, Slots, Ttl},
};
use serde::{Serialize, de::DeserializeOwned};
use std::hash::{BuildHasher, Hash};

impl<K: Serialize, V: Serialize, T: Slots<K, V>, S> SaveSnapshot for Lru<K, V, T, S> {
    type Key = K;
    type Value = V;

    fn each_entry(&self, save: &mut Save<'_, K, V>) -> Result<(), SnapshotError> {
        self.iter().rev().try_for_each(|(key, value)| {
            save(Saved {
                key,
                value,
                remaining: None,
                uses: 0,
            })
        })
    }
}

impl<K, V, T, S> LoadSnapshot for Lru<K, V, T, S>
where
    K: DeserializeOwned + Hash + Eq,
    V: DeserializeOwned,
    T: Slots<K, V>,
    S: BuildHasher,
{
    type Key = K;
    type Value = V;

    fn has_expiry(&self) -> bool {
        false
    }

    fn restore(&mut self, entry: Saved<K, V>) -> Result<(), Error> {
        self.insert(entry.key, entry.value);
        Ok(())
    }
}

impl<K, V, T, C, S> SaveSnapshot for Ttl<K, V, T, C, S>
where
    K: Serialize + Hash + Eq,
    V: Serialize,
    T: Slots<K, V>,
    C: Clock,
    S: BuildHasher,
{
    type Key = K;
    type Value = V;

    fn each_entry(&self, save: &mut Save<'_, K, V>) -> Result<(), SnapshotError> {
        let entries: Vec<_> = self.iter().collect();
        entries.into_iter().rev().try_for_each(|(key, value)| {
            // The entry may expire between the two.
            let Some(remaining) = self.remaining(key) else {
                return Ok(());
            };
            save(Saved {
                key,
                value,
                remaining: Some(remaining),
                uses: 0,
            })
        })
    }
}

impl<K, V, T, C, S> LoadSnapshot for Ttl<K, V, T, C, S>
where
    K: DeserializeOwned + Hash + Eq,
    V: DeserializeOwned,
    T: Slots<K, V>,
    C: Clock,
    S: BuildHasher,
{
    type Key = K;
    type Value = V;

    fn has_expiry(&self) -> bool {
        true
    }

    fn restore(&mut self, entry: Saved<K, V>) -> Result<(), Error> {
        match entry.remaining {
            Some(left) => drop(self.insert_with_ttl(entry.key, entry.value, left)?),
            None => drop(self.insert(entry.key, entry.value)),
        }
        Ok(())
    }
}

impl<K: Serialize, V: Serialize, S> SaveSnapshot for AdaptiveCache<K, V, S> {
    type Key = K;
    type Value = V;

    fn each_entry(&self, save: &mut Save<'_, K, V>) -> Result<(), SnapshotError> {
        self.ranked().try_for_each(|(key, value, uses)| {
            save(Saved {
                key,
                value,
                remaining: None,
                uses,
            })
        })
    }
}

impl<K, V, S> LoadSnapshot for AdaptiveCache<K, V, S>
where
    K: DeserializeOwned + Hash + Eq,
    V: DeserializeOwned,
    S: BuildHasher,
{
    type Key = K;
    type Value = V;

    fn has_expiry(&self) -> bool {
        false
    }

    fn restore(&mut self, entry: Saved<K, V>) -> Result<(), Error> {
        self.insert_used(entry.key, entry.value, entry.uses);
        Ok(())
    }
}

impl<K, V, C, S> SaveSnapshot for AdaptiveTtlCache<K, V, C, S>
where
    K: Serialize,
    V: Serialize,
    C: Clock,
{
    type Key = K;
    type Value = V;

    fn each_entry(&self, save: &mut Save<'_, K, V>) -> Result<(), SnapshotError> {
        self.ranked_with_ttl()
            .try_for_each(|(key, value, uses, remaining)| {
                save(Saved {
                    key,
                    value,
                    remaining,
                    uses,
                })
            })
    }
}

impl<K, V, C, S> LoadSnapshot for AdaptiveTtlCache<K, V, C, S>
where
    K: DeserializeOwned + Hash + Eq,
    V: DeserializeOwned,
    C: Clock,
    S: BuildHasher,
{
    type Key = K;
    type Value = V;

    fn has_expiry(&self) -> bool {
        true
    }

    fn restore(&mut self, entry: Saved<K, V>) -> Result<(), Error> {
        let (key, value, uses) = (entry.key, entry.value, entry.uses);
        match entry.remaining {
            Some(left) => drop(self.insert_used_with_ttl(key, value, uses, left)?),
            None => drop(self.insert_used(key, value, uses)),
        }
        Ok(())
    }
}

impl<K, V, C, S> SaveSnapshot for ConcurrentCache<K, V, C, S>
where
    K: Serialize + Clone,
    V: Serialize + Clone,
    C: Clock,
{
    type Key = K;
    type Value = V;

    fn each_entry(&self, save: &mut Save<'_, K, V>) -> Result<(), SnapshotError> {
        self.each_ranked(|key, value, remaining, uses| {
            save(Saved {
                key,
                value,
                remaining,
                uses,
            })
        })
    }
}

impl<K, V, C, S> LoadSnapshot for &ConcurrentCache<K, V, C, S>
where
    K: DeserializeOwned + StoredKey,
    V: DeserializeOwned,
    C: Clock,
    S: BuildHasher,
{
    type Key = K;
    type Value = V;

    fn has_expiry(&self) -> bool {
        ConcurrentCache::has_expiry(self)
    }

    fn restore(&mut self, entry: Saved<K, V>) -> Result<(), Error> {
        self.insert_used(entry.key, entry.value, entry.remaining, entry.uses)
    }
}
