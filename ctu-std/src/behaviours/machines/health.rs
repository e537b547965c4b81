//! How the second level does, and what it missed.

use super::{Breaker, BreakerSettings, Journal, JournalSettings, Outcome, Pass};
use crate::random::Random;
use std::hash::Hash;

/// What changed, for whoever keeps a log: once for each outage, not once for each operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The breaker opened.
    Opened,
    /// The second level answered again.
    Closed,
    /// Something was missed; nothing was before.
    Missed,
    /// More was missed than there is room for.
    Overflowed,
    /// All that was missed is made good.
    Recovered,
}

/// The breaker and the journal of a second level, with what they share.
pub(crate) struct Health<K: ToOwned + ?Sized> {
    pub(crate) breaker: Breaker,
    pub(crate) journal: Journal<K>,
    pub(crate) random: Random,
    /// What the error of the last outage said.
    pub(crate) last_outage: Option<String>,
}

impl<K: ToOwned + Hash + Eq + ?Sized> Health<K> {
    pub(crate) fn new(breaker: BreakerSettings, journal: JournalSettings, seed: u64) -> Self {
        Self {
            breaker: Breaker::new(breaker),
            journal: Journal::new(journal),
            random: Random::new(seed),
            last_outage: None,
        }
    }

    pub(crate) fn report(&mut self, pass: Pass, outcome: Outcome, now: u64) -> Option<Change> {
        let opened = self.breaker.report(pass, outcome, now, &mut self.random)?;
        if opened {
            return Some(Change::Opened);
        }
        self.journal.retry_now();
        Some(Change::Closed)
    }

    /// When there will be something to make good that may be tried.
    pub(crate) fn next_at(&self) -> Option<u64> {
        let next = self.journal.next_at()?;
        Some(next.max(self.breaker.opens_at().unwrap_or(0)))
    }
}
