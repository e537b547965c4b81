//! Asking the second level, if the breaker lets it.

use super::{counts::Counted, levels::Levels};
use crate::{
    behaviours::machines::{Change, Health, Outcome, Pass},
    sync::Mutex,
};
use ctu_core::{Cache, CacheError};
use std::hash::Hash;

/// What became of an operation at the second level.
pub(super) enum Asked<T, E> {
    Done(T),
    /// It failed, and the caller is to know.
    Failed(E),
    /// It failed by an outage, which a resilient cache keeps to itself, or was not sent at all.
    Missed(Option<E>),
}

impl<T, E> Asked<T, E> {
    pub(super) fn map<U>(self, f: impl FnOnce(T) -> U) -> Asked<U, E> {
        match self {
            Self::Done(done) => Asked::Done(f(done)),
            Self::Failed(error) => Asked::Failed(error),
            Self::Missed(error) => Asked::Missed(error),
        }
    }

    /// What the caller is to know.
    pub(super) fn failed<F>(self, error: impl FnOnce(E) -> F) -> Result<(), F> {
        match self {
            Self::Failed(failed) => Err(error(failed)),
            Self::Done(_) | Self::Missed(_) => Ok(()),
        }
    }
}

impl<A, B> Levels<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// Does `operation` at the second level, if the breaker lets it.
    pub(super) fn ask<T>(
        &self,
        operation: impl FnOnce(&B) -> Result<T, B::Error>,
    ) -> Asked<T, B::Error> {
        let Some(health) = &self.health else {
            return match operation(&self.second) {
                Ok(done) => Asked::Done(done),
                Err(error) => Asked::Failed(error),
            };
        };
        let now = self.now();
        let Some(pass) = health.lock().breaker.admit(now) else {
            self.count(Counted::Skipped);
            return Asked::Missed(None);
        };
        // Reported even if the operation panics, since a probe that is never heard of would be the last.
        let mut asking = Asking {
            levels: self,
            health,
            pass,
            outcome: Outcome::Failed,
            why: None,
        };
        match operation(&self.second) {
            Ok(done) => {
                asking.outcome = Outcome::Answered;
                Asked::Done(done)
            }
            Err(error) if error.is_outage() => {
                self.count(Counted::Outage);
                asking.why = Some(error.to_string());
                Asked::Missed(Some(error))
            }
            // Nothing is known about the second level; a resilient cache does without it, this once.
            Err(error) if error.is_overload() => {
                asking.outcome = Outcome::NotAsked;
                Asked::Missed(Some(error))
            }
            Err(error) => {
                asking.outcome = match error.as_core() {
                    // Refused on this side, before anything was sent. Damage is in an answer.
                    Some(_) if !error.is_corrupt() => Outcome::NotAsked,
                    _ => Outcome::Answered,
                };
                Asked::Failed(error)
            }
        }
    }
}

/// An operation at the second level, whose outcome is reported when this is dropped.
struct Asking<'l, A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    levels: &'l Levels<A, B>,
    health: &'l Mutex<Health<A::Key>>,
    pass: Pass,
    outcome: Outcome,
    /// What the error of an outage said.
    why: Option<String>,
}

impl<A, B> Drop for Asking<'_, A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    fn drop(&mut self) {
        let now = self.levels.now();
        let mut health = self.health.lock();
        if self.why.is_some() {
            health.last_outage = self.why.take();
        }
        let change = health.report(self.pass, self.outcome, now);
        drop(health);
        if let Some(change) = change {
            if change == Change::Opened {
                self.levels.count(Counted::Opened);
            }
            self.levels.changed(change);
        }
    }
}
