//! Stores on the heap, with a capacity chosen at run time.
//!
//! They have the methods of [`crate::LruCache`] and [`crate::TtlCache`], over the table of
//! [`hashbrown`]. [`AdaptiveCache`] and [`AdaptiveTtlCache`] evict by a policy that adapts to the
//! keys. Their default hasher has a random seed and so resists chosen keys.

use super::{lru::Lru, slots::Heap, ttl::Ttl};
use alloc::vec::Vec;
use core::{hash::BuildHasher, time::Duration};

pub use super::{
    dict::DictCache,
    policy::{AdaptiveCache, AdaptiveTtlCache, TimeLimits},
    slots::RandomState,
};

/// [`crate::LruCache`] with a capacity chosen at run time.
///
/// Memory is allocated as entries are added. An entry takes `size_of::<(K, V, [u32; 2])>()` bytes,
/// and 6 to 12 bytes in the index.
///
/// ```
/// use ctu_core::heap::LruCache;
///
/// let mut cache = LruCache::with_capacity(10_000);
/// cache.insert(String::from("one"), 1);
/// assert_eq!(cache.get("one"), Some(&1));
/// ```
pub type LruCache<K, V, H = RandomState> = Lru<K, V, Heap<K, V>, H>;

/// [`crate::TtlCache`] with a capacity chosen at run time.
///
/// An entry takes 12 bytes more than in an [`LruCache`].
///
/// ```
/// use core::time::Duration;
/// use ctu_core::{ManualClock, heap::TtlCache};
///
/// let clock = ManualClock::new();
/// let mut cache = TtlCache::with_capacity(10_000, Duration::from_secs(600), &clock);
/// cache.insert(String::from("one"), 1);
/// clock.advance(Duration::from_secs(600));
/// assert_eq!(cache.get("one"), None);
/// ```
pub type TtlCache<K, V, T, H = RandomState> = Ttl<K, V, Heap<K, V>, T, H>;

impl<K, V> LruCache<K, V> {
    /// An empty store of at most `capacity` entries, or 4,294,967,294 if that is less.
    /// One of capacity 0 keeps nothing.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::default())
    }
}

impl<K, V, H: BuildHasher> LruCache<K, V, H> {
    /// [`with_capacity`](LruCache::with_capacity), with keys hashed by `hasher`.
    pub const fn with_capacity_and_hasher(capacity: usize, hasher: H) -> Self {
        Self::with_slots(Heap::with_capacity(capacity), hasher)
    }
}

impl<K, V, T> TtlCache<K, V, T> {
    /// An empty store of at most `capacity` entries, or 4,294,967,294 if that is less, which live
    /// for `ttl` by `clock`. One of capacity 0 keeps nothing.
    pub fn with_capacity(capacity: usize, ttl: Duration, clock: T) -> Self {
        Self::with_capacity_and_hasher(capacity, ttl, clock, RandomState::default())
    }
}

impl<K, V, T, H: BuildHasher> TtlCache<K, V, T, H> {
    /// [`with_capacity`](TtlCache::with_capacity), with keys hashed by `hasher`.
    pub const fn with_capacity_and_hasher(
        capacity: usize,
        ttl: Duration,
        clock: T,
        hasher: H,
    ) -> Self {
        Self::with_slots(
            Heap::with_capacity(capacity),
            Vec::new(),
            ttl,
            clock,
            hasher,
        )
    }
}
