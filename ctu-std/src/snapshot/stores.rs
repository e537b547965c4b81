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

impl<K: Serialize, V: Serialize, M: Slots<K, V>, H> SaveSnapshot for Lru<K, V, M, H> {
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

impl<K, V, M, H> LoadSnapshot for Lru<K, V, M, H>
where
    K: DeserializeOwned + Hash + Eq,
    V: DeserializeOwned,
    M: Slots<K, V>,
    H: BuildHasher,
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

impl<K, V, M, T, H> SaveSnapshot for Ttl<K, V, M, T, H>
where
    K: Serialize + Hash + Eq,
    V: Serialize,
    M: Slots<K, V>,
    T: Clock,
    H: BuildHasher,
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

impl<K, V, M, T, H> LoadSnapshot for Ttl<K, V, M, T, H>
where
    K: DeserializeOwned + Hash + Eq,
    V: DeserializeOwned,
    M: Slots<K, V>,
    T: Clock,
    H: BuildHasher,
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

impl<K: Serialize, V: Serialize, H> SaveSnapshot for AdaptiveCache<K, V, H> {
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

impl<K, V, H> LoadSnapshot for AdaptiveCache<K, V, H>
where
    K: DeserializeOwned + Hash + Eq,
    V: DeserializeOwned,
    H: BuildHasher,
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

impl<K, V, T, H> SaveSnapshot for AdaptiveTtlCache<K, V, T, H>
where
    K: Serialize,
    V: Serialize,
    T: Clock,
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

impl<K, V, T, H> LoadSnapshot for AdaptiveTtlCache<K, V, T, H>
where
    K: DeserializeOwned + Hash + Eq,
    V: DeserializeOwned,
    T: Clock,
    H: BuildHasher,
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

impl<K, V, T, H> SaveSnapshot for ConcurrentCache<K, V, T, H>
where
    K: Serialize + Clone,
    V: Serialize + Clone,
    T: Clock,
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

impl<K, V, T, H> LoadSnapshot for &ConcurrentCache<K, V, T, H>
where
    K: DeserializeOwned + StoredKey,
    V: DeserializeOwned,
    T: Clock,
    H: BuildHasher,
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
