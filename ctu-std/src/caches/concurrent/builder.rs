//! The settings of a concurrent cache.

use super::{
    ConcurrentCache, NoClock, RemovalCause,
    cache::Parts,
    heap_size::{HeapSize, bytes_of_entry},
    life::{Limits, MAX_TTL},
    removal::Listener,
    weights::Weigher,
};
use ctu_core::{Clock, heap::RandomState};
use std::{fmt, time::Duration};

/// Settings of a [`ConcurrentCache`], from [`ConcurrentCache::builder`].
///
/// ```
/// use ctu_std::{CacheExt, ConcurrentCache, RemovalCause, StdClock};
/// use std::time::Duration;
///
/// let pages = ConcurrentCache::<String, Vec<u8>>::builder(10_000)
///     .max_bytes(64 << 20)
///     .listener(|path, _, cause| {
///         if cause == RemovalCause::Evicted {
///             println!("no room for {path}");
///         }
///     })
///     .count()
///     .clock(StdClock::new())
///     .expire_after_update(Duration::from_secs(600))
///     .expire_after_read(Duration::from_secs(60))
///     .build();
/// pages.insert("/index", vec![b'x'; 100])?;
/// assert!(pages.weight() > 100);
/// # Ok::<(), ctu_std::Error>(())
/// ```
#[must_use]
pub struct ConcurrentCacheBuilder<K, V, T = Unclocked, H = RandomState> {
    parts: Parts<K, V, T, H>,
}

/// Says that a [`ConcurrentCacheBuilder`] has no clock: entries do not expire.
///
/// ```
/// use ctu_std::{ConcurrentCache, ConcurrentCacheBuilder, Unclocked};
/// let settings: ConcurrentCacheBuilder<u32, u32, Unclocked> = ConcurrentCache::builder(100);
/// let cache = settings.build();
/// # drop(cache);
/// ```
#[derive(Debug)]
pub struct Unclocked;

impl<K, V> ConcurrentCache<K, V> {
    /// The settings of a cache of at most `capacity` entries.
    pub fn builder(capacity: usize) -> ConcurrentCacheBuilder<K, V> {
        ConcurrentCacheBuilder {
            parts: Parts {
                capacity,
                clock: Unclocked,
                hasher: RandomState::default(),
                limits: Limits::none(),
                weigher: None,
                listener: None,
                counted: false,
            },
        }
    }
}

impl<K, V, T, H> ConcurrentCacheBuilder<K, V, T, H> {
    /// Limits the weight of all entries, too. `weigher` returns that of an entry, as it is stored; it
    /// must not change with the value's inner state. An entry heavier than `max` is refused with
    /// [`Error::EntryTooHeavy`](ctu_core::Error::EntryTooHeavy). Weights are exact: there is never
    /// more than `max`. An entry of weight 0 counts among the entries alone.
    ///
    /// An entry takes 64 bytes more for its weight and times.
    pub fn max_weight(
        mut self,
        max: u64,
        weigher: impl Fn(&K, &V) -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.parts.weigher = Some((max, Box::new(weigher) as Weigher<K, V>));
        self
    }

    /// [`max_weight`](Self::max_weight) in bytes, by [`bytes_of_entry`].
    pub fn max_bytes(self, max: u64) -> Self
    where
        K: HeapSize + 'static,
        V: HeapSize + 'static,
    {
        self.max_weight(max, bytes_of_entry)
    }

    /// Calls `listener` for each entry that leaves, with the cause. It runs under no lock, in the
    /// thread of the operation that removed the entry and before its end, and may use the cache. Its
    /// panic goes to the caller of the operation, after the listener was called for all other
    /// entries. It is not called for the entries that are dropped with the cache.
    pub fn listener(
        mut self,
        listener: impl Fn(&K, &V, RemovalCause) + Send + Sync + 'static,
    ) -> Self {
        self.parts.listener = Some(Box::new(listener) as Listener<K, V>);
        self
    }

    /// Counts the operations for [`ConcurrentCache::stats`]. Each then costs one atomic addition.
    pub fn count(mut self) -> Self {
        self.parts.counted = true;
        self
    }

    /// Hashes keys with `hasher`, as [`ConcurrentCache::with_hasher`].
    pub fn hasher<B>(self, hasher: B) -> ConcurrentCacheBuilder<K, V, T, B> {
        self.replace(|clock, _| (clock, hasher))
    }

    fn replace<D, B>(
        self,
        replace: impl FnOnce(T, H) -> (D, B),
    ) -> ConcurrentCacheBuilder<K, V, D, B> {
        let Parts {
            capacity,
            clock,
            hasher,
            limits,
            weigher,
            listener,
            counted,
        } = self.parts;
        let (clock, hasher) = replace(clock, hasher);
        ConcurrentCacheBuilder {
            parts: Parts {
                capacity,
                clock,
                hasher,
                limits,
                weigher,
                listener,
                counted,
            },
        }
    }
}

impl<K, V, H> ConcurrentCacheBuilder<K, V, Unclocked, H> {
    /// Lets entries expire by `clock`: those that are stored with a time-to-live, and by the limits
    /// that are set next. A time over 292 million years counts as that. Compiles only for a clock
    /// that does not wrap around.
    pub fn clock<T: Clock>(self, clock: T) -> ConcurrentCacheBuilder<K, V, T, H> {
        const {
            assert!(
                T::BITS >= u64::BITS,
                "the clock of a ConcurrentCache must not wrap around"
            );
        }
        let mut builder = self.replace(|_, hasher| (clock, hasher));
        builder.parts.limits.has_clock = true;
        builder.parts.limits.detailed = true;
        builder
    }

    /// The cache.
    pub fn build(self) -> ConcurrentCache<K, V, NoClock, H> {
        self.replace(|_, hasher| (NoClock, hasher)).finish()
    }
}

impl<K, V, T: Clock, H> ConcurrentCacheBuilder<K, V, T, H> {
    /// Sets the longest life of an entry, however often it is replaced or read.
    pub fn expire_after_creation(mut self, time: Duration) -> Self {
        self.parts.limits.after_creation = Some(time.min(MAX_TTL));
        self
    }

    /// Sets the longest life of a value. A time-to-live with which the entry is stored replaces it.
    pub fn expire_after_update(mut self, time: Duration) -> Self {
        self.parts.limits.after_update = Some(time.min(MAX_TTL));
        self
    }

    /// Sets the longest time between uses: time-to-idle. A read and a write are uses; `peek`,
    /// `contains` and iteration are none.
    pub fn expire_after_read(mut self, time: Duration) -> Self {
        self.parts.limits.after_read = Some(time.min(MAX_TTL));
        self
    }

    /// Sets the time-to-live of an entry by its key and value, in place of
    /// [`expire_after_update`](Self::expire_after_update), where `ttl` returns one. A time-to-live
    /// with which the entry is stored replaces it.
    pub fn expire_each(
        mut self,
        ttl: impl Fn(&K, &V) -> Option<Duration> + Send + Sync + 'static,
    ) -> Self {
        self.parts.limits.of_entry = Some(Box::new(ttl));
        self
    }

    /// Keeps no ages of entries, which saves 64 bytes an entry. Without effect in a cache with a
    /// weigher or a limit after creation or read, which keeps them with the ages.
    pub fn without_ages(mut self) -> Self {
        self.parts.limits.detailed = false;
        self
    }

    /// The cache.
    pub fn build(self) -> ConcurrentCache<K, V, T, H> {
        self.finish()
    }
}

impl<K, V, T, H> ConcurrentCacheBuilder<K, V, T, H> {
    fn finish(mut self) -> ConcurrentCache<K, V, T, H> {
        let limits = &mut self.parts.limits;
        limits.detailed |= self.parts.weigher.is_some()
            || limits.after_creation.is_some()
            || limits.after_read.is_some();
        ConcurrentCache::with_parts(self.parts)
    }
}

impl<K, V, T, H> fmt::Debug for ConcurrentCacheBuilder<K, V, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrentCacheBuilder")
            .field("capacity", &self.parts.capacity)
            .field("limits", &self.parts.limits)
            .finish_non_exhaustive()
    }
}
