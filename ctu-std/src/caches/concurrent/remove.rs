//! Removals: entries leave under the lock of their shard, and are dropped after it.

use super::{ConcurrentCache, removal::RemovalCause, write::Expected};
use ctu_core::{Clock, StoredKey};
use std::hash::BuildHasher;

impl<K, V, T, H> ConcurrentCache<K, V, T, H>
where
    K: StoredKey,
    T: Clock,
    H: BuildHasher,
{
    /// Takes out the entry at `key`. Runs `read` on it if it is live.
    pub(super) fn take<R>(&self, key: &K::Lookup, read: impl FnOnce(&V) -> R) -> Option<R> {
        let hash = self.hash(key);
        let mut gone = self.gone();
        let (index, mut shard) = self.shards.write(hash);
        let (slot, _) = shard.find(hash as u32, |entry| entry.kept().key.borrow() == key)?;
        let entry = shard.remove(slot)?;
        self.forget(index, &entry);
        drop(shard);
        // After the entry was found: one that was stored in between would be live for too long.
        let cause = Self::cause(&entry, self.clock.now(), RemovalCause::Removed);
        self.count_removal(cause);
        gone.push(entry, cause);
        let value = &gone.first()?.kept().value;
        (cause == RemovalCause::Removed).then(|| read(value))
    }

    /// Takes out the entry at `key`, if it is the expected one. Returns whether it was.
    pub(super) fn take_expected(&self, key: &K::Lookup, expected: &Expected<'_, K, V>) -> bool {
        let (hash, now) = (self.hash(key), self.clock.now());
        let mut gone = self.gone();
        let (index, mut shard) = self.shards.write(hash);
        let found = shard.find(hash as u32, |entry| entry.kept().key.borrow() == key);
        if !expected.is(found.map(|(_, entry)| entry), now) {
            return false;
        }
        if let Some((slot, _)) = found {
            self.remove_slot(index, &mut shard, slot, now, &mut gone);
        }
        true
    }

    /// Removes every entry.
    pub(super) fn remove_all(&self) {
        for index in 0..self.shards.len() {
            let (mut gone, now) = (self.gone(), self.clock.now());
            let Some(mut shard) = self.shards.write_at(index) else {
                continue;
            };
            for entry in shard.clear().into_iter().flatten() {
                let cause = Self::cause(&entry, now, RemovalCause::Removed);
                self.account(index, &entry, cause);
                gone.push(entry, cause);
            }
        }
    }

    /// Removes the expired entries and returns their number. O(n).
    ///
    /// There is no need to call this: expired entries are not shown, and make room for new ones. It
    /// gives memory back where few new entries come.
    ///
    /// ```
    /// use ctu_std::{Cache, CacheExt, ConcurrentCache, ManualClock};
    /// use std::time::Duration;
    ///
    /// let clock = ManualClock::new();
    /// let cache = ConcurrentCache::<u32, u32, _>::with_ttl(100, Duration::from_secs(1), &clock);
    /// cache.insert(&1, 10)?;
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!((cache.expire(), cache.expire()), (1, 0));
    /// # Ok::<(), ctu_std::Error>(())
    /// ```
    pub fn expire(&self) -> usize {
        let mut removed = 0;
        for index in 0..self.shards.len() {
            let (mut gone, now) = (self.gone(), self.clock.now());
            let Some(mut shard) = self.shards.write_at(index) else {
                continue;
            };
            for slot in 0..shard.slots() as u32 {
                let entry = shard.get(slot);
                if entry.is_some_and(|entry| !entry.kept().life.is_live(now)) {
                    self.remove_slot(index, &mut shard, slot, now, &mut gone);
                }
            }
            drop(shard);
            removed += gone.len();
        }
        removed
    }
}
