//! The time of a store, read from its clock.

use super::{
    ticks::{Ticks, millis},
    timeline::Timeline,
};
use crate::{clock::Clock, error::Error};
use core::time::Duration;

/// The time of a store: readings of its clock, as ticks of its deadlines.
#[derive(Clone)]
pub(super) struct Time<T> {
    ticks: Ticks,
    clock: T,
    timeline: Timeline,
}

impl<T> Time<T> {
    pub(super) const fn new(ttl: Duration, clock: T) -> Self {
        Self {
            ticks: Ticks::new(ttl),
            clock,
            timeline: Timeline::new(),
        }
    }

    pub(super) const fn clock(&self) -> &T {
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

    /// Sets the cache's time-to-live; an error if it is too long for the present ticks.
    pub(super) fn set_ttl(&mut self, ttl: Duration) -> Result<(), Error> {
        self.ticks.ttl = self.check(ttl)?;
        Ok(())
    }

    /// Sets the cache's time-to-live and the ticks. For a store without entries.
    pub(super) const fn reset(&mut self, ttl: Duration) {
        self.ticks = Ticks::new(ttl);
    }

    /// Milliseconds from the first reading of the clock to the last.
    #[inline]
    pub(super) const fn elapsed(&self) -> u64 {
        self.timeline.elapsed()
    }

    /// The tick at the last reading of the clock.
    #[inline]
    pub(super) const fn last(&self) -> u64 {
        self.ticks.at(self.elapsed())
    }

    /// The ticks from the last reading of the clock to `ttl` milliseconds later.
    #[inline]
    pub(super) fn until(&self, ttl: u64) -> u32 {
        self.ticks.until(self.elapsed(), ttl)
    }

    /// The time left of an entry with `ticks` left at the last reading of the clock.
    pub(super) const fn left_at_last(&self, ticks: u32) -> Duration {
        self.ticks.left(ticks, self.elapsed())
    }

    /// Restarts the time at 0 where it is near the end of its range, after a clock that jumped.
    /// For a store without a deadline that counts.
    #[inline]
    pub(super) fn restart_at_the_end(&mut self) {
        if self.elapsed() > u64::MAX >> 2 {
            self.timeline.restart();
        }
    }
}

impl<T: Clock> Time<T> {
    /// Reads the clock. Returns the tick.
    #[inline]
    pub(super) fn now(&mut self) -> u64 {
        self.timeline.advance(&self.clock);
        self.last()
    }

    /// The tick that [`now`](Self::now) would return.
    pub(super) fn peek(&self) -> u64 {
        self.ticks.at(self.peek_elapsed())
    }

    /// The time left of an entry with `ticks` left at the tick that it is called with.
    pub(super) fn left(&self, ticks: impl FnOnce(u64) -> Option<u32>) -> Option<Duration> {
        let elapsed = self.peek_elapsed();
        let ticks = ticks(self.ticks.at(elapsed))?;
        Some(self.ticks.left(ticks, elapsed))
    }

    /// Milliseconds from the first reading of the clock to one now.
    fn peek_elapsed(&self) -> u64 {
        self.timeline.at(&self.clock).elapsed()
    }
}
