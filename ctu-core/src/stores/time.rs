//! The time of a store, read from its clock.

use super::{
    ticks::{Ticks, millis},
    timeline::Timeline,
};
use crate::{clock::Clock, error::Error};
use core::time::Duration;

/// The time of a store: readings of its clock, as ticks of its deadlines.
#[derive(Clone)]
pub(super) struct Time<C> {
    ticks: Ticks,
    clock: C,
    timeline: Timeline,
}

impl<C> Time<C> {
    pub(super) const fn new(ttl: Duration, clock: C) -> Self {
        Self {
            ticks: Ticks::new(ttl),
            clock,
            timeline: Timeline::new(),
        }
    }

    pub(super) const fn clock(&self) -> &C {
        &self.clock
    }

    /// The cache's time-to-live in milliseconds.
    pub(super) const fn ttl(&self) -> u64 {
        self.ticks.ttl
    }

    pub(super) const fn max_ttl(&self) -> Duration {
        Duration::from_millis(self.ticks.max_ttl())
    }

    /// Converts a time-to-live to milliseconds; an error if it is too long.
    pub(super) fn check(&self, ttl: Duration) -> Result<u64, Error> {
        let ttl = millis(ttl);
        if ttl > self.ticks.max_ttl() {
            let max = self.max_ttl();
            return Err(Error::TtlTooLong { max });
        }
        Ok(ttl)
    }

    /// Milliseconds from the first reading of the clock to the last.
    #[inline]
    pub(super) const fn elapsed(&self) -> u64 {
        self.timeline.elapsed()
    }

    /// The tick at the last reading of the clock.
    #[inline]
    pub(super) fn last(&self) -> u32 {
        self.ticks.now(self.elapsed())
    }

    /// The tick `ttl` milliseconds after the last reading of the clock. `None` beyond the range of
    /// a deadline.
    #[inline]
    pub(super) fn after(&self, ttl: u64) -> Option<u32> {
        self.ticks.at(self.elapsed().saturating_add(ttl))
    }

    /// Moves the origin to the last reading of the clock. Returns the number of ticks that it
    /// moved.
    pub(super) fn count_from_last(&mut self) -> u32 {
        self.ticks.count_from(self.elapsed())
    }

    /// Restarts the time at 0.
    pub(super) fn restart(&mut self) {
        self.timeline.restart();
        self.ticks.count_from(0);
    }
}

impl<C: Clock> Time<C> {
    /// Reads the clock. Returns the tick.
    pub(super) fn now(&mut self) -> u32 {
        self.timeline.advance(&self.clock);
        self.last()
    }

    /// The tick that [`now`](Self::now) would return.
    pub(super) fn peek(&self) -> u32 {
        self.ticks.now(self.timeline.at(&self.clock).elapsed())
    }

    /// The time left until a tick.
    pub(super) fn left(&self, tick: u32) -> Duration {
        let elapsed = self.timeline.at(&self.clock).elapsed();
        self.ticks.left(tick, elapsed)
    }
}
