//! The statistics of two levels.

use super::counts::{Counted, Counts};
use std::{fmt, time::Duration};

/// The counts of a [`TwoLevelCache`](crate::TwoLevelCache) since its creation or reset, and the state of
/// its second level.
///
/// ```
/// use ctu_std::{CacheExt, Cache, ConcurrentCache, TwoLevelCache};
/// let near = ConcurrentCache::<u32, u32>::with_capacity(10);
/// let far = ConcurrentCache::<u32, u32>::with_capacity(100);
/// let cache = TwoLevelCache::builder(near, far).build();
/// cache.insert(&1, 10)?;
/// cache.get(&1)?;
/// assert_eq!(cache.stats().first_hits, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct TwoLevelStats {
    /// Reads that the first level answered.
    pub first_hits: u64,
    /// Reads that the second level answered.
    pub second_hits: u64,
    /// Reads that found nothing at either level.
    pub misses: u64,
    /// Operations that failed with the error of a level.
    pub errors: u64,
    /// Corrupt values of the second level, which `misses` counts too. An event of `tracing` reports the
    /// first with the reason. An encrypted second level has its own count: `EncryptedCache::damaged`.
    pub damaged: u64,
    /// Callers that waited for the computation of another.
    pub waits: u64,
    /// Expired values that were returned in place of a failed or slow computation.
    pub stale: u64,
    /// Reads that negative caching answered.
    pub negative: u64,
    /// Values that were computed anew before they expired.
    pub refreshes: u64,
    /// Operations of the second level that failed by an outage.
    pub outages: u64,
    /// Operations of the second level that the open breaker skipped.
    pub skipped: u64,
    /// Operations of the second level whose futures were dropped before their end.
    pub dropped: u64,
    /// Reads that skipped the second level since it missed a write of the key.
    pub distrusted: u64,
    /// Openings of the breaker. A failed probe does not count.
    pub opened: u64,
    /// Writes and deletes that the second level missed.
    pub missed: u64,
    /// Writes and removals that found no room in the journal.
    pub overflowed: u64,
    /// Keys that the recovery deleted at the second level.
    pub replayed: u64,
    /// Changes that the server reported, of keys of this cache and of others.
    pub reported: u64,
    /// Entries of the first level that a report removed, after a write of this node or of another.
    pub invalidated: u64,
    /// Lookups that found an entry in the first level and did not serve it, for want of a lease.
    pub unleased: u64,
    /// Periods without a tracking connection.
    pub unsubscribed: u64,
    /// The state of the tracking now.
    pub tracking: TrackingState,
    /// The time left of the lease of the first level. Zero without one.
    pub lease_left: Duration,
    /// Keys in the journal now.
    pub journal: usize,
    /// Whether the Bloom filter of an overflowed journal is in use now.
    pub journal_overflowed: bool,
    /// The state of the breaker now.
    pub breaker: BreakerState,
}

/// Whether a [`TwoLevelCache`](crate::TwoLevelCache) calls its second level.
///
/// ```
/// use ctu_std::BreakerState;
/// /// The colour of a status page.
/// fn colour(state: BreakerState) -> &'static str {
///     match state {
///         BreakerState::Closed => "green",
///         BreakerState::Probing => "yellow",
///         BreakerState::Open => "red",
///     }
/// }
/// assert_eq!(colour(BreakerState::default()), "green");
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum BreakerState {
    /// Every operation calls it.
    #[default]
    Closed,
    /// No operation does, for some time.
    Open,
    /// One operation does, as the probe.
    Probing,
}

/// Whether the server reports changes to a [`TwoLevelCache`](crate::TwoLevelCache) with an
/// [`invalidation_bound`](crate::TwoLevelBuilder::invalidation_bound).
///
/// ```
/// use ctu_std::TrackingState;
/// /// Whether an operator is called.
/// fn is_alarming(state: TrackingState) -> bool {
///     matches!(state, TrackingState::Unsubscribed | TrackingState::Refused)
/// }
/// assert!(!is_alarming(TrackingState::default()));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum TrackingState {
    /// The cache has no bound.
    #[default]
    Off,
    /// The server reports changes.
    Subscribed,
    /// There is no tracking connection. The cache tries to open one.
    Unsubscribed,
    /// The server does not report changes, or does not allow it. The cache tries again, seldom.
    Refused,
}

impl TwoLevelStats {
    pub(super) fn of(counts: &Counts) -> Self {
        use Counted::*;
        let get = |what| counts.get(what);
        Self {
            first_hits: get(FirstHit),
            second_hits: get(SecondHit),
            misses: get(Miss),
            errors: get(Error),
            damaged: get(Damaged),
            waits: get(Wait),
            stale: get(Stale),
            negative: get(Nothing),
            refreshes: get(Refresh),
            outages: get(Outage),
            skipped: get(Skipped),
            dropped: get(Dropped),
            distrusted: get(Distrusted),
            opened: get(Opened),
            missed: get(Missed),
            overflowed: get(Overflowed),
            replayed: get(Replayed),
            reported: get(Reported),
            invalidated: get(Invalidated),
            unleased: get(Unleased),
            unsubscribed: get(Unsubscribed),
            ..Self::default()
        }
    }

    /// The share of reads that found a value at either level, 0 to 1; 0 where there was no read.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let hits = self.first_hits.saturating_add(self.second_hits);
        // Counts beyond 2^53 lose their last digits, which no rate shows.
        hits as f64 / hits.saturating_add(self.misses).max(1) as f64
    }
}

impl fmt::Display for TwoLevelStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} hits in the first level, {} in the second, {} misses, {} errors, hit rate {:.1} %",
            self.first_hits,
            self.second_hits,
            self.misses,
            self.errors,
            self.hit_rate() * 100.0
        )?;
        // Options that are off count nothing.
        for (count, what) in [
            (self.damaged, "damaged"),
            (self.waits, "waits"),
            (self.stale, "stale"),
            (self.refreshes, "refreshes"),
            (self.outages, "outages"),
            (self.skipped, "skipped"),
            (self.dropped, "dropped"),
            (self.distrusted, "reads not believed"),
            (self.missed, "writes missed"),
            (self.replayed, "keys made good"),
            (self.invalidated, "entries invalidated"),
            (self.unleased, "hits without a lease"),
            (self.journal as u64, "keys in the journal"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        if self.journal_overflowed {
            f.write_str(", more was missed than the journal has room for")?;
        }
        match self.tracking {
            TrackingState::Off | TrackingState::Subscribed => {}
            TrackingState::Unsubscribed => f.write_str(", no tracking connection")?,
            TrackingState::Refused => f.write_str(", invalidations refused")?,
        }
        match self.breaker {
            BreakerState::Closed => Ok(()),
            BreakerState::Open => f.write_str(", breaker open"),
            BreakerState::Probing => f.write_str(", breaker probing"),
        }
    }
}
