//! Iteration over the entries of a cache, in batches, so that no lock is held between two of them.

use super::{ConcurrentCache, entry::Kept};
use ctu_core::{Clock, StoredKey};
use std::{hash::BuildHasher, iter, time::Duration, vec};

/// A copy of an entry of a [`ConcurrentCache`].
///
/// ```
/// use ctu_std::{CacheEntry, CacheExt, ConcurrentCache};
/// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
/// cache.insert("one", 1)?;
/// let entries: Vec<CacheEntry<String, u32>> = cache.entries().collect();
/// assert_eq!((entries[0].value, entries[0].weight, entries[0].remaining), (1, 1, None));
/// # Ok::<(), ctu_std::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheEntry<K, V> {
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// The time since the value was stored. `None` in a cache without a clock, or
    /// [without ages](super::ConcurrentCacheBuilder::without_ages).
    pub age: Option<Duration>,
    /// The time left if the entry is not used. `None` for no limit.
    pub remaining: Option<Duration>,
    /// The weight: 1 in a cache without a weigher.
    pub weight: u64,
}

/// A shard, and a slot of it.
#[derive(Clone, Copy)]
pub(super) struct Place {
    shard: usize,
    slot: u32,
}

impl Place {
    pub(super) const START: Self = Self { shard: 0, slot: 0 };
}

/// Slots that a batch looks at.
const BATCH: u32 = 64;

impl<K, V, T, H> ConcurrentCache<K, V, T, H>
where
    T: Clock,
{
    /// Copies of the live entries in the next slots, and the place after them if there is more.
    pub(super) fn batch<R>(
        &self,
        from: Place,
        copy: impl Fn(&Kept<K, V>, u64) -> R,
    ) -> (Vec<R>, Option<Place>) {
        let now = self.clock.now();
        let Some(shard) = self.shards.read_at(from.shard) else {
            return (Vec::new(), None);
        };
        let end = (shard.slots() as u32).min(from.slot.saturating_add(BATCH));
        let entries = (from.slot..end).filter_map(|slot| shard.get(slot));
        let live = entries
            .map(|entry| entry.kept())
            .filter(|kept| kept.life.is_live(now));
        let copies = live.map(|kept| copy(kept, now)).collect();
        let next = match (end as usize) < shard.slots() {
            true => Place { slot: end, ..from },
            false => Place {
                shard: from.shard + 1,
                slot: 0,
            },
        };
        (copies, Some(next))
    }

    fn copies<'c, R: 'c>(
        &'c self,
        copy: impl Fn(&Kept<K, V>, u64) -> R + 'c,
    ) -> impl Iterator<Item = R> + 'c {
        let mut place = Some(Place::START);
        let mut copies: vec::IntoIter<R> = Vec::new().into_iter();
        iter::from_fn(move || {
            loop {
                if let Some(next) = copies.next() {
                    return Some(next);
                }
                let (batch, next) = self.batch(place?, &copy);
                (copies, place) = (batch.into_iter(), next);
            }
        })
    }

    /// Copies of the live entries, in no order. An entry that is stored, moved by
    /// [`set_capacity`](Self::set_capacity) or removed meanwhile may be left out or come twice. It
    /// leaves no mark of use, and holds no lock between two entries.
    ///
    /// ```
    /// use ctu_std::{CacheExt, ConcurrentCache};
    ///
    /// let cache = ConcurrentCache::<u32, u32>::with_capacity(10);
    /// cache.insert(&1, 10)?;
    /// let entries: Vec<_> = cache.entries().collect();
    /// assert_eq!((entries[0].key, entries[0].value, entries[0].weight), (1, 10, 1));
    /// # Ok::<(), ctu_std::Error>(())
    /// ```
    pub fn entries<'c>(&'c self) -> impl Iterator<Item = CacheEntry<K, V>> + 'c
    where
        K: Clone + 'c,
        V: Clone + 'c,
    {
        self.copies(|kept, now| CacheEntry {
            key: kept.key.clone(),
            value: kept.value.clone(),
            age: kept.life.age(now),
            remaining: kept.life.remaining(now),
            weight: kept.life.weight(),
        })
    }

    /// Copies of the keys of live entries, as [`entries`](Self::entries).
    pub fn keys<'c>(&'c self) -> impl Iterator<Item = K> + 'c
    where
        K: Clone + 'c,
    {
        self.copies(|kept, _| kept.key.clone())
    }

    /// Calls `with` with a copy of each live entry, the time left apart from the time to idle, and
    /// the number of its recent uses, from the least to the most valuable entry. Stops at an error.
    #[cfg(feature = "snapshot")]
    pub(crate) fn each_ranked<E>(
        &self,
        mut with: impl FnMut(&K, &V, Option<Duration>, u8) -> Result<(), E>,
    ) -> Result<(), E>
    where
        K: Clone,
        V: Clone,
    {
        // Parts of all shards in turn, so that each is as valuable as the other.
        const PARTS: usize = 64;
        let shards = (0..self.shards.len()).filter_map(|index| self.shards.read_at(index));
        let orders: Vec<Vec<u32>> = shards.map(|shard| shard.in_order().collect()).collect();
        for part in 0..PARTS {
            for (index, order) in orders.iter().enumerate() {
                let end = |part: usize| order.len() * part / PARTS;
                let now = self.clock.now();
                let Some(shard) = self.shards.read_at(index) else {
                    continue;
                };
                let slots = order[end(part)..end(part + 1)].iter();
                let entries = slots.filter_map(|slot| Some((*slot, shard.get(*slot)?.kept())));
                let live = entries.filter(|(_, kept)| kept.life.is_live(now));
                let copies: Vec<_> = live
                    .map(|(slot, kept)| {
                        let entry = (kept.key.clone(), kept.value.clone());
                        (entry, kept.life.remaining_unused(now), shard.uses(slot))
                    })
                    .collect();
                drop(shard);
                for ((key, value), remaining, uses) in copies {
                    with(&key, &value, remaining, uses as u8)?;
                }
            }
        }
        Ok(())
    }

    /// Removes each entry for which `keep` returns false. As [`entries`](Self::entries) it holds no
    /// lock while `keep` runs, and copies entries, 64 at a time. An entry that is stored meanwhile is
    /// asked for or not.
    pub fn retain_entries(&self, mut keep: impl FnMut(&K, &V) -> bool)
    where
        K: StoredKey + Clone,
        V: Clone,
        H: BuildHasher,
    {
        let copies = self.copies(|kept, _| (kept.key.clone(), kept.value.clone()));
        for (key, value) in copies {
            if !keep(&key, &value) {
                self.take(key.borrow(), |_| ());
            }
        }
    }
}
