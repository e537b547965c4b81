//! The settings of two levels.

use super::{
    TwoLevelCache,
    claim::{ClaimRequests, SharedFlights},
    levels::{AmongNodes, Levels, Recovery, Refresh},
    settings::{Resilience, Settings, Time, millis, share_of},
    tags::{SecondTags, TagRequests},
    tracking::Tracked,
};
use crate::caches::{self, AnyCache, AsyncTags, Claims, IsAsync, IsCache, Tags};
use ctu_core::{Cache, Clock};
use std::{fmt, hash::Hash, time::Duration};

/// Settings of a [`TwoLevelCache`], from [`TwoLevelCache::builder`].
///
/// Every option is off by default. The page [resilience](crate::docs::resilience) describes the problem,
/// the behaviour and the promises of each.
///
/// | setting | default, once [`resilient`](Self::resilient) |
/// | --- | --- |
/// | [`breaker`](Self::breaker) | opens after 5 failures in a row, or 100 ms lost to them |
/// | [`open_for`](Self::open_for) | 0.5 s, growing to 10 s |
/// | [`journal`](Self::journal) | 10,000 keys |
/// | [`settle_time`](Self::settle_time) | 10 s |
///
/// ```
/// use ctu_std::{LruCache, RedisCache, TwoLevelCache};
/// let redis: RedisCache<str, String> = RedisCache::builder("redis://127.0.0.1").build()?;
/// let pages = TwoLevelCache::builder(LruCache::<String, String>::with_capacity(1_000), redis)
///     .resilient()
///     .build();
/// # drop(pages);
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
#[must_use]
pub struct TwoLevelBuilder<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind = IsCache> {
    first: A,
    second: B,
    pub(super) settings: Settings,
    pub(super) recovery: Option<Recovery<A, B, Kind>>,
    pub(super) refresh: Option<Refresh<A, B, Kind>>,
    pub(super) among_nodes: AmongNodes<A, B, Kind>,
}

impl<A, B, Kind> TwoLevelBuilder<A, B, Kind>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: AnyCache<Kind, Key = A::Key, Value = A::Value>,
{
    pub(super) fn new(first: A, second: B) -> Self {
        Self {
            first,
            second,
            settings: Settings::default(),
            recovery: None,
            refresh: None,
            among_nodes: AmongNodes::default(),
        }
    }

    /// Sets the field `cache` of the events. The default is no name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// The background recovery, unless the settings switch it off.
    fn recovery(&mut self) -> Option<Recovery<A, B, Kind>> {
        let resilience = self.settings.resilience.as_ref();
        let in_background = resilience.is_some_and(|resilience| resilience.in_background);
        self.recovery.take().filter(|_| in_background)
    }

    pub(super) fn resilience(&mut self) -> &mut Resilience {
        self.settings.resilience.get_or_insert_default()
    }

    /// Sets the number of `failures` in a row that opens the breaker, and their total time that does. Makes
    /// the cache resilient, without a background recovery.
    pub fn breaker(mut self, failures: u32, patience: Duration) -> Self {
        let breaker = &mut self.resilience().breaker;
        (breaker.failures, breaker.patience) = (failures, millis(patience));
        self
    }

    /// Sets the first and the longest open period of the breaker. A failed probe doubles the period. Each
    /// period is shortened at random, by up to half.
    pub fn open_for(mut self, first: Duration, longest: Duration) -> Self {
        let (first, longest) = (millis(first), millis(longest.max(first)));
        let resilience = self.resilience();
        (resilience.breaker.first, resilience.breaker.longest) = (first, longest);
        resilience.journal.retry = (first.max(1), longest.max(1));
        self
    }

    /// Sets the capacity of the recovery journal, in keys. Further keys go to a Bloom filter, which detects
    /// them on a lookup only, with false positives.
    pub fn journal(mut self, keys: usize) -> Self {
        self.resilience().journal.capacity = keys;
        self
    }

    /// Sets the longest time that a failed request may still be under way once the second level answers
    /// again. A key with such a write is deleted twice, and not read for that long.
    pub fn settle_time(mut self, time: Duration) -> Self {
        self.resilience().journal.settle = millis(time);
        self
    }

    /// Sets the longest time-to-live of all entries of the second level, those of other programs
    /// included. So long after an overflow of the journal, the Bloom filter is dropped.
    pub fn second_max_ttl(mut self, ttl: Duration) -> Self {
        self.resilience().journal.longest_ttl = Some(millis(ttl));
        self
    }

    /// Starts no background recovery: the program calls [`TwoLevelCache::recover`].
    pub fn manual_recovery(mut self) -> Self {
        self.resilience().in_background = false;
        self
    }

    /// If a computation fails (`get_or_insert_with` and the related methods), returns a value that expired
    /// less than `time` ago. The last `entries` values are kept a second time for that.
    pub fn grace(mut self, time: Duration, entries: usize) -> Self {
        self.settings.grace = Some((time, entries));
        self
    }

    /// Sets the longest wait for another caller's computation. Then the caller computes the value beside
    /// the other; the first result is stored and goes to all. [`Duration::ZERO`] is no wait,
    /// [`Duration::MAX`] no limit. The default is 10 seconds. The operating system's clock counts it.
    ///
    /// This ends the wait of computations for each other: each for the other's key, or one for a thread
    /// that it started, that its thread pool gave it (rayon), or for a task, with the same key.
    pub fn wait_limit(mut self, limit: Duration) -> Self {
        self.settings.wait_limit = limit;
        self
    }

    /// Remembers for `time` that the second level has no entry at a key, for up to `keys` keys. Writes of
    /// other nodes appear that much later.
    pub fn negative(mut self, time: Duration, keys: usize) -> Self {
        self.settings.negative = Some((time, keys));
        self
    }

    /// Shortens times-to-live at random, by up to this share (0 to 1), so that entries stored at the same
    /// time do not expire at the same time.
    pub fn jitter(mut self, share: f64) -> Self {
        self.settings.jitter = share_of(share);
        self
    }

    /// Sets the clock of breaker, journal and grace time. The default is the operating system's. The clock
    /// must not wrap around.
    pub fn clock(mut self, clock: impl Clock + Send + Sync + 'static) -> Self {
        self.settings.time = Time::of(clock);
        self.settings.has_own_clock = true;
        self
    }

    /// Sets the seed of random numbers, for repeatable tests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Bounds the staleness of the first level: no read that begins more than `bound` after a write, delete
    /// or flush was acknowledged by the server to its author returns an older value from the first level.
    /// That holds on every node, for every author, and through any failure of connections, the server or
    /// the process. In the steady state a change arrives after one round trip.
    ///
    /// A background thread keeps a connection of its own, on which the server reports changed keys. The first
    /// level answers only under a lease of that thread. Without a lease, its entries are misses. A `bound`
    /// of a second costs 8 pings a second; a `bound` near the time of a round trip leaves no lease. The
    /// page [coherence](crate::docs::coherence) has the proof, the limits and the costs.
    ///
    #[cfg_attr(feature = "redis", doc = "```no_run")]
    #[cfg_attr(not(feature = "redis"), doc = "```ignore")]
    /// use ctu_std::{ConcurrentCache, PrefixedRedisCache, RedisCache, StdClock, TwoLevelCache};
    /// use std::time::Duration;
    ///
    /// let second: PrefixedRedisCache<str, u64> =
    ///     RedisCache::builder("redis://127.0.0.1").prefix("app.").build()?;
    /// let minute = Duration::from_secs(60);
    /// let first = ConcurrentCache::<String, u64, _>::with_ttl(10_000, minute, StdClock::new());
    /// let cache = TwoLevelCache::builder(first, second)
    ///     .invalidation_bound(Duration::from_secs(1))
    ///     .build();
    /// # Ok::<(), ctu_std::RedisError>(())
    /// ```
    pub fn invalidation_bound(mut self, bound: Duration) -> Self
    where
        A: Send + Sync + 'static,
        A::Key: ToOwned<Owned: Send>,
        A::Value: Send,
        B: caches::Tracked<Key = A::Key> + Send + Sync + 'static,
        Kind: 'static,
    {
        // Rounded down: a longer bound would break the promise.
        self.settings.tracking.lease.bound = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        self.among_nodes.tracked = Some(Tracked {
            mark: B::mark,
            tracker: B::tracker,
            start: Levels::track_in_thread,
        });
        self
    }

    /// Serves the entries of the first level also without a lease, until they expire: for programs that
    /// prefer hits during an outage to the [bound](Self::invalidation_bound). The first level is cleared
    /// when the tracking connection is back.
    pub fn serve_without_lease(mut self) -> Self {
        self.settings.tracking.serve_without_lease = true;
        self
    }

    /// Sets the number of keys whose changes remove their entries, for an
    /// [`invalidation_bound`](Self::invalidation_bound). The default is 65,536. Each costs its key and about 40 bytes. An
    /// entry of the first level beyond that number leaves it, so the number is not to be below the
    /// capacity of the first level.
    pub fn tracked_keys(mut self, keys: usize) -> Self {
        self.settings.tracking.tracked_keys = keys;
        self
    }

    /// Starts no thread for an [`invalidation_bound`](Self::invalidation_bound): the program calls
    /// [`TwoLevelCache::track`].
    pub fn manual_tracking(mut self) -> Self {
        self.settings.tracking.in_background = false;
        self
    }

    /// Builds the cache.
    #[must_use]
    pub fn build(mut self) -> TwoLevelCache<A, B, Kind> {
        if self.among_nodes.tracked.is_some() && !self.settings.has_own_clock {
            self.settings.time = Time::of_leases();
        }
        let (recovery, second_ttl) = (self.recovery(), self.second.ttl_by_default());
        TwoLevelCache::new(Levels::new(
            self.first,
            self.second,
            second_ttl,
            self.settings,
            recovery,
            self.refresh,
            self.among_nodes,
        ))
    }
}

impl<A, B> TwoLevelBuilder<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// An outage of the second level is not an error: reads are misses, writes and removals are done at the
    /// first level and repeated at the second when it is back. A background thread does that. It starts
    /// with the first outage and ends with the cache. Deadlines are settings of the second level.
    ///
    /// [`is_outage`](ctu_core::CacheError::is_outage) of its error tells an outage. A rejected password is
    /// one, so a wrong password is hidden: see [`last_outage`](TwoLevelCache::last_outage), or call the
    /// [`second`](TwoLevelCache::second) level at the start of the program.
    ///
    /// A corrupt value of the second level, of an older schema or another program, is a miss, and
    /// [`damaged`](super::TwoLevelStats::damaged) counts it.
    pub fn resilient(mut self) -> Self
    where
        A: Send + Sync + 'static,
        A::Key: ToOwned<Owned: Send>,
        A::Value: Send,
        B: Send + Sync + 'static,
    {
        self.resilience();
        self.recovery = Some(Recovery {
            wake: Levels::recover_in_thread,
            revive: None,
        });
        self
    }

    /// Has the [tags](Tags) of the second level at both levels, with
    /// [`insert_with_tags`](TwoLevelCache::insert_with_tags) and [`invalidate_tag`](TwoLevelCache::invalidate_tag). A hit looks up
    /// the tags of its entry in addition. [`tracked_keys`](Self::tracked_keys) limits the keys with tags at the first
    /// level. A second level whose entries have tags needs this setting.
    #[cfg_attr(feature = "redis", doc = "```no_run")]
    #[cfg_attr(not(feature = "redis"), doc = "```ignore")]
    /// use ctu_std::{Cache, CacheExt, LruCache, PrefixedRedisCache, RedisCache, TwoLevelCache};
    ///
    /// let server = RedisCache::builder("redis://127.0.0.1").prefix("shop.").tags();
    /// let second: PrefixedRedisCache<str, u32> = server.build()?;
    /// let first = LruCache::<String, u32>::with_capacity(1_000);
    /// let cache = TwoLevelCache::builder(first, second).tags().build();
    /// cache.insert_with_tags("shoe", 1, None, &["shoes"])?;
    /// cache.invalidate_tag("shoes")?;
    /// assert_eq!(cache.get("shoe")?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tags(mut self) -> Self
    where
        B: Tags,
    {
        self.among_nodes.tags = Some(SecondTags {
            requests: TagRequests::Blocking {
                get: B::get_tagged,
                get_many: B::get_many_tagged,
                take: B::tag_generations,
                insert_under: B::insert_under,
            },
            mark: B::tag_mark,
            common: B::common_tags,
        });
        self
    }

    /// Computes a value once among all nodes: a node claims the key at the second level before it computes
    /// (`get_or_insert_with` and the related methods, [`refresh_ahead`](Self::refresh_ahead)). The callers of other
    /// nodes wait for the value, up to the [`wait_limit`](Self::wait_limit), or get an expired one
    /// ([`grace`](Self::grace)).
    ///
    /// The claim ends with the computation. If its node dies, or computes for longer than `lease`, another
    /// node computes. During an outage of the second level each node computes for itself. A computation costs
    /// three more requests.
    ///
    /// On Redis the claim is the key of the entry with the suffix `.ctu-claim` (`SET NX PX`, released by a script).
    #[cfg_attr(feature = "redis", doc = "```no_run")]
    #[cfg_attr(not(feature = "redis"), doc = "```ignore")]
    /// use ctu_std::{CacheExt, LruCache, RedisCache, TwoLevelCache};
    /// use std::time::Duration;
    ///
    /// let second: RedisCache<str, String> = RedisCache::builder("redis://127.0.0.1").build()?;
    /// let first = LruCache::<String, String>::with_capacity(1_000);
    /// let cache = TwoLevelCache::builder(first, second)
    ///     .single_flight_among_nodes(Duration::from_secs(10))
    ///     .build();
    /// let page = cache.get_or_insert_with("home", || "a slow page".to_owned())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn single_flight_among_nodes(mut self, lease: Duration) -> Self
    where
        B: Claims<Key = A::Key, Error = <B as Cache>::Error>,
    {
        self.among_nodes.shared_flights = Some(SharedFlights {
            requests: ClaimRequests::Blocking(Levels::<A, B, IsCache>::claim_at_second),
            release: Levels::<A, B, IsCache>::release_at_second,
            lease,
        });
        self
    }
}

impl<A, B> TwoLevelBuilder<A, B, IsAsync>
where
    A: Cache<Key: Hash + Eq + ToOwned + Sync>,
    B: AsyncTags<Key = A::Key, Value = A::Value> + Sync,
{
    /// As [`tags`](#method.tags) of a blocking cache.
    pub fn tags(mut self) -> Self {
        self.among_nodes.tags = Some(SecondTags {
            requests: TagRequests::Async {
                get: |second, key| Box::pin(second.get_tagged(key)),
                get_many: |second, keys| Box::pin(second.get_many_tagged(keys)),
                take: |second, key, ttl, tags| Box::pin(second.tag_generations(key, ttl, tags)),
                insert_under: |second, key, value, ttl, generations| {
                    Box::pin(second.insert_under(key, value, ttl, generations))
                },
            },
            mark: B::tag_mark,
            common: B::common_tags,
        });
        self
    }
}

impl<A, B, Kind> fmt::Debug for TwoLevelBuilder<A, B, Kind>
where
    A: Cache<Key: ToOwned> + fmt::Debug,
    B: AnyCache<Kind> + fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwoLevelBuilder")
            .field("first", &self.first)
            .field("second", &self.second)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ctu_core::heap::LruCache;

    #[test]
    fn manual_recovery_starts_no_thread() {
        let level = || LruCache::<u32, u32>::with_capacity(1);
        let builder = || TwoLevelCache::builder(level(), level());
        assert!(builder().resilient().recovery().is_some());
        // In any order.
        for mut by_hand in [
            builder().resilient().manual_recovery(),
            builder().manual_recovery().resilient(),
            builder().journal(1),
        ] {
            assert!(by_hand.recovery().is_none());
        }
    }
}
