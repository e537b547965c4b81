//! Conversion of milliseconds to the ticks of deadlines.

use super::expiry::MAX_TTL;
use core::time::Duration;

/// Converts the store's milliseconds to the ticks of its deadlines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    /// The cache's time-to-live in milliseconds.
    pub(super) ttl: u64,
    /// A tick is 2^shift milliseconds.
    shift: u32,
}

impl Ticks {
    pub(super) const fn new(ttl: Duration) -> Self {
        let ttl = millis(ttl);
        // The default time-to-live is at most half the longest.
        let shift = (u64::BITS - ttl.leading_zeros()).saturating_sub(29);
        Self { ttl, shift }
    }

    /// The tick at `millis`.
    #[inline]
    pub(super) const fn at(&self, millis: u64) -> u64 {
        millis >> self.shift
    }

    /// The ticks from `millis` to `ttl` milliseconds later.
    #[inline]
    pub(super) fn until(&self, millis: u64, ttl: u64) -> u32 {
        let ticks = self
            .at(millis.saturating_add(ttl))
            .wrapping_sub(self.at(millis));
        u32::try_from(ticks).unwrap_or(MAX_TTL)
    }

    /// The time from `millis` to `ticks` ticks later.
    pub(super) const fn left(&self, ticks: u32, millis: u64) -> Duration {
        let end = self.at(millis).saturating_add(ticks as u64) << self.shift;
        Duration::from_millis(end.saturating_sub(millis))
    }

    pub(super) const fn max_ttl(&self) -> u64 {
        (MAX_TTL as u64) << self.shift
    }
}

pub(super) const fn millis(duration: Duration) -> u64 {
    let millis = duration.as_millis();
    // About 146 million years: the range of a shifted tick.
    let most = u64::MAX as u128 >> 2;
    if millis < most {
        millis as u64
    } else {
        most as u64
    }
}
