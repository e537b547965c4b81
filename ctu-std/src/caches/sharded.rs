//! `ShardedCache`: several stores, each behind a lock.

use crate::caches::shard_index::shard_index;
use ctu_core::{Cache, Error, Found, InMemory, KeyParts, Store};
use std::{
    fmt,
    hash::{BuildHasher, Hash, Hasher as _},
    time::Duration,
};

/// Distributes the keys over stores with separate locks: threads with different keys seldom wait
/// for each other.
///
/// The hash of a key selects its store, so each store fills and evicts by itself: one store may be
/// full while others are not. About 64 stores per processor suit a capacity of hundreds of
/// thousands of entries. With more stores, a hot key is more often already the most recently used
/// key of its store, and a hit moves nothing.
///
/// A [`ConcurrentCache`](crate::ConcurrentCache) has a higher hit ratio, and its hits on one hot
/// key do not contend. This cache writes faster.
///
/// A thread that finds a store locked yields and retries until the store is unlocked. The wait
/// lasts for one operation in memory, including `Hash`, `Eq` and `Clone` of the key and value. If
/// those are slow, use a [`LockedCache`](crate::LockedCache), which sleeps. In both, these methods
/// must not use the cache, and neither must the closure of `retain` and the `Drop` of entries that
/// `clear` and `retain` remove: the thread would deadlock with itself.
///
/// ```
/// use ctu_std::{Cache, CacheExt, LruCache, ShardedCache};
///
/// let cache = ShardedCache::new(16, || LruCache::<String, u32>::with_capacity(1_000));
/// cache.insert("one", 1)?;
/// assert_eq!(cache.get("one")?, Some(1));
/// # Ok::<(), ctu_std::Error>(())
/// ```
pub struct ShardedCache<S, H = ctu_core::heap::RandomState> {
    shards: Box<[Shard<S>]>,
    hasher: H,
}

/// Locks of two shards in one line would be as slow as one lock.
#[repr(align(128))]
struct Shard<S>(Locked<S>);

/// A lock with a plain store as its unlock. A waiting thread retries and does not sleep, so the
/// unlock needs no wake-up, which would cost half of a hit.
type Locked<S> = ctu_core::LockedCache<spin::mutex::SpinMutex<(), Relax>, S>;

/// The pause of a thread before a retry.
struct Relax;

impl spin::RelaxStrategy for Relax {
    fn relax() {
        for _ in 0..32 {
            std::hint::spin_loop();
        }
        // The thread that holds the lock may be waiting for this processor.
        std::thread::yield_now();
    }
}

impl<S> ShardedCache<S> {
    /// A cache of `shards` stores, each made by `store`. Numbers outside 1 to 65,536 count as the
    /// nearest of the two: [`shards`](Self::shards) returns the number in use.
    pub fn new(shards: usize, store: impl FnMut() -> S) -> Self {
        Self::with_hasher(shards, ctu_core::heap::RandomState::default(), store)
    }
}

impl<S, H> ShardedCache<S, H> {
    /// [`new`](ShardedCache::new) with another hasher. With predictable hashes, callers can direct
    /// all keys to one store.
    pub fn with_hasher(shards: usize, hasher: H, mut store: impl FnMut() -> S) -> Self {
        // More would not fit in memory.
        let shards = shards.clamp(1, 1 << 16);
        Self {
            shards: (0..shards).map(|_| Shard(Locked::new(store()))).collect(),
            hasher,
        }
    }

    /// The number of stores.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }
}

impl<S: Store<Key: Hash>, H: BuildHasher> ShardedCache<S, H> {
    #[inline]
    fn shard(&self, key: &S::Key) -> &Locked<S> {
        self.shard_of(self.hasher.hash_one(key))
    }

    #[inline]
    fn shard_of(&self, hash: u64) -> &Locked<S> {
        &self.shards[shard_index(hash, self.shards.len())].0
    }
}

impl<S, H> InMemory for ShardedCache<S, H> {}

impl<S, H> Cache for ShardedCache<S, H>
where
    S: Store<Key: Hash, Value: Clone>,
    H: BuildHasher,
{
    type Key = S::Key;
    type Value = S::Value;
    type Error = Error;

    #[inline]
    fn get(&self, key: &S::Key) -> Result<Option<S::Value>, Error> {
        self.shard(key).get(key)
    }

    #[inline]
    fn get_equivalent<Q: KeyParts<S::Key>>(&self, key: &Q) -> Result<Option<S::Value>, Error> {
        let mut state = self.hasher.build_hasher();
        key.hash_as(&mut state);
        self.shard_of(state.finish()).get_equivalent(key)
    }

    #[inline]
    fn insert_entry(
        &self,
        key: &S::Key,
        value: S::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        self.shard(key).insert_entry(key, value, ttl)
    }

    fn remove(&self, key: &S::Key) -> Result<bool, Error> {
        self.shard(key).remove(key)
    }

    /// As [`Cache::clear`], one store after the other.
    fn clear(&self) -> Result<(), Error> {
        self.shards.iter().try_for_each(|shard| shard.0.clear())
    }

    fn len(&self) -> Result<usize, Error> {
        self.shards.iter().map(|shard| shard.0.len()).sum()
    }

    fn contains(&self, key: &S::Key) -> Result<bool, Error> {
        self.shard(key).contains(key)
    }

    fn get_with_ttl(&self, key: &S::Key) -> Result<Found<S::Value>, Error> {
        self.shard(key).get_with_ttl(key)
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.shards.first().and_then(|shard| shard.0.default_ttl())
    }

    fn pop(&self, key: &S::Key) -> Result<Option<S::Value>, Error> {
        self.shard(key).pop(key)
    }

    /// As [`Cache::retain`], one store after the other.
    fn retain(&self, keep: &mut dyn FnMut(&S::Key) -> bool) -> Result<(), Error> {
        let mut shards = self.shards.iter();
        shards.try_for_each(|shard| shard.0.retain(keep))
    }
}

impl<S, H> fmt::Debug for ShardedCache<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardedCache")
            .field("shards", &self.shards.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ctu_core::{CacheExt, heap::LruCache};

    #[test]
    fn each_key_maps_to_one_store() {
        let cache = ShardedCache::new(5, || LruCache::<u32, u32>::with_capacity(1_000));
        assert_eq!(cache.shards(), 5);
        for key in 0..1_000 {
            cache.insert(&key, key).unwrap();
        }
        assert_eq!(cache.len(), Ok(1_000));
        assert!((0..1_000).all(|key| cache.get(&key) == Ok(Some(key))));
        let used = cache
            .shards
            .iter()
            .filter(|shard| shard.0.len().is_ok_and(|len| len > 100));
        assert_eq!(used.count(), 5);
        cache.retain(&mut |key| key % 2 == 0).unwrap();
        assert_eq!((cache.len(), cache.pop(&2)), (Ok(500), Ok(Some(2))));
        assert_eq!(
            (cache.contains(&2), cache.remove(&4)),
            (Ok(false), Ok(true))
        );
        cache.clear().unwrap();
        assert_eq!(cache.len(), Ok(0));
    }

    /// Uses its cache when it is dropped.
    #[derive(Clone)]
    struct Meddler(std::sync::Weak<ShardedCache<LruCache<u32, Meddler>>>);

    impl Drop for Meddler {
        fn drop(&mut self) {
            if let Some(cache) = self.0.upgrade() {
                assert_eq!(cache.contains(&1_000_000), Ok(false));
            }
        }
    }

    #[test]
    fn evicted_values_are_dropped_after_unlock() {
        let cache = std::sync::Arc::new(ShardedCache::new(1, || LruCache::with_capacity(8)));
        for key in 0..100 {
            for _ in 0..2 {
                let value = Meddler(std::sync::Arc::downgrade(&cache));
                cache.insert_entry(&key, value, None).unwrap();
            }
            cache.get(&key).unwrap();
            if key % 10 == 0 {
                cache.pop(&key).unwrap();
                cache.remove(&key.saturating_sub(1)).unwrap();
            }
        }
    }

    #[test]
    fn zero_shards_become_one() {
        for shards in [0, 1, usize::MAX] {
            let cache = ShardedCache::new(shards, || LruCache::<u32, u32>::with_capacity(1));
            cache.insert(&1, 1u32).unwrap();
            assert_eq!(cache.get(&1), Ok(Some(1)));
        }
    }
}
