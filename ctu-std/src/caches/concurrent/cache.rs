//! `ConcurrentCache`: shards of a table with the adaptive policy.

use super::{
    entry::{Entry, Kept},
    near::{Near, processors},
};
use crate::caches::shard_index::shard_index;
use ctu_core::{
    Cache, Clock, Error, Found, InMemory, KeyParts, StoredKey,
    heap::RandomState,
    stores::policy::{Sample, Table, Tuner},
};
use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use std::{
    fmt,
    hash::{BuildHasher, Hasher},
    ops::Deref,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

/// A cache for many threads with an eviction policy that adapts to the distribution of the keys.
///
/// The cache keeps frequently and recently used entries, in a proportion that adapts to the keys.
/// For skewed keys, loops, scans and drifting keys it comes near the best policy for each
/// ([`stores::policy`](crate::stores::policy)).
///
/// ```
/// use ctu_std::{Cache, CacheExt, ConcurrentCache};
///
/// let cache = ConcurrentCache::<String, u32>::with_capacity(1_000);
/// cache.insert("one", 1)?;
/// assert_eq!(cache.get("one")?, Some(1));
/// # Ok::<(), ctu_std::Error>(())
/// ```
///
/// Entries expire where there is a time for them:
///
/// ```
/// use ctu_std::{Cache, CacheExt, ConcurrentCache, StdClock};
/// use std::time::Duration;
///
/// let minute = Duration::from_secs(60);
/// let cache = ConcurrentCache::<u64, String, _>::with_ttl(1_000, minute, StdClock::new());
/// cache.insert_with_ttl(&7, "soon gone", Duration::ZERO)?;
/// assert_eq!(cache.get(&7)?, None);
/// # Ok::<(), ctu_std::Error>(())
/// ```
///
/// # Cost
/// Every operation is O(1), but for `clear`, `retain`, `expire`, and `len` where entries expire,
/// which are O(n). Among `n` keys with the same hash an operation is O(n). A hit clones the value
/// under a lock that other hits share: wrap large values in an `Arc`. A key that many threads look
/// up is found without a write to memory that they have in common.
///
/// An entry takes some 45 bytes besides its key and value, and twice the key and value for a moment
/// while the memory of all entries grows. A cache takes 4 KiB, and 32 bytes for each of up to 1,024
/// hot entries and each thread that looks them up, for at most twice as many threads as processors.
///
/// # Bounds
/// There are never more entries than the capacity, and with room for 256 or more, seldom quite as
/// many: keys are shared out by their hash among shards, and one may be full when others are not.
/// Of 1,000 keys, room for 1,000 keeps some 97 %.
///
/// A removed value is dropped at the end of the operation, after all locks, by the thread of the
/// operation, or by a thread that clones the value at that moment.
///
/// An expired entry is never returned. It is evicted in its turn, before entries that were used.
///
/// # Code of keys and values
/// No lock is held while a value is dropped, a key is stored, or the closure of `retain` runs: they
/// may use the cache. `Hash`, `Eq` and `Clone` run under locks: they must not use the cache, which
/// would wait for itself for ever. All of them may panic: the cache stays whole.
///
/// # Time
/// Times are whole milliseconds, rounded down. The clock counts all 64 bits ([`Clock::BITS`]) and
/// does not go backwards, as [`StdClock`](crate::StdClock) and [`CoarseClock`](crate::CoarseClock)
/// do not.
pub struct ConcurrentCache<K, V, C = NoClock, S = RandomState> {
    shards: Box<[Shard<K, V>]>,
    near: Near<K, V>,
    tuner: Box<Apart<Mutex<Tuner>>>,
    /// The tuner's share of the window, in a thousand.
    share: AtomicUsize,
    sample: Sample,
    hasher: S,
    capacity: usize,
    ttl: Option<Duration>,
    clock: C,
}

struct Shard<K, V>(Apart<RwLock<Table<Entry<K, V>>>>);

/// Places a value in separate cache lines of the processor. Threads that use other data in the line
/// of a lock would wait for the line.
#[repr(align(128))]
struct Apart<T>(T);

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

type Locked<'a, K, V> = RwLockWriteGuard<'a, Table<Entry<K, V>>>;

/// The clock of a cache without expiry.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoClock;

impl Clock for NoClock {
    #[inline]
    fn now(&self) -> u64 {
        0
    }
}

/// The expiry of an entry that does not expire.
const NEVER: u64 = u64::MAX;

/// Entries a shard, at least: fewer are shared out too unevenly.
const SHARE: usize = 128;
/// Shards a processor, at most.
const SHARDS: usize = 4;

/// The longest time-to-live: 292 million years.
const MAX_TTL: Duration = Duration::from_millis(u64::MAX / 2);

/// Entries that `retain` asks about at a time.
const BATCH: usize = 64;

impl<K, V> ConcurrentCache<K, V> {
    /// A cache of at most `capacity` entries that do not expire. Memory is taken as entries come.
    /// One of capacity 0 keeps nothing.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::new(capacity, None, NoClock, RandomState::default())
    }
}

impl<K, V, C: Clock> ConcurrentCache<K, V, C> {
    /// A cache of at most `capacity` entries that live for `ttl` by `clock` where they are given no
    /// time of their own. Compiles only for a clock that does not wrap around:
    ///
    /// ```compile_fail
    /// use ctu_std::{Clock, ConcurrentCache};
    /// use std::time::Duration;
    ///
    /// struct Wraps;
    /// impl Clock for Wraps {
    ///     const BITS: u32 = 32;
    ///     fn now(&self) -> u64 {
    ///         0
    ///     }
    /// }
    /// ConcurrentCache::<u64, u64, _>::with_ttl(100, Duration::from_secs(60), Wraps);
    /// ```
    pub fn with_ttl(capacity: usize, ttl: Duration, clock: C) -> Self {
        const {
            assert!(
                C::BITS >= u64::BITS,
                "the clock of a ConcurrentCache must not wrap around"
            );
        }
        Self::new(capacity, Some(ttl), clock, RandomState::default())
    }
}

impl<K, V, C, S> ConcurrentCache<K, V, C, S> {
    fn new(capacity: usize, ttl: Option<Duration>, clock: C, hasher: S) -> Self {
        let most = SHARDS * processors().next_power_of_two();
        let count = (capacity / SHARE).clamp(1, most);
        // The first shards take the remainder.
        let share = |shard| capacity / count + usize::from(shard < capacity % count);
        let tuner = Tuner::new(capacity);
        Self {
            shards: (0..count)
                .map(|shard| Shard(Apart(RwLock::new(Table::new(share(shard))))))
                .collect(),
            near: Near::new(capacity),
            share: AtomicUsize::new(tuner.share()),
            sample: tuner.sample(),
            tuner: Box::new(Apart(Mutex::new(tuner))),
            hasher,
            capacity,
            ttl: ttl.map(|ttl| ttl.min(MAX_TTL)),
            clock,
        }
    }

    /// An empty cache of the same kind that hashes keys with `hasher`. Every bit of the hash
    /// counts. If callers choose keys, their hashes must not be predictable: many keys with one
    /// hash make operations slow.
    pub fn with_hasher<H>(self, hasher: H) -> ConcurrentCache<K, V, C, H> {
        ConcurrentCache::new(self.capacity, self.ttl, self.clock, hasher)
    }

    /// The most entries there may be.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The shard of a hash.
    #[inline]
    fn shard(&self, hash: u64) -> &RwLock<Table<Entry<K, V>>> {
        &self.shards[shard_index(hash, self.shards.len())].0
    }

    /// Shows the tuner a use of a key.
    #[inline]
    fn observe(&self, hash: u64) {
        if self.sample.has(hash as u32) {
            self.tune(hash as u32);
        }
    }

    #[cold]
    fn tune(&self, hash: u32) {
        // A sample: where another thread is at it, this use is left out.
        if let Some(mut tuner) = self.tuner.try_lock() {
            tuner.observe(hash);
            // Read by all threads, and seldom changed.
            if self.share.load(Relaxed) != tuner.share() {
                self.share.store(tuner.share(), Relaxed);
            }
        }
    }
}

/// Mixes a hash, so that every bit of it counts in every bit.
#[inline]
fn mix(hash: u64) -> u64 {
    // Digits of pi.
    const ODD: u64 = 0x243f_6a88_85a3_08d3;
    const MASK: u64 = 0x1319_8a2e_0370_7344;
    let product = u128::from(hash ^ MASK) * u128::from(ODD);
    product as u64 ^ (product >> 64) as u64
}

impl<K, V, C, S> ConcurrentCache<K, V, C, S>
where
    K: StoredKey,
    C: Clock,
    S: BuildHasher,
{
    #[inline]
    fn hash(&self, key: &K::Lookup) -> u64 {
        mix(self.hasher.hash_one(key))
    }

    /// Runs `read` on the live entry that `is` recognizes, which is used.
    #[inline]
    fn read<T>(
        &self,
        hash: u64,
        is: impl Fn(&K::Lookup) -> bool,
        read: impl FnOnce(&Kept<K, V>) -> T,
    ) -> Option<T> {
        // Before the look-up, without a lock. An entry that is stored in between is live then, too.
        let now = self.clock.now();
        if let Some(found) = self.near.find(hash, |key| is(key.borrow()))
            && let Some(hot) = &*found
        {
            if !hot.kept.is_live(now) {
                return None;
            }
            let first = hot.mark();
            let value = read(&hot.kept);
            drop(found);
            if first {
                self.observe(hash);
            }
            return Some(value);
        }
        let shard = self.shard(hash).read();
        let (slot, entry) = shard.find(hash as u32, |entry| is(entry.kept().key.borrow()))?;
        let kept = entry.kept();
        if !kept.is_live(now) {
            return None;
        }
        let first = shard.hit(slot);
        let value = read(kept);
        drop(shard);
        if first {
            self.observe(hash);
        }
        if self.near.is_sampled() {
            self.bring_near(hash, is);
        }
        Some(value)
    }

    /// Puts an entry near this thread.
    #[cold]
    fn bring_near(&self, hash: u64, is: impl Fn(&K::Lookup) -> bool) {
        // Under contention it is left to another hit.
        let Some(mut shard) = self.shard(hash).try_write() else {
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

    /// Removes the entry in a slot.
    fn remove_slot(&self, shard: &mut Locked<'_, K, V>, slot: u32) -> Option<Entry<K, V>> {
        let entry = shard.remove(slot)?;
        self.near.forget(&entry);
        Some(entry)
    }

    /// Takes out the entry at `key`. Runs `read` on it if it is live.
    fn take<T>(&self, key: &K::Lookup, read: impl FnOnce(&V) -> T) -> Option<T> {
        let hash = self.hash(key);
        let mut shard = self.shard(hash).write();
        let (slot, _) = shard.find(hash as u32, |entry| entry.kept().key.borrow() == key)?;
        let entry = self.remove_slot(&mut shard, slot)?;
        drop(shard);
        let kept = entry.kept();
        kept.is_live(self.clock.now()).then(|| read(&kept.value))
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
        for Shard(shard) in &self.shards {
            let mut gone = Vec::new();
            let mut shard = shard.write();
            let now = self.clock.now();
            for slot in 0..shard.slots() as u32 {
                let entry = shard.get(slot);
                if entry.is_some_and(|entry| !entry.kept().is_live(now)) {
                    gone.extend(self.remove_slot(&mut shard, slot));
                }
            }
            drop(shard);
            removed += gone.len();
        }
        removed
    }

    /// The expiry of an entry that is stored `now` for `ttl`.
    fn until(&self, now: u64, ttl: Option<Duration>) -> Result<u64, Error> {
        let ttl = match (ttl, self.ttl) {
            (None, None) => return Ok(NEVER),
            (Some(_), None) => return Err(Error::TtlUnsupported),
            (Some(ttl), Some(_)) if ttl > MAX_TTL => {
                return Err(Error::TtlTooLong { max: MAX_TTL });
            }
            (Some(ttl), Some(_)) | (None, Some(ttl)) => ttl,
        };
        Ok(match ttl.as_millis() as u64 {
            // Not live by any time, however long ago it was read.
            0 => 0,
            ttl => now.saturating_add(ttl),
        })
    }
}

impl<K, V, C, S> InMemory for ConcurrentCache<K, V, C, S> {}

impl<K, V, C, S> Cache for ConcurrentCache<K, V, C, S>
where
    K: StoredKey,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    type Key = K::Lookup;
    type Value = V;
    type Error = Error;

    #[inline]
    fn get(&self, key: &K::Lookup) -> Result<Option<V>, Error> {
        let value = |kept: &Kept<K, V>| kept.value.clone();
        Ok(self.read(self.hash(key), |found| found == key, value))
    }

    #[inline]
    fn get_equivalent<Q: KeyParts<K::Lookup>>(&self, key: &Q) -> Result<Option<V>, Error> {
        let mut state = self.hasher.build_hasher();
        key.hash_as(&mut state);
        let value = |kept: &Kept<K, V>| kept.value.clone();
        Ok(self.read(mix(state.finish()), |found| key.is(found), value))
    }

    fn insert_entry(&self, key: &K::Lookup, value: V, ttl: Option<Duration>) -> Result<(), Error> {
        let now = self.clock.now();
        let until = self.until(now, ttl)?;
        let own = K::store(key)?;
        if self.capacity == 0 {
            return Ok(());
        }
        let hash = self.hash(key);
        let entry = Entry::new(own, value, until);
        let mut shard = self.shard(hash).write();
        let found = shard.find(hash as u32, |entry| entry.kept().key.borrow() == key);
        // The replaced value is dropped after the unlock.
        let (old, first) = match found {
            Some((slot, found)) => {
                // An entry that is replaced is used.
                let first = found.kept().is_live(now) && shard.hit(slot);
                shard.watch(slot, false);
                (shard.replace(slot, entry), first)
            }
            None => {
                let share = self.share.load(Relaxed);
                let evicted = match shard.is_full() {
                    true => shard.evict(share, now),
                    false => None,
                };
                // There is room.
                let _ = shard.insert(hash as u32, entry, share, now);
                (evicted, true)
            }
        };
        if let Some(old) = &old {
            self.near.forget(old);
        }
        drop(shard);
        if first {
            self.observe(hash);
        }
        Ok(())
    }

    fn remove(&self, key: &K::Lookup) -> Result<bool, Error> {
        Ok(self.take(key, |_| ()).is_some())
    }

    /// As [`Cache::clear`], one shard after the other: an entry that is stored meanwhile may stay.
    fn clear(&self) -> Result<(), Error> {
        for Shard(shard) in &self.shards {
            let mut shard = shard.write();
            let gone = shard.clear();
            gone.iter()
                .flatten()
                .for_each(|entry| self.near.forget(entry));
            drop(shard);
            drop(gone);
        }
        Ok(())
    }

    fn len(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let len = self.shards.iter().map(|Shard(shard)| {
            let shard = shard.read();
            match self.ttl {
                None => shard.len(),
                Some(_) => {
                    let live = shard.iter().filter(|(_, entry)| entry.kept().is_live(now));
                    live.count()
                }
            }
        });
        Ok(len.sum())
    }

    #[inline]
    fn contains(&self, key: &K::Lookup) -> Result<bool, Error> {
        let now = self.clock.now();
        let hash = self.hash(key);
        let shard = self.shard(hash).read();
        let found = shard.find(hash as u32, |entry| entry.kept().key.borrow() == key);
        Ok(found.is_some_and(|(_, entry)| entry.kept().is_live(now)))
    }

    fn get_with_ttl(&self, key: &K::Lookup) -> Result<Found<V>, Error> {
        let found = self.read(
            self.hash(key),
            |found| found == key,
            |kept| {
                // After it was found: an entry that was stored in between would have too much left.
                let now = self.clock.now();
                let left = self
                    .ttl
                    .map(|_| Duration::from_millis(kept.until.saturating_sub(now)));
                kept.is_live(now).then(|| (kept.value.clone(), left))
            },
        );
        Ok(found.flatten())
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.ttl
    }

    fn pop(&self, key: &K::Lookup) -> Result<Option<V>, Error> {
        Ok(self.take(key, V::clone))
    }

    /// As [`Cache::retain`]. An entry that is stored meanwhile is asked for or not. No lock is held
    /// while `keep` runs. It copies keys, 64 at a time.
    fn retain(&self, keep: &mut dyn FnMut(&K::Lookup) -> bool) -> Result<(), Error> {
        for Shard(shard) in &self.shards {
            let mut next = 0;
            loop {
                let mut keys = Vec::new();
                let locked = shard.read();
                let slots = locked.slots() as u32;
                while next < slots && keys.len() < BATCH {
                    if let Some(entry) = locked.get(next) {
                        keys.push(K::store(entry.kept().key.borrow())?);
                    }
                    next += 1;
                }
                drop(locked);
                for key in &keys {
                    if !keep(key.borrow()) {
                        self.take(key.borrow(), |_| ());
                    }
                }
                if next >= slots {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl<K, V, C, S> fmt::Debug for ConcurrentCache<K, V, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrentCache")
            .field("capacity", &self.capacity)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
