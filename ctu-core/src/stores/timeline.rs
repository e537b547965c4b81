use crate::clock::Clock;

/// Time as a store counts it: only ever forwards, whatever its clock reads.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timeline {
    /// The clock's reading that `elapsed` belongs to.
    last: Option<u64>,
    /// Milliseconds since the first reading.
    elapsed: u64,
}

impl Timeline {
    /// A clock behind by less than this jitters (it is read on two cores, say) and is waited for;
    /// one further behind was set.
    const JITTER: u64 = 1_000;

    pub(super) const fn new() -> Self {
        Self {
            last: None,
            elapsed: 0,
        }
    }

    /// Reads the clock.
    #[inline]
    pub(super) fn advance<C: Clock + ?Sized>(&mut self, clock: &C) {
        *self = self.at(clock);
    }

    /// What [`advance`](Self::advance) would make of the clock.
    #[inline]
    pub(super) fn at<C: Clock + ?Sized>(&self, clock: &C) -> Self {
        let reading = clock.now();
        let Some(last) = self.last else {
            return Self {
                last: Some(reading),
                elapsed: 0,
            };
        };
        let mask = u64::MAX
            .checked_shr(64 - C::BITS.clamp(1, 64))
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

    /// Begins to count from 0 again.
    pub(super) const fn restart(&mut self) {
        self.elapsed = 0;
    }

    /// Milliseconds since the first reading, or since [`restart`](Self::restart).
    #[inline]
    pub(super) const fn elapsed(&self) -> u64 {
        self.elapsed
    }
}
