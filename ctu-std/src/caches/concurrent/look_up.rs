//! Look-ups: near the thread first, then in the shard.

use super::{ConcurrentCache, entry::Kept};
use ctu_core::{Clock, StoredKey};
use std::hash::BuildHasher;

impl<K, V, T, H> ConcurrentCache<K, V, T, H>
where
    K: StoredKey,
    T: Clock,
    H: BuildHasher,
{
    /// Runs `read` on the live entry that `is` recognizes, which is used.
    #[inline]
    pub(super) fn read<R>(
        &self,
        hash: u64,
        is: impl Fn(&K::Lookup) -> bool,
        read: impl FnOnce(&Kept<K, V>) -> R,
    ) -> Option<R> {
        let found = self.find(hash, is, read);
        if let Some(counts) = &self.counts {
            counts.looked_up(
                self.near.stripe(),
                hash as u32,
                found.is_some(),
                self.adaptation.share(),
            );
        }
        found
    }

    #[inline]
    fn find<R>(
        &self,
        hash: u64,
        is: impl Fn(&K::Lookup) -> bool,
        read: impl FnOnce(&Kept<K, V>) -> R,
    ) -> Option<R> {
        // Before the look-up, without a lock. An entry that is stored in between is live then, too.
        let now = self.clock.now();
        if let Some(found) = self.near.find(hash, |key| is(key.borrow()))
            && let Some(hot) = &*found
        {
            if !hot.kept.life.is_live(now) {
                return None;
            }
            hot.kept.life.touch(now);
            let first = hot.mark();
            let value = read(&hot.kept);
            drop(found);
            if first {
                self.adaptation.observe(hash as u32);
            }
            return Some(value);
        }
        let shard = self.shards.read(hash);
        let (slot, entry) = shard.find(hash as u32, |entry| is(entry.kept().key.borrow()))?;
        let kept = entry.kept();
        if !kept.life.is_live(now) {
            return None;
        }
        kept.life.touch(now);
        let first = shard.hit(slot);
        let value = read(kept);
        drop(shard);
        if first {
            self.adaptation.observe(hash as u32);
        }
        if self.near.is_hot(hash) {
            self.bring_near(hash, is);
        }
        Some(value)
    }

    /// Puts an entry near this thread.
    #[cold]
    fn bring_near(&self, hash: u64, is: impl Fn(&K::Lookup) -> bool) {
        // Under contention it is left to another hit.
        let Some(mut shard) = self.shards.try_write(hash) else {
            return;
        };
        let found = shard.find(hash as u32, |entry| is(entry.kept().key.borrow()));
        let Some((slot, _)) = found else { return };
        let mut old = None;
        shard.change(slot, |entry| {
            let (entry, displaced) = self.near.insert_entry(hash, entry);
            old = displaced;
            entry
        });
        shard.watch(slot, true);
        drop(shard);
        drop(old);
    }

    /// Runs `read` on the live entry at `key`, which is not used by that.
    pub(super) fn peek_with<R>(
        &self,
        key: &K::Lookup,
        read: impl FnOnce(&Kept<K, V>) -> R,
    ) -> Option<R> {
        let now = self.clock.now();
        let hash = self.hash(key);
        let shard = self.shards.read(hash);
        let (_, entry) = shard.find(hash as u32, |entry| entry.kept().key.borrow() == key)?;
        let kept = entry.kept();
        kept.life.is_live(now).then(|| read(kept))
    }

    /// Returns the value at `key` as [`get`](ctu_core::Cache::get) does, and leaves no mark: neither
    /// the eviction, nor the time between reads, nor the statistics take it for a use.
    ///
    /// ```
    /// use ctu_std::{CacheExt, ConcurrentCache};
    ///
    /// let cache = ConcurrentCache::<u32, u32>::with_capacity(10);
    /// cache.insert(&1, 10)?;
    /// assert_eq!(cache.peek(&1), Some(10));
    /// # Ok::<(), ctu_std::Error>(())
    /// ```
    pub fn peek(&self, key: &K::Lookup) -> Option<V>
    where
        V: Clone,
    {
        self.peek_with(key, |kept| kept.value.clone())
    }
}
