//! Changes that depend on the old value.

use super::{
    ConcurrentCache,
    entry::{Entry, Hot},
    write::Expected,
};
use ctu_core::{Clock, Error, StoredKey};
use std::{hash::BuildHasher, sync::Arc};

/// The change that a closure of [`ConcurrentCache::and_compute_with`] chooses for an entry.
///
/// ```
/// use ctu_std::{Compute, ConcurrentCache};
/// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
/// let once = |old: Option<&u32>| match old {
///     None => Compute::Put(1),
///     Some(_) => Compute::Keep,
/// };
/// cache.and_compute_with("key", once)?;
/// cache.and_compute_with("key", |_| Compute::Remove)?;
/// assert_eq!(cache.peek("key"), None);
/// # Ok::<(), ctu_std::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute<V> {
    /// The entry stays, or stays absent.
    Keep,
    /// The value becomes that of the entry.
    Put(V),
    /// The entry leaves.
    Remove,
}

/// The value of an entry before and after [`ConcurrentCache::and_compute_with`].
///
/// ```
/// use ctu_std::{Compute, Computed, ConcurrentCache};
/// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
/// let Computed { old, new } = cache.and_compute_with("key", |_| Compute::Put(1))?;
/// assert_eq!((old, new), (None, Some(1)));
/// # Ok::<(), ctu_std::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Computed<V> {
    /// The value before, if there was one.
    pub old: Option<V>,
    /// The value after, if there is one.
    pub new: Option<V>,
}

impl<K, V, T, H> ConcurrentCache<K, V, T, H>
where
    K: StoredKey,
    V: Clone,
    T: Clock,
    H: BuildHasher,
{
    /// The live entry at `key`, which is used, held outside its shard.
    fn hold(&self, hash: u64, key: &K::Lookup) -> Option<Arc<Hot<K, V>>> {
        let now = self.clock.now();
        let (_, mut shard) = self.shards.write(hash);
        let (slot, entry) = shard.find(hash as u32, |entry| entry.kept().key.borrow() == key)?;
        if !entry.kept().life.is_live(now) {
            return None;
        }
        entry.kept().life.touch(now);
        shard.hit(slot);
        shard.change(slot, |entry| entry.share(hash, 0));
        shard.watch(slot, true);
        match shard.get(slot) {
            Some(Entry::Hot(hot, _)) => Some(Arc::clone(hot)),
            _ => None,
        }
    }

    /// Changes the entry at `key` depending on its value, as one step: no write of the key by
    /// another thread comes between.
    ///
    /// `compute` gets the value, or `None`. It runs under no lock, and runs again where another
    /// thread has written the key meanwhile: it must have no other effect. An entry that is put has
    /// the cache's default times.
    ///
    /// ```
    /// use ctu_std::{Cache, Compute, ConcurrentCache};
    ///
    /// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
    /// let down = |count: Option<&u32>| match count {
    ///     None => Compute::Put(1),
    ///     Some(0) => Compute::Remove,
    ///     Some(count) => Compute::Put(count - 1),
    /// };
    /// assert_eq!(cache.and_compute_with("tokens", down)?.new, Some(1));
    /// assert_eq!(cache.and_compute_with("tokens", down)?.new, Some(0));
    /// let last = cache.and_compute_with("tokens", down)?;
    /// assert_eq!((last.old, last.new, cache.len()?), (Some(0), None, 0));
    /// # Ok::<(), ctu_std::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`insert_entry`](ctu_core::Cache::insert_entry), for a value that is put. The entry
    /// is then unchanged.
    pub fn and_compute_with(
        &self,
        key: &K::Lookup,
        mut compute: impl FnMut(Option<&V>) -> Compute<V>,
    ) -> Result<Computed<V>, Error> {
        let hash = self.hash(key);
        loop {
            let held = self.hold(hash, key);
            let old = held.as_ref().map(|hot| &hot.kept.value);
            let expected = match &held {
                Some(held) => Expected::Same(held),
                None => Expected::Absent,
            };
            let (done, new) = match compute(old) {
                Compute::Keep => (true, old.cloned()),
                Compute::Remove => (self.take_expected(key, &expected), None),
                Compute::Put(value) => {
                    let new = self.prepare(key, value.clone(), None)?;
                    (self.store(new, &expected), Some(value))
                }
            };
            if done {
                let old = old.cloned();
                return Ok(Computed { old, new });
            }
        }
    }

    /// Stores a value that depends on the old one, and returns it: as
    /// [`and_compute_with`](Self::and_compute_with), which describes `upsert`.
    ///
    /// ```
    /// use ctu_std::ConcurrentCache;
    ///
    /// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
    /// for _ in 0..3 {
    ///     cache.upsert_with("visits", |count| count.map_or(1, |count| count + 1))?;
    /// }
    /// assert_eq!(cache.peek("visits"), Some(3));
    /// # Ok::<(), ctu_std::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`insert_entry`](ctu_core::Cache::insert_entry). The entry is then unchanged.
    pub fn upsert_with(
        &self,
        key: &K::Lookup,
        mut upsert: impl FnMut(Option<&V>) -> V,
    ) -> Result<V, Error> {
        loop {
            let done = self.and_compute_with(key, |old| Compute::Put(upsert(old)))?;
            if let Some(new) = done.new {
                return Ok(new);
            }
        }
    }
}
