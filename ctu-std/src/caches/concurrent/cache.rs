//! `ConcurrentCache`: shards of a table with the adaptive policy.

use super::{
    adaptation::Adaptation,
    life::Limits,
    locks::Mutex,
    near::Near,
    removal::Listener,
    shards::Shards,
    stats::Counts,
    weights::{Weigher, Weights},
};
use ctu_core::{Clock, StoredKey, heap::RandomState};
use std::{fmt, hash::BuildHasher, time::Duration};

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
/// [`builder`](Self::builder) sets weights, more limits of time, a listener for the entries that
/// leave, and statistics.
///
/// # Cost
/// Every operation is O(1), but for `clear`, `retain`, `expire`, `set_capacity`, iteration, and
/// `len` where entries expire, which are O(n). An entry that is as heavy as many others evicts as
/// many. Among `n` keys with the same hash an operation is O(n). A hit clones the value
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
/// No lock is held while a value is dropped, a key is stored, or a listener, a weigher or a closure
/// runs: they may use the cache. `Hash`, `Eq` and `Clone` run under locks: they must not use the
/// cache, which would wait for itself for ever. All of them may panic: the cache stays whole.
///
/// # Time
/// Times are whole milliseconds, rounded down. The clock counts all 64 bits ([`Clock::BITS`]) and
/// does not go backwards, as [`StdClock`](crate::StdClock) and [`CoarseClock`](crate::CoarseClock)
/// do not.
pub struct ConcurrentCache<K, V, T = NoClock, H = RandomState> {
    pub(super) shards: Shards<K, V>,
    pub(super) near: Near<K, V>,
    pub(super) adaptation: Adaptation,
    pub(super) hasher: H,
    pub(super) clock: T,
    pub(super) limits: Limits<K, V>,
    pub(super) weights: Option<Weights<K, V>>,
    pub(super) listener: Option<Listener<K, V>>,
    pub(super) counts: Option<Counts>,
    /// The capacity, locked by a change of it.
    pub(super) changes: Mutex<usize>,
}

/// The clock of a cache without expiry.
///
/// ```
/// use ctu_std::{ConcurrentCache, NoClock};
/// static USERS: std::sync::LazyLock<ConcurrentCache<u32, String, NoClock>> =
///     std::sync::LazyLock::new(|| ConcurrentCache::with_capacity(1_000));
/// assert_eq!(USERS.peek(&1), None);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NoClock;

impl Clock for NoClock {
    #[inline]
    fn now(&self) -> u64 {
        0
    }
}

impl<K, V> ConcurrentCache<K, V> {
    /// A cache of at most `capacity` entries that do not expire. Memory is taken as entries come.
    /// One of capacity 0 keeps nothing.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::builder(capacity).build()
    }
}

impl<K, V, T: Clock> ConcurrentCache<K, V, T> {
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
    pub fn with_ttl(capacity: usize, ttl: Duration, clock: T) -> Self {
        let builder = ConcurrentCache::builder(capacity).clock(clock);
        builder.expire_after_update(ttl).without_ages().build()
    }
}

impl<K, V, T, H> ConcurrentCache<K, V, T, H> {
    /// An empty cache of the same kind that hashes keys with `hasher`. Every bit of the hash
    /// counts. If callers choose keys, their hashes must not be predictable: many keys with one
    /// hash make operations slow.
    pub fn with_hasher<B>(self, hasher: B) -> ConcurrentCache<K, V, T, B> {
        let capacity = self.capacity();
        let max_weight = self.weights.as_ref().map_or(0, Weights::max);
        let counted = self.counts.is_some();
        ConcurrentCache::with_parts(Parts {
            capacity,
            clock: self.clock,
            hasher,
            limits: self.limits,
            weigher: self
                .weights
                .map(|weights| (max_weight, weights.into_weigher())),
            listener: self.listener,
            counted,
        })
    }

    /// The most entries there may be.
    pub fn capacity(&self) -> usize {
        *self.changes.lock()
    }
}

/// The parts of a new cache.
pub(super) struct Parts<K, V, T, H> {
    pub(super) capacity: usize,
    pub(super) clock: T,
    pub(super) hasher: H,
    pub(super) limits: Limits<K, V>,
    /// The most weight, and the weigher.
    pub(super) weigher: Option<(u64, Weigher<K, V>)>,
    pub(super) listener: Option<Listener<K, V>>,
    pub(super) counted: bool,
}

impl<K, V, T, H> ConcurrentCache<K, V, T, H> {
    pub(super) fn with_parts(parts: Parts<K, V, T, H>) -> Self {
        let Parts {
            capacity,
            clock,
            hasher,
            limits,
            weigher,
            listener,
            counted,
        } = parts;
        let shards = Shards::new(capacity);
        let near = Near::new(capacity);
        Self {
            weights: weigher.map(|(max, weigher)| Weights::new(max, weigher, shards.len())),
            counts: counted.then(|| Counts::new(capacity, near.stripes())),
            adaptation: Adaptation::new(capacity),
            shards,
            near,
            hasher,
            clock,
            limits,
            listener,
            changes: Mutex::new(capacity),
        }
    }
}

/// Mixes a hash, so that every bit of it counts in every bit.
#[inline]
pub(super) fn mix(hash: u64) -> u64 {
    // Digits of pi.
    const ODD: u64 = 0x243f_6a88_85a3_08d3;
    const MASK: u64 = 0x1319_8a2e_0370_7344;
    let product = u128::from(hash ^ MASK) * u128::from(ODD);
    product as u64 ^ (product >> 64) as u64
}

impl<K, V, T, H> ConcurrentCache<K, V, T, H>
where
    K: StoredKey,
    H: BuildHasher,
{
    #[inline]
    pub(super) fn hash(&self, key: &K::Lookup) -> u64 {
        mix(self.hasher.hash_one(key))
    }
}

impl<K, V, T, H> fmt::Debug for ConcurrentCache<K, V, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrentCache")
            .field("capacity", &self.capacity())
            .field("limits", &self.limits)
            .field("max_weight", &self.weights.as_ref().map(Weights::max))
            .finish_non_exhaustive()
    }
}
