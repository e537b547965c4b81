use super::queue::{MOST, Queue};
use crate::{Cache, Clock, Error, Found, StoredKey};
use ctu_core::heap::RandomState;
use papaya::HashMap;
use parking_lot::{Mutex, MutexGuard};
use std::{
    fmt,
    hash::BuildHasher,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

/// A cache for many threads: a hit takes no lock, waits for nobody, and in the long run writes nothing that other
/// processors read.
///
/// Which entry makes room is decided by [SIEVE](https://www.usenix.org/conference/nsdi24/presentation/zhang-yazhuo): entries
/// leave in the order they came, but for those that were used since they were last looked at. On skewed keys that keeps
/// more of what will be used again than the least-recently-used order does, and a hit has only to leave a mark.
///
/// | threads that | take |
/// | --- | --- |
/// | look up | [`SieveCache`] |
/// | mostly write, or need the exact order of use | [`ShardedCache`](crate::ShardedCache), [`LockedCache`](crate::LockedCache) of an [`LruCache`](crate::LruCache) |
///
/// ```
/// use ctu_std::{Cache, SieveCache};
///
/// let cache = SieveCache::<String, u32>::with_capacity(1_000);
/// cache.insert("one", 1)?;
/// assert_eq!(cache.get("one")?, Some(1));
/// # Ok::<(), ctu_std::Error>(())
/// ```
///
/// Entries expire where there is a time for them:
///
/// ```
/// use ctu_std::{Cache, SieveCache, StdClock};
/// use std::time::Duration;
///
/// let minute = Duration::from_secs(60);
/// let cache = SieveCache::<u64, String, _>::with_ttl(1_000, minute, StdClock::new());
/// cache.insert_for(&7, "soon gone", Duration::ZERO)?;
/// assert_eq!(cache.get(&7)?, None);
/// # Ok::<(), ctu_std::Error>(())
/// ```
///
/// # What an operation costs
/// `get`, `contains` and `get_with_ttl` are O(1), without a lock, and clone the value. What changes the cache takes a
/// lock, O(1) amortised. `clear` and `retain` are O(n), and so is `len` where entries expire.
/// Each key is kept twice: where keys are long, `Arc<str>` is a key of its own, but a `String` is copied.
///
/// # What leaves
/// An expired entry is never shown, and makes room before one that was used. A value that leaves is dropped a little
/// later, when no thread looks at it any more, by any thread that uses the cache: for values that have to go at
/// once, secrets for one, take a [`LockedCache`](crate::LockedCache).
///
/// Times are whole milliseconds, rounded down. The clock is one that does not go backwards.
pub struct SieveCache<K, V, C = Untimed, S = RandomState> {
    entries: HashMap<K, Entry<V>, S>,
    /// Whoever changes the entry of a key holds the queue that the key belongs to.
    queues: Box<[Mutex<Queue<K>>]>,
    /// Tells which that is.
    spread: RandomState,
    capacity: usize,
    ttl: Option<Duration>,
    clock: C,
}

struct Entry<V> {
    value: V,
    /// The millisecond at which it expires.
    until: u64,
    /// Where its key is in the queue.
    place: u32,
    /// Whether it was used since the hand came by.
    used: AtomicBool,
}

/// The clock of a [`SieveCache`] whose entries do not expire.
#[derive(Clone, Copy, Debug, Default)]
pub struct Untimed;

impl Clock for Untimed {
    #[inline]
    fn now(&self) -> u64 {
        0
    }
}

/// The time at which what does not expire would.
const NEVER: u64 = u64::MAX;

/// Threads that write meet less often where there are more queues. Which entry is the oldest one hardly matters among
/// as many as this.
const SHARE: usize = 256;
const QUEUES: usize = 16;

/// The longest time-to-live: 292 million years.
const LONGEST: Duration = Duration::from_millis(u64::MAX / 2);

impl<V> Entry<V> {
    #[inline]
    fn is_live(&self, now: u64) -> bool {
        now < self.until
    }

    /// Marks it as used.
    #[inline]
    fn mark(&self) {
        // A mark that is there already is not written again: the line stays with every processor that reads it.
        if !self.used.load(Relaxed) {
            self.used.store(true, Relaxed);
        }
    }

    /// Takes the mark away, and says whether there was one.
    fn unmark(&self) -> bool {
        let used = self.used.load(Relaxed);
        if used {
            self.used.store(false, Relaxed);
        }
        used
    }
}

impl<K, V> SieveCache<K, V> {
    /// A cache of at most `capacity` entries, 4,294,967,294 at most, that do not expire. Memory is taken as entries come.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::new(capacity, None, Untimed, RandomState::default())
    }
}

impl<K, V, C: Clock> SieveCache<K, V, C> {
    /// A cache of at most `capacity` entries that live for `ttl` by `clock` where they are given no time of their own.
    pub fn with_ttl(capacity: usize, ttl: Duration, clock: C) -> Self {
        Self::new(capacity, Some(ttl), clock, RandomState::default())
    }
}

impl<K, V, C, S> SieveCache<K, V, C, S> {
    fn new(capacity: usize, ttl: Option<Duration>, clock: C, hasher: S) -> Self {
        let capacity = capacity.min(MOST);
        let count = (capacity / SHARE).clamp(1, QUEUES);
        // The first of them take what is left over.
        let share = |queue| capacity / count + usize::from(queue < capacity % count);
        Self {
            entries: HashMap::with_hasher(hasher),
            queues: (0..count)
                .map(|queue| Mutex::new(Queue::new(share(queue))))
                .collect(),
            spread: RandomState::default(),
            capacity,
            ttl: ttl.map(|ttl| ttl.min(LONGEST)),
            clock,
        }
    }

    /// An empty cache of the same kind that hashes keys with `hasher`. One that callers can foresee lets them make
    /// operations slow.
    pub fn with_hasher<H>(self, hasher: H) -> SieveCache<K, V, C, H> {
        SieveCache::new(self.capacity, self.ttl, self.clock, hasher)
    }

    /// The most entries there may be.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<K, V, C, S> SieveCache<K, V, C, S>
where
    K: StoredKey,
    C: Clock,
    S: BuildHasher,
{
    /// Runs `read` on the live entry at `key`.
    #[inline]
    fn read<T>(&self, key: &K::Lookup, read: impl FnOnce(&Entry<V>, u64) -> T) -> Option<T> {
        let now = self.clock.now();
        let entries = self.entries.pin();
        let entry = entries.get(key)?;
        entry.is_live(now).then(|| read(entry, now))
    }

    /// The queue that `key` belongs to.
    fn queue(&self, key: &K::Lookup) -> MutexGuard<'_, Queue<K>> {
        // The remainder is less than the number of queues.
        let queue = self.spread.hash_one(key) % self.queues.len() as u64;
        self.queues[queue as usize].lock()
    }

    /// Takes out the entry at `key`. Runs `read` on it if it is live.
    fn take<T>(&self, key: &K::Lookup, read: impl FnOnce(&V) -> T) -> Option<T> {
        let now = self.clock.now();
        let entries = self.entries.pin();
        let mut queue = self.queue(key);
        let entry = entries.remove(key)?;
        let key = queue.remove(entry.place);
        drop(queue);
        drop(key);
        entry.is_live(now).then(|| read(&entry.value))
    }

    /// When an entry expires that is stored now for `ttl`.
    fn until(&self, ttl: Option<Duration>) -> Result<u64, Error> {
        let ttl = match (ttl, self.ttl) {
            (None, None) => return Ok(NEVER),
            (Some(_), None) => return Err(Error::TtlUnsupported),
            (Some(ttl), Some(_)) if ttl > LONGEST => {
                return Err(Error::TtlTooLong { max: LONGEST });
            }
            (Some(ttl), Some(_)) | (None, Some(ttl)) => ttl,
        };
        Ok(self.clock.now().saturating_add(ttl.as_millis() as u64))
    }
}

impl<K, V, C, S> Cache for SieveCache<K, V, C, S>
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
        Ok(self.read(key, |entry, _| {
            entry.mark();
            entry.value.clone()
        }))
    }

    fn put(&self, key: &K::Lookup, value: V, ttl: Option<Duration>) -> Result<(), Error> {
        let until = self.until(ttl)?;
        let own = K::store(key)?;
        if self.capacity == 0 {
            return Ok(());
        }
        let now = self.clock.now();
        // Before the lock, and so given back after it: nothing that leaves is dropped under the lock.
        let entries = self.entries.pin();
        let (mut queue, mut evicted) = (self.queue(key), None);
        let (place, used) = match entries.get(key) {
            // Storing it again is a use of it.
            Some(old) => (old.place, old.is_live(now)),
            None => {
                let kept = K::store(key)?;
                if queue.is_full() {
                    evicted = queue.evict(|key| {
                        let entry = entries.get(key.borrow());
                        entry.is_some_and(|entry| entry.is_live(now) && entry.unmark())
                    });
                    if let Some(key) = &evicted {
                        entries.remove(key.borrow());
                    }
                }
                (queue.push(kept), false)
            }
        };
        let entry = Entry {
            value,
            until,
            place,
            used: AtomicBool::new(used),
        };
        entries.insert(own, entry);
        drop(queue);
        drop(evicted);
        Ok(())
    }

    fn remove(&self, key: &K::Lookup) -> Result<bool, Error> {
        Ok(self.take(key, |_| ()).is_some())
    }

    /// As [`Cache::clear`]. What is stored meanwhile may stay.
    fn clear(&self) -> Result<(), Error> {
        let entries = self.entries.pin();
        for queue in &self.queues {
            let keys = {
                let mut queue = queue.lock();
                let keys = queue.drain();
                for key in &keys {
                    entries.remove(key.borrow());
                }
                keys
            };
            drop(keys);
        }
        Ok(())
    }

    fn len(&self) -> Result<usize, Error> {
        let entries = self.entries.pin();
        if self.ttl.is_none() {
            return Ok(entries.len());
        }
        let now = self.clock.now();
        Ok(entries.values().filter(|entry| entry.is_live(now)).count())
    }

    #[inline]
    fn contains(&self, key: &K::Lookup) -> Result<bool, Error> {
        Ok(self.read(key, |_, _| ()).is_some())
    }

    #[inline]
    fn get_with_ttl(&self, key: &K::Lookup) -> Result<Found<V>, Error> {
        Ok(self.read(key, |entry, now| {
            entry.mark();
            let left = self.ttl.map(|_| Duration::from_millis(entry.until - now));
            (entry.value.clone(), left)
        }))
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.ttl
    }

    fn pop(&self, key: &K::Lookup) -> Result<Option<V>, Error> {
        Ok(self.take(key, V::clone))
    }

    /// As [`Cache::retain`]. What is stored meanwhile is asked for or not. No lock is held while `keep` runs.
    fn retain(&self, keep: &mut dyn FnMut(&K::Lookup) -> bool) -> Result<(), Error> {
        for key in self.entries.pin().keys() {
            let key = key.borrow();
            if !keep(key) {
                self.take(key, |_| ());
            }
        }
        Ok(())
    }
}

impl<K, V, C, S> fmt::Debug for SieveCache<K, V, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SieveCache")
            .field("capacity", &self.capacity)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
