//! The settings as the levels read them.

use crate::behaviours::machines::{BreakerSettings, JournalSettings, LeaseSettings};
use ctu_core::{Clock, single_flight::DEFAULT_WAIT_LIMIT};
use std::{fmt, hash::BuildHasher, hash::RandomState, sync::Arc, time::Duration};
// As the standard library's, unless a test pauses the time.
#[cfg(not(feature = "tokio"))]
use std::time::Instant;
#[cfg(feature = "tokio")]
use tokio::time::Instant;

/// The source of time.
#[derive(Clone)]
pub(super) struct Time(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Time {
    pub(super) fn of(clock: impl Clock + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || clock.now()))
    }

    /// The clock of leases: on Linux and Android it counts the time that the machine is suspended.
    pub(super) fn of_leases() -> Self {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        return Self::of(crate::boot_clock::BootClock::new());
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        Self::system()
    }

    pub(super) fn system() -> Self {
        let start = Instant::now();
        Self(Arc::new(move || millis(start.elapsed())))
    }
}

impl Clock for Time {
    fn now(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The name of the cache in its events.
    pub(super) name: Option<String>,
    pub(super) resilience: Option<Resilience>,
    pub(super) tracking: TrackingSettings,
    /// The time after expiry within which a value may be returned, and the number of kept values.
    pub(super) grace: Option<(Duration, usize)>,
    /// The time that a missing entry is remembered, and the number of keys.
    pub(super) negative: Option<(Duration, usize)>,
    /// The largest share that a time-to-live is shortened by.
    pub(super) jitter: f64,
    pub(super) time: Time,
    /// Whether the program set the clock.
    pub(super) has_own_clock: bool,
    pub(super) seed: u64,
    /// The longest wait for another caller's computation.
    pub(super) wait_limit: Duration,
    /// The time after which a stale value is returned while the computation goes on.
    #[cfg(feature = "tokio")]
    pub(super) soft_limit: Option<Duration>,
    /// The time after which a computation is stopped.
    #[cfg(feature = "tokio")]
    pub(super) hard_limit: Option<Duration>,
}

/// The settings of the lease, of effect with an invalidation bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrackingSettings {
    pub(super) lease: LeaseSettings,
    /// The capacity of the index of marks.
    pub(super) tracked_keys: usize,
    /// Whether entries are served without a lease.
    pub(super) serve_without_lease: bool,
    /// Whether a thread does the steps.
    pub(super) in_background: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Resilience {
    pub(super) breaker: BreakerSettings,
    pub(super) journal: JournalSettings,
    /// Whether a thread or task replays the journal.
    pub(super) in_background: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: None,
            resilience: None,
            tracking: TrackingSettings::default(),
            grace: None,
            negative: None,
            jitter: 0.0,
            time: Time::system(),
            has_own_clock: false,
            seed: RandomState::new().hash_one(0),
            wait_limit: DEFAULT_WAIT_LIMIT,
            #[cfg(feature = "tokio")]
            soft_limit: None,
            #[cfg(feature = "tokio")]
            hard_limit: None,
        }
    }
}

impl Default for TrackingSettings {
    fn default() -> Self {
        Self {
            lease: LeaseSettings {
                bound: 1_000,
                retry: (100, 10_000),
            },
            tracked_keys: 65_536,
            serve_without_lease: false,
            in_background: true,
        }
    }
}

impl Default for Resilience {
    fn default() -> Self {
        Self {
            breaker: BreakerSettings {
                failures: 5,
                patience: 100,
                first: 500,
                longest: 10_000,
            },
            journal: JournalSettings {
                capacity: 10_000,
                settle: 10_000,
                longest_ttl: None,
                retry: (500, 10_000),
            },
            in_background: true,
        }
    }
}

/// Whole milliseconds, rounded up: a time that is not 0 does not become 0.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// A share, 0 to 1. Not a number is no share.
pub(super) fn share_of(share: f64) -> f64 {
    match share.is_finite() {
        true => share.clamp(0.0, 1.0),
        false => 0.0,
    }
}
