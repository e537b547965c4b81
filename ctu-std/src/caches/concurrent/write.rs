//! Writes: entries come and leave under the lock of their shard.

use super::{
    ConcurrentCache,
    entry::{Entry, Hot},
    removal::{Gone, RemovalCause},
    shards::Writing,
};
use ctu_core::{Clock, Error, StoredKey};
use std::{hash::BuildHasher, sync::Arc, time::Duration};

/// Attempts of an entry to find room beside those of other threads.
const ATTEMPTS: usize = 1_000;

/// The condition of a write on the entry that it replaces.
pub(super) enum Expected<'e, K, V> {
    Any,
    /// No live entry.
    Absent,
    /// This entry.
    Same(&'e Arc<Hot<K, V>>),
}

impl<K, V> Expected<'_, K, V> {
    /// Whether the entry in a shard is the expected one.
    pub(super) fn is(&self, found: Option<&Entry<K, V>>, now: u64) -> bool {
        let live = found.filter(|entry| entry.kept().life.is_live(now));
        match (self, live) {
            (Self::Any, _) | (Self::Absent, None) => true,
            (Self::Same(expected), Some(Entry::Hot(found, _))) => Arc::ptr_eq(expected, found),
            _ => false,
        }
    }
}

/// An entry that is to be stored.
pub(super) struct New<K, V> {
    pub(super) hash: u64,
    pub(super) entry: Entry<K, V>,
    pub(super) now: u64,
}

impl<K, V, T: Clock, H> ConcurrentCache<K, V, T, H> {
    /// The entries that leave in one operation.
    #[inline]
    pub(super) const fn gone(&self) -> Gone<'_, K, V> {
        Gone::new(self.listener.as_ref())
    }

    /// The time for the eviction. `None` where no entry expires.
    #[inline]
    pub(super) fn expiry_at(&self, now: u64) -> Option<u64> {
        self.limits.has_clock.then_some(now)
    }

    /// Takes an entry that has left its shard out of all accounts.
    #[inline]
    pub(super) fn account(&self, shard: usize, entry: &Entry<K, V>, cause: RemovalCause) {
        self.forget(shard, entry);
        self.count_removal(cause);
    }

    /// [`account`](Self::account) without the statistics.
    #[inline]
    pub(super) fn forget(&self, shard: usize, entry: &Entry<K, V>) {
        self.near.forget(entry);
        if let Some(weights) = &self.weights {
            weights.give_back(shard, entry.kept().life.weight());
        }
    }

    #[inline]
    fn count_insertion(&self) {
        if let Some(counts) = &self.counts {
            counts.came(self.near.stripe());
        }
    }

    #[inline]
    pub(super) fn count_removal(&self, cause: RemovalCause) {
        if let Some(counts) = &self.counts {
            counts.left(self.near.stripe(), cause);
        }
    }

    /// `cause`, unless the life of the entry is over.
    #[inline]
    pub(super) fn cause(entry: &Entry<K, V>, now: u64, cause: RemovalCause) -> RemovalCause {
        match entry.kept().life.is_live(now) {
            true => cause,
            false => RemovalCause::Expired,
        }
    }

    /// Makes room for an entry in a shard, if there is an entry.
    #[inline]
    pub(super) fn evict(
        &self,
        index: usize,
        shard: &mut Writing<'_, K, V>,
        now: u64,
        gone: &mut Gone<'_, K, V>,
    ) -> bool {
        let evicted = shard.evict(self.adaptation.share(), self.expiry_at(now));
        let Some(entry) = evicted else { return false };
        let cause = Self::cause(&entry, now, RemovalCause::Evicted);
        self.account(index, &entry, cause);
        gone.push(entry, cause);
        true
    }

    /// Removes the entry in a slot.
    pub(super) fn remove_slot(
        &self,
        index: usize,
        shard: &mut Writing<'_, K, V>,
        slot: u32,
        now: u64,
        gone: &mut Gone<'_, K, V>,
    ) -> bool {
        let Some(entry) = shard.remove(slot) else {
            return false;
        };
        let cause = Self::cause(&entry, now, RemovalCause::Removed);
        self.account(index, &entry, cause);
        gone.push(entry, cause);
        cause == RemovalCause::Removed
    }
}

impl<K, V, T, H> ConcurrentCache<K, V, T, H>
where
    K: StoredKey,
    T: Clock,
    H: BuildHasher,
{
    /// An entry that may be stored. Runs the code of the key, weigher and times, under no lock.
    pub(super) fn prepare(
        &self,
        key: &K::Lookup,
        value: V,
        ttl: Option<Duration>,
    ) -> Result<New<K, V>, Error> {
        let now = self.clock.now();
        let own = K::store(key)?;
        let weight = match &self.weights {
            None => 1,
            Some(weights) => {
                let (weight, max) = (weights.weigh(&own, &value), weights.max());
                if weight > max {
                    return Err(Error::EntryTooHeavy { weight, max });
                }
                weight
            }
        };
        let life = self.limits.life((&own, &value), ttl, weight, now)?;
        Ok(New {
            hash: self.hash(key),
            entry: Entry::new(own, value, life),
            now,
        })
    }

    /// Whether entries may have a time-to-live.
    #[cfg(feature = "snapshot")]
    pub(crate) fn has_expiry(&self) -> bool {
        self.limits.has_clock
    }

    /// Stores an entry that was used before.
    #[cfg(feature = "snapshot")]
    pub(crate) fn insert_used(
        &self,
        key: K,
        value: V,
        ttl: Option<Duration>,
        uses: u8,
    ) -> Result<(), Error> {
        let new = self.prepare(
            key.borrow(),
            value,
            ttl.map(|ttl| ttl.min(super::life::MAX_TTL)),
        )?;
        let hash = new.hash;
        self.store(new, &Expected::Any);
        if uses > 1 {
            let (_, mut shard) = self.shards.write(hash);
            let found = shard.find(hash as u32, |entry| {
                entry.kept().key.borrow() == key.borrow()
            });
            if let Some(slot) = found.map(|(slot, _)| slot) {
                shard.add_uses(slot, u32::from(uses) - 1);
            }
        }
        Ok(())
    }

    /// Stores an entry, if the one at its key is as expected. Returns whether it was.
    #[inline]
    pub(super) fn store(&self, new: New<K, V>, expected: &Expected<'_, K, V>) -> bool {
        let hash = new.hash;
        let mut gone = self.gone();
        let Some(first) = self.put(new, expected, &mut gone) else {
            return false;
        };
        if first {
            self.adaptation.observe(hash as u32);
        }
        true
    }

    /// Puts an entry in its shard. Returns whether its use is new to the policy; `None` if the old
    /// entry is not as expected.
    #[inline]
    fn put(
        &self,
        new: New<K, V>,
        expected: &Expected<'_, K, V>,
        gone: &mut Gone<'_, K, V>,
    ) -> Option<bool> {
        let New {
            hash,
            mut entry,
            now,
        } = new;
        let mut replaced = false;
        // Declared before the guard of the shard, so that it is dropped after the lock is released.
        let mut evicted = None;
        for _ in 0..ATTEMPTS {
            let (index, mut shard) = self.shards.write(hash);
            let found = shard.find(hash as u32, |found| {
                found.kept().key.borrow() == entry.kept().key.borrow()
            });
            if replaced {
                // Another entry came after this one had taken out the old: this one is older.
                if found.is_some() && !matches!(expected, Expected::Any) {
                    break;
                }
            } else if !expected.is(found.map(|(_, entry)| entry), now) {
                return None;
            }
            if let Some((slot, old)) = found {
                let cause = Self::cause(old, now, RemovalCause::Replaced);
                let is_live = cause == RemovalCause::Replaced;
                if is_live && let Some(life) = entry.life_mut() {
                    self.limits.succeed(life, &old.kept().life);
                }
                if self.exchange_weight(index, old, &entry) {
                    // An entry that is replaced is used.
                    let first = is_live && shard.hit(slot);
                    shard.watch(slot, false);
                    if let Some(old) = shard.replace(slot, entry) {
                        self.near.forget(&old);
                        self.count_removal(cause);
                        self.count_insertion();
                        gone.push(old, cause);
                    }
                    return Some(first);
                }
                if let Some(old) = shard.remove(slot) {
                    self.account(index, &old, cause);
                    gone.push(old, cause);
                }
                replaced = true;
            }
            if self.take_weight(index, &entry, &mut shard, now, gone) {
                let (share, at) = (self.adaptation.share(), self.expiry_at(now));
                if let Err(refused) = shard.insert(hash as u32, entry, share, at, &mut evicted) {
                    entry = refused;
                    break;
                }
                self.count_insertion();
                if let Some(left) = &evicted {
                    let cause = Self::cause(left, now, RemovalCause::Evicted);
                    self.account(index, left, cause);
                    gone.note(&mut evicted, cause);
                }
                return Some(true);
            }
            drop(shard);
            self.make_room_elsewhere(index, now, gone);
        }
        // There is no room: it came, and left.
        self.count_insertion();
        self.count_removal(RemovalCause::Evicted);
        gone.push(entry, RemovalCause::Evicted);
        Some(true)
    }

    /// Takes the weight of an entry in place of that of the one it replaces, if there is room.
    #[inline]
    fn exchange_weight(&self, index: usize, old: &Entry<K, V>, new: &Entry<K, V>) -> bool {
        let Some(weights) = &self.weights else {
            return true;
        };
        let weight = |entry: &Entry<K, V>| entry.kept().life.weight();
        weights.exchange(index, weight(old), weight(new))
    }

    /// Takes weight for an entry of a shard. Evicts from the shard while it is the one to make room.
    #[inline]
    fn take_weight(
        &self,
        index: usize,
        entry: &Entry<K, V>,
        shard: &mut Writing<'_, K, V>,
        now: u64,
        gone: &mut Gone<'_, K, V>,
    ) -> bool {
        let Some(weights) = &self.weights else {
            return true;
        };
        // The entry that makes room gives back its weight.
        if shard.is_full() && !self.evict(index, shard, now, gone) {
            return true;
        }
        while !weights.exchange(index, 0, entry.kept().life.weight()) {
            if weights.makes_room(index) != index || !self.evict(index, shard, now, gone) {
                return false;
            }
        }
        true
    }

    #[cold]
    fn make_room_elsewhere(&self, index: usize, now: u64, gone: &mut Gone<'_, K, V>) {
        let Some(weights) = &self.weights else { return };
        let heaviest = weights.makes_room(index);
        if let Some(mut shard) = self.shards.write_at(heaviest) {
            self.evict(heaviest, &mut shard, now, gone);
        }
    }
}
