//! Milliseconds in 31 bits.

use super::expiry::MAX_TICK;
use core::time::Duration;

/// How the store's milliseconds become the 31-bit ticks of its deadlines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    /// The cache's time-to-live in milliseconds.
    pub(super) ttl: u64,
    /// A tick is 2^shift milliseconds.
    shift: u32,
    /// The tick, counted from the first reading of the clock, that deadlines count from.
    origin: u64,
}

/// The longest time-to-live, in ticks. Half of what a deadline can count, so that counting has to
/// begin anew (O(n)) at most once in as many ticks.
const MAX_TTL: u64 = (MAX_TICK as u64).div_ceil(2);

impl Ticks {
    pub(super) const fn new(ttl: Duration) -> Self {
        let ttl = millis(ttl);
        // The cache's own is at most half the longest.
        let shift = (u64::BITS - ttl.leading_zeros()).saturating_sub(29);
        Self {
            ttl,
            shift,
            origin: 0,
        }
    }

    /// The tick at so many milliseconds, which is `None` beyond what a deadline can count.
    #[inline]
    pub(super) fn at(&self, millis: u64) -> Option<u32> {
        let tick = (millis >> self.shift).saturating_sub(self.origin);
        u32::try_from(tick).ok().filter(|&tick| tick <= MAX_TICK)
    }

    /// The tick now is. All deadlines have passed where it is beyond them.
    #[inline]
    pub(super) fn now(&self, millis: u64) -> u32 {
        self.at(millis).unwrap_or(MAX_TICK)
    }

    /// Counts deadlines from so many milliseconds on. Returns how many ticks that is later than before.
    pub(super) fn count_from(&mut self, millis: u64) -> u32 {
        let origin = millis >> self.shift;
        let ticks = origin.saturating_sub(self.origin);
        self.origin = origin;
        u32::try_from(ticks).unwrap_or(MAX_TICK)
    }

    /// What is left from `millis` to a tick.
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
    // Some 146 million years: what a shifted tick can count.
    let most = u64::MAX as u128 >> 2;
    if millis < most {
        millis as u64
    } else {
        most as u64
    }
}
