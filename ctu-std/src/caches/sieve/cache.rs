use super::{
    entry::{ByHash, ByKey, ByParts, Entry, Hashed, Kept},
    queue::{MOST, Queue},
};
use crate::caches::spread::spread;
use ctu_core::heap::RandomState;
use ctu_core::{Cache, CacheExt, Clock, Equivalent, Error, Found, InMemory, StoredKey};
use papaya::{HashMap, HashMapRef, LocalGuard};
use parking_lot::{Mutex, MutexGuard};
use std::{
    fmt,
    hash::{BuildHasher, Hash, Hasher},
    time::Duration,
};

/// A cache for many threads: a hit takes no lock, waits for nobody, and in the long run writes nothing that other
/// processors read.
///
/// Which entry makes room is decided by [SIEVE](https://www.usenix.org/conference/nsdi24/presentation/zhang-yazhuo): entries
/// leave in the order they came, but for those that were used since they were last looked at. On skewed keys that keeps
/// more of what will be used again than the least-recently-used order does, and less where what is used keeps changing; a
/// hit has only to leave a mark.
///
/// | threads that | take |
/// | --- | --- |
/// | look up | [`SieveCache`] |
/// | mostly write, or whose keys of interest keep changing | [`ShardedCache`](crate::ShardedCache), [`LockedCache`](crate::LockedCache) of an [`LruCache`](crate::LruCache) |
/// | need several operations in one step, the exact order of use, every last entry of the capacity, or values dropped at once | [`LockedCache`](crate::LockedCache) of an [`LruCache`](crate::LruCache) or [`TtlCache`](crate::TtlCache) |
///
/// ```
/// use ctu_std::{Cache, CacheExt, SieveCache};
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
/// use ctu_std::{Cache, CacheExt, SieveCache, StdClock};
/// use std::time::Duration;
///
/// let minute = Duration::from_secs(60);
/// let cache = SieveCache::<u64, String, _>::with_ttl(1_000, minute, StdClock::new());
/// cache.insert_with_ttl(&7, "soon gone", Duration::ZERO)?;
/// assert_eq!(cache.get(&7)?, None);
/// # Ok::<(), ctu_std::Error>(())
/// ```
///
/// # What an operation costs
/// `get`, `contains` and `get_with_ttl` are O(1), without a lock, and clone the value. What changes the cache takes a
/// lock, O(1) amortised. `clear` and `retain` are O(n), and so is `len` where entries expire. An entry takes some 80 bytes
/// besides its key and value.
///
/// No lock is held while a value is cloned or dropped, a key is stored, or the closure of `retain` runs: they may use the
/// cache, and panic. `Hash` and `Eq` may panic, but must not use the cache: that would wait for itself for ever.
///
/// # What leaves
/// There are never more entries than the capacity, and with room for 512 or more, seldom quite as many: keys are shared out
/// by their hash among up to 16 queues, and one may be full when others are not. Of 1,000 keys, room for 1,000 keeps 98 %; of
/// 100,000, room for as many keeps 99.5 %.
///
/// An expired entry is never shown. It is removed when its turn comes, before one that was used; unlike in a
/// [`TtlCache`](crate::TtlCache), a live one that was not used may have to go first.
///
/// A value that leaves is dropped later: a thread collects those that it takes out, and when there are 32, or as many as
/// processors, they go as soon as every operation has ended that had begun by then. So
/// * some 32 values for each thread that writes are kept beyond the capacity, until it, or a thread that comes in its place,
///   writes more, or the cache is dropped; and up to 4 for each 100 entries, in a cache that is written to for long, while its
///   table is copied to a new one: values that take much memory, and secrets, are better off in a
///   [`LockedCache`](crate::LockedCache);
/// * a value that is slow to clone and a slow closure of `retain` keep all that leaves meanwhile.
///
/// # Time
/// Times are whole milliseconds, rounded down. The clock counts all 64 bits ([`Clock::BITS`]) and does not go backwards, as
/// [`StdClock`](crate::StdClock) and [`CoarseClock`](crate::CoarseClock) do not.
pub struct SieveCache<K, V, C = Untimed, S = RandomState> {
    entries: HashMap<Kept<K>, Entry<V>, Hashed>,
    /// The hashes of the keys. Whoever changes the entry of a key holds the queue that the key belongs to.
    queues: Box<[Mutex<Queue<u64>>]>,
    hasher: S,
    capacity: usize,
    ttl: Option<Duration>,
    clock: C,
}

/// The table, of which nothing is dropped meanwhile.
type Pinned<'e, K, V> = HashMapRef<'e, Kept<K>, Entry<V>, Hashed, LocalGuard<'e>>;

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

impl<K, V> SieveCache<K, V> {
    /// A cache of at most `capacity` entries, 4,294,967,294 at most, that do not expire. Memory is taken as entries come.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::new(capacity, None, Untimed, RandomState::default())
    }
}

impl<K, V, C: Clock> SieveCache<K, V, C> {
    /// A cache of at most `capacity` entries that live for `ttl` by `clock` where they are given no time of their own.
    /// Compiles only for a clock that does not wrap around:
    ///
    /// ```compile_fail
    /// use ctu_std::{Clock, SieveCache};
    /// use std::time::Duration;
    ///
    /// struct Wraps;
    /// impl Clock for Wraps {
    ///     const BITS: u32 = 32;
    ///     fn now(&self) -> u64 {
    ///         0
    ///     }
    /// }
    /// SieveCache::<u64, u64, _>::with_ttl(100, Duration::from_secs(60), Wraps);
    /// ```
    pub fn with_ttl(capacity: usize, ttl: Duration, clock: C) -> Self {
        const {
            assert!(
                C::BITS >= u64::BITS,
                "the clock of a SieveCache must not wrap around"
            );
        }
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
            entries: HashMap::with_hasher(Hashed::default()),
            queues: (0..count)
                .map(|queue| Mutex::new(Queue::new(share(queue))))
                .collect(),
            hasher,
            capacity,
            ttl: ttl.map(|ttl| ttl.min(LONGEST)),
            clock,
        }
    }

    /// An empty cache of the same kind that hashes keys with `hasher`. Every bit of the hash counts, but it has to differ from
    /// key to key: of a few dozen keys with one and the same hash, operations may never end. So do not let callers choose keys
    /// whose hashes they can foresee.
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
    #[inline]
    fn sought<'k>(&self, key: &'k K::Lookup) -> ByKey<'k, K::Lookup> {
        let hash = self.hasher.hash_one(key);
        ByKey { hash, key }
    }

    /// Runs `read` on the entry that is `sought` if it is live.
    #[inline]
    fn read<T>(
        &self,
        sought: &(impl papaya::Equivalent<Kept<K>> + Hash),
        read: impl FnOnce(&Kept<K>, &V) -> T,
    ) -> Option<T> {
        // Before the entry is looked for, which is quicker. One that is stored in between is live by this time, too.
        let now = self.clock.now();
        let entries = self.entries.pin();
        let (kept, entry) = entries.get_key_value(sought)?;
        entry.is_live(now).then(|| read(kept, &entry.value))
    }

    /// Removes what has expired, and says how many entries that were. What is stored meanwhile may be among them only if it has
    /// expired, too. O(n).
    ///
    /// Nobody has to call this: what has expired is not shown, and gives way to what comes. It gives memory back where little
    /// comes.
    ///
    /// ```
    /// use ctu_std::{Cache, CacheExt, ManualClock, SieveCache};
    /// use std::time::Duration;
    ///
    /// let clock = ManualClock::new();
    /// let cache = SieveCache::<u32, u32, _>::with_ttl(100, Duration::from_secs(1), &clock);
    /// cache.insert(&1, 10)?;
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!((cache.expire(), cache.expire()), (1, 0));
    /// # Ok::<(), ctu_std::Error>(())
    /// ```
    pub fn expire(&self) -> usize {
        let entries = self.entries.pin();
        let now = self.clock.now();
        let expired = entries.iter().filter(|(_, entry)| !entry.is_live(now));
        let removed = expired.filter(|(kept, _)| {
            let (hash, key) = (kept.hash, kept.key.borrow());
            let mut queue = self.queue(hash);
            // It may have been stored again meanwhile.
            let gone = entries.remove_if(&ByKey { hash, key }, |_, entry| !entry.is_live(now));
            let gone = gone.ok().flatten();
            gone.is_some_and(|(kept, _)| queue.remove(kept.place).is_some())
        });
        removed.count()
    }

    /// The queue that what has this `hash` belongs to.
    fn queue(&self, hash: u64) -> MutexGuard<'_, Queue<u64>> {
        self.queues[spread(hash, self.queues.len())].lock()
    }

    /// Takes out the entry at `key`. Runs `read` on it if it is live.
    fn take<T>(&self, key: &K::Lookup, read: impl FnOnce(&V) -> T) -> Option<T> {
        let sought = self.sought(key);
        let entries = self.entries.pin();
        let mut queue = self.queue(sought.hash);
        let (kept, entry) = entries.remove_entry(&sought)?;
        queue.remove(kept.place);
        drop(queue);
        entry.is_live(self.clock.now()).then(|| read(&entry.value))
    }

    /// Takes an entry out of the full `queue`.
    fn evict(entries: &Pinned<'_, K, V>, queue: &mut Queue<u64>, now: u64) {
        let victim = queue.victim(|place, &hash| {
            // One that shares its hash, if it is not found by it, is not spared.
            let found = entries.get_key_value(&ByHash(hash));
            let found = found.filter(|(kept, _)| kept.place == place);
            found.is_some_and(|(kept, entry)| entry.is_live(now) && kept.unmark())
        });
        let Some((place, &hash)) = victim else { return };
        let gone = entries.remove_if(&ByHash(hash), |kept, _| kept.place == place);
        if !matches!(gone, Ok(Some(_))) {
            // Some other key has the same hash.
            let mut all = entries.keys();
            if let Some(kept) = all.find(|kept| (kept.hash, kept.place) == (hash, place)) {
                let key = kept.key.borrow();
                entries.remove(&ByKey { hash, key });
            }
        }
        queue.remove(place);
    }

    /// When an entry expires that is stored `now` for `ttl`.
    fn until(&self, now: u64, ttl: Option<Duration>) -> Result<u64, Error> {
        let ttl = match (ttl, self.ttl) {
            (None, None) => return Ok(NEVER),
            (Some(_), None) => return Err(Error::TtlUnsupported),
            (Some(ttl), Some(_)) if ttl > LONGEST => {
                return Err(Error::TtlTooLong { max: LONGEST });
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

/// A use of an entry.
#[inline]
fn used<K, V: Clone>(kept: &Kept<K>, value: &V) -> V {
    kept.mark();
    value.clone()
}

impl<K, V, C, S> InMemory for SieveCache<K, V, C, S>
where
    K: StoredKey,
    C: Clock,
{
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
        Ok(self.read(&self.sought(key), used))
    }

    #[inline]
    fn get_equivalent<Q: Equivalent<K::Lookup>>(&self, key: &Q) -> Result<Option<V>, Error> {
        let mut state = self.hasher.build_hasher();
        key.hash_as(&mut state);
        let (hash, parts) = (state.finish(), key);
        Ok(self.read(&ByParts { hash, parts }, used))
    }

    fn insert_entry(&self, key: &K::Lookup, value: V, ttl: Option<Duration>) -> Result<(), Error> {
        let now = self.clock.now();
        let until = self.until(now, ttl)?;
        let own = K::store(key)?;
        if self.capacity == 0 {
            return Ok(());
        }
        let sought = self.sought(key);
        let hash = sought.hash;
        // Before the lock, and so given back after it: nothing that leaves is dropped under the lock.
        let entries = self.entries.pin();
        let mut queue = self.queue(hash);
        let there = entries.get_key_value(&sought);
        // Storing it again is a use of it.
        let used = there.is_some_and(|(_, entry)| entry.is_live(now));
        let place = match there {
            Some((kept, _)) => kept.place,
            None => {
                if queue.is_full() {
                    Self::evict(&entries, &mut queue, now);
                }
                queue.next_place()
            }
        };
        entries.insert(Kept::new(own, hash, place, used), Entry { value, until });
        // Last, as comparing keys may panic: there is no place without an entry.
        if there.is_none() {
            queue.push(hash);
        }
        Ok(())
    }

    fn remove(&self, key: &K::Lookup) -> Result<bool, Error> {
        Ok(self.take(key, |_| ()).is_some())
    }

    /// As [`Cache::clear`]. Who stores anything meanwhile waits.
    fn clear(&self) -> Result<(), Error> {
        let entries = self.entries.pin();
        // In this order, of which no other operation holds two.
        let mut queues: Vec<_> = self.queues.iter().map(Mutex::lock).collect();
        entries.clear();
        for queue in &mut queues {
            queue.clear();
        }
        Ok(())
    }

    fn len(&self) -> Result<usize, Error> {
        let entries = self.entries.pin();
        let len = if self.ttl.is_none() {
            entries.len()
        } else {
            let now = self.clock.now();
            entries.values().filter(|entry| entry.is_live(now)).count()
        };
        // One that leaves and one that takes its room may both be counted.
        Ok(len.min(self.capacity))
    }

    #[inline]
    fn contains(&self, key: &K::Lookup) -> Result<bool, Error> {
        Ok(self.read(&self.sought(key), |_, _| ()).is_some())
    }

    fn get_with_ttl(&self, key: &K::Lookup) -> Result<Found<V>, Error> {
        let entries = self.entries.pin();
        let Some((kept, entry)) = entries.get_key_value(&self.sought(key)) else {
            return Ok(None);
        };
        // After it was found: by an older time, one that was stored in between would have too much left.
        let now = self.clock.now();
        if !entry.is_live(now) {
            return Ok(None);
        }
        kept.mark();
        let left = self.ttl.map(|_| Duration::from_millis(entry.until - now));
        Ok(Some((entry.value.clone(), left)))
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.ttl
    }

    fn pop(&self, key: &K::Lookup) -> Result<Option<V>, Error> {
        Ok(self.take(key, V::clone))
    }

    /// As [`Cache::retain`]. What is stored meanwhile is asked for or not. No lock is held while `keep` runs.
    fn retain(&self, keep: &mut dyn FnMut(&K::Lookup) -> bool) -> Result<(), Error> {
        for kept in self.entries.pin().keys() {
            let key = kept.key.borrow();
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
