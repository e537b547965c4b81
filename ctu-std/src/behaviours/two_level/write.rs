//! Writing both levels: the second, then the first.

use super::{
    ask::Asked,
    counts::Counted,
    error::TwoLevelError,
    levels::{Failed, Levels},
    order::{Batch, Begun},
};
use crate::behaviours::{
    machines::{Change, Noted, What},
    single_flight::Leading,
};
use ctu_core::Cache;
use std::{hash::Hash, time::Duration};

impl<A, B> Levels<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// A write or delete of `key` begins: what is computed from now on is computed after it.
    fn begin(&self, key: &A::Key) -> Begun {
        self.flights.written(key);
        self.order.begin(key)
    }

    /// Records the outcome of a write or delete of `key`. Its stripe is locked.
    fn note<T>(&self, key: &A::Key, asked: &Asked<T, B::Error>, write: bool, alone: bool) {
        let Some(health) = &self.health else { return };
        let mut health = health.lock();
        match *asked {
            Asked::Done(_) if alone => health.journal.done(key),
            Asked::Done(_) | Asked::Failed(_) => {}
            Asked::Missed(ref error) => {
                let what = match (write, error) {
                    (true, Some(_)) => What::SentWrite,
                    _ => What::Other,
                };
                let had = health.journal.overflowed();
                let noted = health.journal.missed(key, what);
                drop(health);
                self.count(Counted::Missed);
                match noted {
                    Noted::First => self.changed(Change::Missed),
                    // The thread may wait for what is due later.
                    Noted::Sooner => self.wake(),
                    Noted::Kept => {}
                    Noted::Overflowed => {
                        self.count(Counted::Overflowed);
                        if !had {
                            self.tell(Change::Overflowed);
                        }
                    }
                }
            }
        }
    }

    /// Records a `clear` that the second level missed.
    fn note_missed_clear(&self) {
        if let Some(health) = &self.health {
            health.lock().journal.missed_all();
            self.count(Counted::Missed);
            self.changed(Change::Missed);
        }
    }

    pub(super) fn insert_entry(
        &self,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Failed<A, B>> {
        let begun = self.begin(key);
        let time = self.second_time(ttl);
        let asked = self.ask(|second| second.insert_entry(key, value.clone(), time));
        if let Asked::Failed(error) = asked {
            return Err(self.second_failed(error));
        }
        let kept = self.order.write(begun, |alone| {
            self.note(key, &asked, true, alone);
            self.flights.written(key);
            // One of two writes at once: which came second, the second level knows.
            self.keep_first(alone, key, value, ttl)
        });
        kept.map_err(|error| self.first_failed(error))
    }

    /// Stores in the first level, or leaves nothing there where what was stored may not be the newest.
    fn keep_first(
        &self,
        newest: bool,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
    ) -> Result<(), A::Error> {
        match newest {
            true => self.put_first(key, value, ttl),
            false => self.forget_first(key).map(drop),
        }
    }

    /// Removes `key` from the first level and from what is remembered beside it.
    fn forget_first(&self, key: &A::Key) -> Result<bool, A::Error> {
        self.memory.remove(key);
        self.first.remove(key)
    }

    /// Stores what was computed in `flight`. Not where the key was written since that began: it may be older.
    pub(super) fn put_computed(
        &self,
        key: &A::Key,
        value: A::Value,
        flight: &mut Leading<'_, A::Key, A::Value>,
    ) -> Result<(), Failed<A, B>> {
        let begun = self.order.begin(key);
        if !flight.store() {
            return Ok(());
        }
        let time = self.second_time(None);
        let asked = self.ask(|second| second.insert_entry(key, value.clone(), time));
        if let Asked::Failed(error) = asked {
            return Err(self.second_failed(error));
        }
        let mut written = false;
        let kept = self.order.write(begun, |alone| {
            self.note(key, &asked, true, alone);
            written = !flight.is_current();
            self.keep_first(alone && !written, key, value, None)
        });
        kept.map_err(|error| self.first_failed(error))?;
        if written {
            // It may have come to the second level after what it is older than, which is not believed
            // until the flight has landed.
            self.remove(key)?;
        }
        Ok(())
    }

    pub(super) fn remove(&self, key: &A::Key) -> Result<bool, Failed<A, B>> {
        let begun = self.begin(key);
        let asked = self.ask(|second| second.remove(key));
        let first = self.order.write(begun, |alone| {
            self.note(key, &asked, false, alone);
            self.flights.written(key);
            self.forget_first(key)
        });
        let second = match asked {
            Asked::Done(removed) => removed,
            Asked::Failed(error) => return Err(self.second_failed(error)),
            Asked::Missed(_) => false,
        };
        Ok(first.map_err(|error| self.first_failed(error))? || second)
    }

    pub(super) fn clear(&self) -> Result<(), Failed<A, B>> {
        self.flights.all_written();
        if self.settings.clears_both {
            let health = self.health.as_ref();
            let begun = health.map(|health| health.lock().journal.begin_clear());
            match self.ask(Cache::clear) {
                Asked::Done(()) => {
                    if let (Some(health), Some(begun)) = (health, begun) {
                        health.lock().journal.cleared(begun);
                    }
                }
                Asked::Failed(error) => return Err(self.second_failed(error)),
                Asked::Missed(_) => self.note_missed_clear(),
            }
        }
        self.clear_first(|| self.first.clear())
    }

    /// Clears the first level with `clear`.
    fn clear_first(
        &self,
        clear: impl FnOnce() -> Result<(), A::Error>,
    ) -> Result<(), Failed<A, B>> {
        let cleared = self.order.write_all(|| {
            self.flights.all_written();
            self.memory.clear();
            clear()
        });
        cleared.map_err(|error| self.first_failed(error))
    }

    /// What an outage keeps the second level from is an error, even of a resilient cache: which keys are
    /// to leave cannot be kept in mind.
    pub(super) fn retain(&self, keep: &mut dyn FnMut(&A::Key) -> bool) -> Result<(), Failed<A, B>> {
        if self.settings.clears_both {
            self.flights.all_written();
            match self.ask(|second| second.retain(keep)) {
                Asked::Done(()) => {}
                Asked::Failed(error) | Asked::Missed(Some(error)) => {
                    return Err(self.second_failed(error));
                }
                Asked::Missed(None) => {
                    self.count(Counted::Error);
                    return Err(TwoLevelError::Unavailable);
                }
            }
        }
        self.clear_first(|| self.first.retain(keep))
    }

    pub(super) fn put_all(
        &self,
        entries: Vec<(&A::Key, A::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Failed<A, B>> {
        let begun: Vec<Begun> = entries.iter().map(|(key, _)| self.begin(key)).collect();
        let time = self.second_time(ttl);
        let asked = self.ask(|second| second.insert_many(entries.clone(), time));
        // One that is not resilient leaves the first level as it was where an insert failed.
        if let (Asked::Failed(_), None) = (&asked, &self.health) {
            return asked.failed(|error| self.second_failed(error));
        }
        let (mut first, mut batch) = (Ok(()), Batch::default());
        for ((key, value), begun) in entries.into_iter().zip(begun) {
            let kept = batch.write(&self.order, begun, |alone| {
                self.note(key, &asked, true, alone);
                self.flights.written(key);
                // Where it failed, some of them may have been done.
                let newest = alone && !matches!(asked, Asked::Failed(_));
                self.keep_first(newest, key, value, ttl)
            });
            first = first.and(kept);
        }
        asked.failed(|error| self.second_failed(error))?;
        first.map_err(|error| self.first_failed(error))
    }

    pub(super) fn remove_all(&self, keys: &[&A::Key]) -> Result<usize, Failed<A, B>> {
        let begun: Vec<Begun> = keys.iter().map(|key| self.begin(key)).collect();
        let asked = self.ask(|second| second.remove_many(keys));
        let (mut first, mut batch) = (Ok(0), Batch::default());
        for (key, begun) in keys.iter().zip(begun) {
            let removed = batch.write(&self.order, begun, |alone| {
                self.note(key, &asked, false, alone);
                self.flights.written(key);
                self.forget_first(key)
            });
            first = first.and_then(|count| Ok(count + usize::from(removed?)));
        }
        let second = match asked {
            Asked::Done(removed) => removed,
            Asked::Failed(error) => return Err(self.second_failed(error)),
            Asked::Missed(_) => 0,
        };
        let first = first.map_err(|error| self.first_failed(error))?;
        Ok(second.max(first))
    }
}
