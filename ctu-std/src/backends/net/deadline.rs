use std::time::{Duration, Instant};

/// No operation of a cache waits longer than this, also with a longer deadline: sums of instants and
/// durations stay in range.
const MAX_DEADLINE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The moment by which an operation has to end, and how long it had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    total: Duration,
}

impl Deadline {
    /// A deadline `total` from now.
    pub(crate) fn after(total: Duration) -> Self {
        let now = Instant::now();
        let at = now.checked_add(total.min(MAX_DEADLINE)).unwrap_or(now);
        Self { at, total }
    }

    /// The earlier of this deadline and `total` from now.
    pub(crate) fn at_most(self, total: Duration) -> Self {
        let other = Self::after(total);
        if other.at < self.at { other } else { self }
    }

    /// The deadline of the first of `parts` that are done one after the other: none of them takes the
    /// time of the rest.
    pub(crate) fn share(self, parts: usize) -> Self {
        let parts = u32::try_from(parts).unwrap_or(u32::MAX).max(1);
        match self.remaining() {
            Some(left) if parts > 1 => self.at_most(left / parts),
            _ => self,
        }
    }

    /// The moment itself.
    pub(crate) fn at(self) -> Instant {
        self.at
    }

    /// How long the operation had in all.
    pub(crate) fn total(self) -> Duration {
        self.total
    }

    /// How long is left; `None` when nothing is.
    pub(crate) fn remaining(self) -> Option<Duration> {
        self.at
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }
}
