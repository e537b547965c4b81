//! The shards of a cache: tables behind locks, chosen by the hash of a key.

use super::{
    entry::Entry,
    locks::{RwLock, RwLockReadGuard, RwLockWriteGuard},
    near::processors,
    weights::Weights,
};
use ctu_core::stores::policy::{Entry as _, Table};
use std::{
    ops::Deref,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Places a value in separate cache lines of the processor. Threads that use other data in the line
/// of a lock would wait for the line.
#[repr(align(128))]
pub(super) struct Apart<T>(pub(super) T);

impl<T> Deref for Apart<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

pub(super) type Reading<'a, K, V> = RwLockReadGuard<'a, Table<Entry<K, V>>>;
pub(super) type Writing<'a, K, V> = RwLockWriteGuard<'a, Table<Entry<K, V>>>;

/// A shard: a table behind a lock.
type Shard<K, V> = Apart<RwLock<Table<Entry<K, V>>>>;

pub(super) struct Shards<K, V> {
    all: Box<[Shard<K, V>]>,
    /// The number of shards in use, a power of two. It changes under the locks of all shards.
    used: AtomicUsize,
}

/// Entries a shard, at least: fewer are shared out too unevenly.
pub(super) const SHARE: usize = 128;
/// Shards a processor, at most.
const SHARDS: usize = 4;

/// The shard of a mixed hash, by the highest bits, which its table does not use. `used` is a power
/// of two.
#[inline]
const fn shard_index(hash: u64, used: usize) -> usize {
    ((hash >> 32) >> (32 - used.trailing_zeros())) as usize
}

/// The most shards, a power of two up to `most`, that have enough entries each.
const fn suitable(capacity: usize, most: usize) -> usize {
    let mut shards = most;
    while shards > 1 && capacity / shards < SHARE {
        shards /= 2;
    }
    shards
}

/// The capacity of a shard. The first shards take the remainder.
const fn share(capacity: usize, shards: usize, shard: usize) -> usize {
    capacity / shards + (shard < capacity % shards) as usize
}

impl<K, V> Shards<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        let shards = suitable(capacity, SHARDS * processors().next_power_of_two());
        let table = |shard| Table::new(share(capacity, shards, shard));
        Self {
            all: (0..shards)
                .map(|shard| Apart(RwLock::new(table(shard))))
                .collect(),
            used: AtomicUsize::new(shards),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The shard of a hash, to read.
    #[inline]
    pub(super) fn read(&self, hash: u64) -> Reading<'_, K, V> {
        loop {
            let used = self.used.load(Relaxed);
            let shard = self.all[shard_index(hash, used)].read();
            // The number of shards does not change while a lock is held.
            if self.used.load(Relaxed) == used {
                return shard;
            }
        }
    }

    /// The shard of a hash, to write, and its number.
    #[inline]
    pub(super) fn write(&self, hash: u64) -> (usize, Writing<'_, K, V>) {
        loop {
            let used = self.used.load(Relaxed);
            let index = shard_index(hash, used);
            let shard = self.all[index].write();
            if self.used.load(Relaxed) == used {
                return (index, shard);
            }
        }
    }

    /// [`write`](Self::write) where no other thread holds the lock.
    pub(super) fn try_write(&self, hash: u64) -> Option<Writing<'_, K, V>> {
        let used = self.used.load(Relaxed);
        let shard = self.all[shard_index(hash, used)].try_write()?;
        (self.used.load(Relaxed) == used).then_some(shard)
    }

    /// The shard with this number, to read.
    pub(super) fn read_at(&self, index: usize) -> Option<Reading<'_, K, V>> {
        Some(self.all.get(index)?.read())
    }

    /// The shard with this number, to write.
    pub(super) fn write_at(&self, index: usize) -> Option<Writing<'_, K, V>> {
        Some(self.all.get(index)?.write())
    }

    /// Changes the capacity of all shards together. `window` is the window's share in a thousand,
    /// and `leave` takes each entry that has no room. With few entries a shard, shards are joined.
    pub(super) fn set_capacity(
        &self,
        capacity: usize,
        window: usize,
        weights: Option<&Weights<K, V>>,
        now: Option<u64>,
        mut leave: impl FnMut(usize, Entry<K, V>),
    ) {
        let mut shards: Vec<_> = self.all.iter().map(|shard| shard.write()).collect();
        let before = self.used.load(Relaxed);
        let after = suitable(capacity, before);
        // The number of a hash's shard among half as many is half its number.
        let joined = before / after;
        for to in 0..after {
            let mut moved = Vec::new();
            let own = share(capacity, after, to);
            let sources = shards.iter_mut().enumerate().skip(to * joined);
            for (from, shard) in sources.take(joined) {
                if joined == 1 && shard.len() <= own {
                    continue;
                }
                let order: Vec<_> = shard.in_order().collect();
                for slot in order {
                    let (hash, uses) = (shard.hash(slot), shard.uses(slot));
                    let entry = shard.remove(slot);
                    moved.extend(hash.zip(entry).map(|(hash, entry)| {
                        let uses = uses + u32::from(entry.take_unmarked());
                        (hash, entry, uses)
                    }));
                }
                shard.set_capacity(0);
                if let Some(weights) = weights
                    && from != to
                {
                    weights.shift(from, to);
                }
            }
            let shard = &mut shards[to];
            shard.set_capacity(own);
            // Without room for all, the entries with the most uses stay, in their order.
            let excess = moved.len().saturating_sub(own);
            let least = {
                let mut uses: Vec<_> = moved.iter().map(|(_, _, uses)| *uses).collect();
                uses.sort_unstable();
                uses.get(excess).copied().unwrap_or(u32::MAX)
            };
            let mut equal = excess - moved.iter().filter(|(_, _, uses)| *uses < least).count();
            for (hash, entry, uses) in moved {
                if uses < least || uses == least && equal > 0 {
                    equal -= usize::from(uses == least);
                    leave(to, entry);
                    continue;
                }
                let is_hot = matches!(entry, Entry::Hot(..));
                let mut evicted = None;
                match shard.insert(hash, entry, window, now, &mut evicted) {
                    Ok(slot) => {
                        shard.watch(slot, is_hot);
                        shard.add_uses(slot, uses.saturating_sub(1));
                        if let Some(evicted) = evicted {
                            leave(to, evicted);
                        }
                    }
                    Err(entry) => leave(to, entry),
                }
            }
        }
        self.used.store(after, Relaxed);
    }
}
