//! Conversion of milliseconds to 31-bit ticks.

use super::expiry::MAX_TICK;
use core::time::Duration;

/// Converts the store's milliseconds to the 31-bit ticks of its deadlines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    /// The cache's time-to-live in milliseconds.
    pub(super) ttl: u64,
    /// A tick is 2^shift milliseconds.
    shift: u32,
    /// The origin of the deadlines, in ticks since the first reading of the clock.
    origin: u64,
}

/// The longest time-to-live, in ticks: half the range of a deadline. A rebase of all deadlines,
/// O(n), is then needed at most once in as many ticks.
const MAX_TTL: u64 = (MAX_TICK as u64).div_ceil(2);

impl Ticks {
    pub(super) const fn new(ttl: Duration) -> Self {
        let ttl = millis(ttl);
        // The default time-to-live is at most half the longest.
        let shift = (u64::BITS - ttl.leading_zeros()).saturating_sub(29);
        Self {
            ttl,
            shift,
            origin: 0,
        }
    }

    /// The tick at `millis`. `None` beyond the range of a deadline.
    #[inline]
    pub(super) fn at(&self, millis: u64) -> Option<u32> {
        let tick = (millis >> self.shift).saturating_sub(self.origin);
        u32::try_from(tick).ok().filter(|&tick| tick <= MAX_TICK)
    }

    /// The current tick, clamped: beyond the range, all deadlines have passed.
    #[inline]
    pub(super) fn now(&self, millis: u64) -> u32 {
        self.at(millis).unwrap_or(MAX_TICK)
    }

    /// Moves the origin to `millis`. Returns the number of ticks that it moved.
    pub(super) fn count_from(&mut self, millis: u64) -> u32 {
        let origin = millis >> self.shift;
        let ticks = origin.saturating_sub(self.origin);
        self.origin = origin;
        u32::try_from(ticks).unwrap_or(MAX_TICK)
    }

    /// The time from `millis` to a tick.
    pub(super) fn left(&self, tick: u32, millis: u64) -> Duration {
        let end = self.origin.saturating_add(u64::from(tick)) << self.shift;
        Duration::from_millis(end.saturating_sub(millis))
    }

    pub(super) const fn max_ttl(&self) -> u64 {
        MAX_TTL << self.shift
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
