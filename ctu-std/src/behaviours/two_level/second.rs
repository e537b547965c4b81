//! Calls of the second level: permission before the request, and the outcome after it.

use super::{
    counts::Counted,
    levels::{FirstLevel, Levels},
};
use crate::{
    behaviours::machines::{Change, Outcome, Permit},
    caches::AnyCache,
};
use ctu_core::CacheError;
use std::thread;

/// The result of an operation of the second level.
pub(super) enum SecondResult<T, E> {
    Done(T),
    /// It failed, and the caller gets the error.
    Failed(E),
    /// It failed by an outage or overload, which a resilient cache hides from the caller.
    Missed(E),
    /// The breaker is open: no request was sent.
    Skipped,
}

impl<T, E> SecondResult<T, E> {
    pub(super) fn effect(&self) -> Effect {
        match self {
            Self::Done(_) => Effect::Done,
            Self::Failed(_) => Effect::Refused,
            Self::Missed(_) => Effect::Unknown,
            Self::Skipped => Effect::None,
        }
    }

    /// The error for the caller.
    pub(super) fn failed<F>(self, error: impl FnOnce(E) -> F) -> Result<(), F> {
        match self {
            Self::Failed(failed) => Err(error(failed)),
            Self::Done(_) | Self::Missed(_) | Self::Skipped => Ok(()),
        }
    }
}

/// The effect of a write on the second level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Done,
    /// The second level answered with an error.
    Refused,
    /// It may have been done, or may still arrive.
    Unknown,
    /// It was not sent.
    None,
}

/// A call of the second level under way. It is dropped without a result by a panic, or with the caller's
/// future. The breaker records that: an unrecorded probe would leave it half-open for ever.
#[must_use = "the outcome is to be recorded"]
pub(super) struct Call<'l, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    levels: &'l Levels<A, B, Kind>,
    /// `None` without a breaker, and after the end.
    permit: Option<Permit>,
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    /// Permission to call the second level. `None` while the breaker is open.
    pub(super) fn admit(&self) -> Option<Call<'_, A, B, Kind>> {
        let Some(health) = &self.health else {
            return Some(self.call(None));
        };
        let now = self.now();
        let permit = health.lock().breaker.try_acquire(now);
        if permit.is_none() {
            self.count(Counted::Skipped);
        }
        Some(self.call(Some(permit?)))
    }

    pub(super) fn call(&self, permit: Option<Permit>) -> Call<'_, A, B, Kind> {
        Call {
            levels: self,
            permit,
        }
    }

    fn record(&self, permit: Permit, outcome: Outcome, outage: Option<String>) {
        let Some(health) = &self.health else { return };
        let now = self.now();
        let change = health.lock().record(permit, outcome, outage, now);
        if let Some(change) = change {
            if change == Change::Opened {
                self.count(Counted::Opened);
            }
            self.changed(change);
        }
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Call<'_, A, B, Kind> {
    /// Records the outcome, and sorts the result by its consequence for the caller.
    pub(super) fn end<T, E: CacheError>(mut self, result: Result<T, E>) -> SecondResult<T, E> {
        let Some(permit) = self.permit.take() else {
            return match result {
                Ok(done) => SecondResult::Done(done),
                Err(error) => SecondResult::Failed(error),
            };
        };
        let error = match result {
            Ok(done) => {
                self.levels.record(permit, Outcome::Answered, None);
                return SecondResult::Done(done);
            }
            Err(error) => error,
        };
        if error.is_outage() {
            self.levels.count(Counted::Outage);
            self.levels
                .record(permit, Outcome::Failed, Some(error.to_string()));
            return SecondResult::Missed(error);
        }
        // Nothing is known about the second level; a resilient cache does without it, this once.
        if error.is_overload() {
            self.levels.record(permit, Outcome::NotAsked, None);
            return SecondResult::Missed(error);
        }
        let outcome = match error.as_core() {
            // Refused on this side, before a request. A corrupt value is in an answer.
            Some(_) if !error.is_corrupt() => Outcome::NotAsked,
            _ => Outcome::Answered,
        };
        self.levels.record(permit, outcome, None);
        SecondResult::Failed(error)
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Drop for Call<'_, A, B, Kind> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else {
            return;
        };
        if thread::panicking() {
            self.levels.record(permit, Outcome::Failed, None);
        } else {
            self.levels.count(Counted::Dropped);
            self.levels.record(permit, Outcome::Dropped, None);
        }
    }
}
