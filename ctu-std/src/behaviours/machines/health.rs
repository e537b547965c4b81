//! The breaker and the journal of a second level.

use super::{Breaker, BreakerSettings, Journal, JournalSettings, Outcome, Permit, Repair, Trust};
use crate::random::Random;
use std::hash::Hash;

/// A change of the health, for logs: one for each outage, not one for each operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The breaker opened.
    Opened,
    /// The second level answers again.
    Closed,
    /// The journal has its first record.
    Missed,
    /// The journal had no room for a key.
    Overflowed,
    /// The journal is empty again.
    Recovered,
}

/// The first step of a read of the second level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadDecision {
    /// The read asks the second level.
    Ask(Permit),
    /// The breaker is open: a miss.
    Skip,
    /// The second level missed a write of the key: a miss.
    Distrust,
    /// The same, and the key is to be deleted.
    Repair(Permit, Repair),
}

/// The breaker and the journal, with their shared state.
pub(crate) struct Health<K: ToOwned + ?Sized> {
    pub(crate) breaker: Breaker,
    pub(crate) journal: Journal<K>,
    pub(crate) random: Random,
    /// The text of the last outage's error.
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

    pub(crate) fn begin_read(&mut self, key: &K, now: u64) -> ReadDecision {
        let trust = self.journal.trust(key, now);
        if trust == Trust::Distrusted {
            return ReadDecision::Distrust;
        }
        match (self.breaker.try_acquire(now), trust) {
            (None, Trust::Repair(_)) => ReadDecision::Distrust,
            (None, _) => ReadDecision::Skip,
            (Some(permit), Trust::Repair(repair)) => ReadDecision::Repair(permit, repair),
            (Some(permit), _) => ReadDecision::Ask(permit),
        }
    }

    /// Records the outcome of an operation, with the text of its error if it is an outage.
    pub(crate) fn record(
        &mut self,
        permit: Permit,
        outcome: Outcome,
        outage: Option<String>,
        now: u64,
    ) -> Option<Change> {
        if outage.is_some() {
            self.last_outage = outage;
        }
        let opened = self
            .breaker
            .record(permit, outcome, now, &mut self.random)?;
        if opened {
            return Some(Change::Opened);
        }
        self.journal.retry_now();
        Some(Change::Closed)
    }

    /// The time of the next replay that the breaker may permit.
    pub(crate) fn next_at(&self) -> Option<u64> {
        let next = self.journal.next_at()?;
        Some(next.max(self.breaker.opens_at().unwrap_or(0)))
    }
}
