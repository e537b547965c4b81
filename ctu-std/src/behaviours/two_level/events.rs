//! Events of `tracing`.

use super::levels::{FirstLevel, Levels};
use crate::{
    behaviours::machines::{Change, TrackingChange},
    caches::AnyCache,
};
use std::fmt;
#[cfg(feature = "tracing")]
use std::sync::atomic::Ordering::Relaxed;

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    /// Reports a change: one event for each, however many operations an outage meets.
    #[cfg(feature = "tracing")]
    pub(super) fn tell(&self, change: Change) {
        let cache = self.settings.name.as_deref();
        let outage = || self.last_outage().map(tracing::field::display);
        match change {
            Change::Opened => tracing::warn!(
                cache,
                error = outage(),
                "the second level of a cache fails: it is not asked for a while"
            ),
            Change::Closed => tracing::info!(cache, "the second level of a cache is back"),
            Change::Missed => tracing::warn!(
                cache,
                error = outage(),
                "the second level of a cache missed a write, which is kept in mind"
            ),
            Change::Overflowed => tracing::error!(
                cache,
                "the second level of a cache missed more writes than there is room for: \
                 keys that may be among them are misses and deleted when they are asked for"
            ),
            Change::Recovered => tracing::info!(
                cache,
                "all that the second level of a cache missed is made good"
            ),
        }
    }

    /// Reports a change of the tracking.
    #[cfg(feature = "tracing")]
    pub(super) fn tell_tracking(&self, change: TrackingChange) {
        let cache = self.settings.name.as_deref();
        let reason = || self.last_unsubscription().map(tracing::field::display);
        match change {
            TrackingChange::Subscribed => tracing::info!(
                cache,
                "the server reports changed keys: the first level of a cache is served under a lease"
            ),
            TrackingChange::Unsubscribed => tracing::warn!(
                cache,
                error = reason(),
                "no tracking connection: the first level of a cache loses its lease"
            ),
            TrackingChange::Refused => tracing::error!(
                cache,
                error = reason(),
                "the server does not report changed keys: the first level of a cache has no lease"
            ),
        }
    }

    /// Reports the first corrupt value of the second level. The statistics count all.
    #[cfg(feature = "tracing")]
    #[cold]
    pub(super) fn tell_corrupt(&self, error: &impl fmt::Display) {
        if !self.corrupt_reported.swap(true, Relaxed) {
            tracing::warn!(
                cache = self.settings.name.as_deref(),
                %error,
                "a value of the second level of a cache cannot be decoded, and is a miss"
            );
        }
    }

    #[cfg(not(feature = "tracing"))]
    pub(super) fn tell_tracking(&self, _: TrackingChange) {}

    #[cfg(not(feature = "tracing"))]
    pub(super) fn tell(&self, _: Change) {}

    #[cfg(not(feature = "tracing"))]
    pub(super) fn tell_corrupt(&self, _: &impl fmt::Display) {}
}
