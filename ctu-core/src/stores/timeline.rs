//! A monotonic time made of any clock.

use crate::clock::Clock;

/// The elapsed time of a store. It never moves backwards, for any reading of the clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timeline {
    /// The reading of the clock at `elapsed`.
    last: Option<u64>,
    /// Milliseconds since the first reading.
    elapsed: u64,
}

impl Timeline {
    /// A step back by less than this is jitter (readings on two cores, for example): time waits for
    /// the clock. A larger step means that the clock was set.
    const JITTER: u64 = 1_000;

    pub(super) const fn new() -> Self {
        Self {
            last: None,
            elapsed: 0,
        }
    }

    /// Reads the clock.
    #[inline]
    pub(super) fn advance<T: Clock + ?Sized>(&mut self, clock: &T) {
        *self = self.at(clock);
    }

    /// The result of [`advance`](Self::advance), without a change.
    #[inline]
    pub(super) fn at<T: Clock + ?Sized>(&self, clock: &T) -> Self {
        let reading = clock.now();
        let Some(last) = self.last else {
            return Self {
                last: Some(reading),
                elapsed: 0,
            };
        };
        let mask = u64::MAX
            .checked_shr(64 - T::BITS.clamp(1, 64))
            .unwrap_or(u64::MAX);
        let ahead = reading.wrapping_sub(last) & mask;
        let behind = last.wrapping_sub(reading) & mask;
        if ahead <= mask / 2 {
            Self {
                last: Some(reading),
                elapsed: self.elapsed.saturating_add(ahead),
            }
        } else if behind < Self::JITTER {
            *self
        } else {
            Self {
                last: Some(reading),
                elapsed: self.elapsed,
            }
        }
    }

    /// Restarts at 0.
    pub(super) const fn restart(&mut self) {
        self.elapsed = 0;
    }

    /// Milliseconds since the first reading, or since [`restart`](Self::restart).
    #[inline]
    pub(super) const fn elapsed(&self) -> u64 {
        self.elapsed
    }
}
