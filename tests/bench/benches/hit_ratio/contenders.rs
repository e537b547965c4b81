//! The caches that are compared.

use ctu_std::{Cache, ConcurrentCache, LockedCache, LruCache};
use foyer_memory::{CacheBuilder, CacheProperties, S3FifoConfig};

/// Looks a key up, inserts it where it is missing, and returns whether it was there.
pub(crate) type Contender = Box<dyn FnMut(u64) -> bool>;

/// The contenders' names, in the order of [`all`].
pub(crate) const NAMES: [&str; 6] = [
    "ctu ConcurrentCache",
    "LRU (ctu LruCache)",
    "quick_cache",
    "moka",
    "TinyUFO",
    "foyer S3-FIFO",
];

/// Empty caches of `capacity` entries.
pub(crate) fn all(capacity: usize) -> Vec<Contender> {
    let quick = quick_cache::sync::Cache::<u64, u64>::new(capacity);
    let moka = moka::sync::Cache::<u64, u64>::new(capacity as u64);
    let ufo = tinyufo::TinyUfo::<u64, u64>::new(capacity, capacity);
    let foyer = CacheBuilder::<u64, u64, _>::new(capacity)
        .with_shards(1)
        .with_eviction_config(S3FifoConfig::default())
        .build::<CacheProperties>();
    vec![
        ours(ConcurrentCache::<u64, u64>::with_capacity(capacity)),
        ours(LockedCache::new(LruCache::<u64, u64>::with_capacity(
            capacity,
        ))),
        through(
            quick,
            |quick, key| quick.get(key),
            |quick, key| quick.insert(key, key),
        ),
        through(
            moka,
            |moka, key| moka.get(key),
            |moka, key| moka.insert(key, key),
        ),
        through(
            ufo,
            |ufo, key| ufo.get(key),
            |ufo, key| drop(ufo.put(key, key, 1)),
        ),
        through(
            foyer,
            |foyer, key| foyer.get(key).map(|entry| *entry.value()),
            |foyer, key| drop(foyer.insert(key, key)),
        ),
    ]
}

fn ours(cache: impl Cache<Key = u64, Value = u64> + 'static) -> Contender {
    through(
        cache,
        |cache, key| cache.get(key).ok().flatten(),
        |cache, key| cache.insert_entry(&key, key, None).expect("room"),
    )
}

/// A cache with its operations.
pub(crate) fn through<C: 'static>(
    mut cache: C,
    get: impl Fn(&mut C, &u64) -> Option<u64> + 'static,
    insert: impl Fn(&mut C, u64) + 'static,
) -> Contender {
    Box::new(move |key| {
        let found = get(&mut cache, &key).is_some();
        if !found {
            insert(&mut cache, key);
        }
        found
    })
}
