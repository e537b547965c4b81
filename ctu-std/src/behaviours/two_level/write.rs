//! Writes to both levels: the plan before the request to the second level, and the step after it.
//!
//! A write that is dropped before its end, by a panic or with the caller's future, has an unknown effect
//! on the second level: the first level forgets the key, and the journal records it.

use super::{
    TwoLevelError,
    counts::Counted,
    first::NewEntry,
    levels::{FirstLevel, Levels},
    second::{Effect, SecondResult},
    versions::{Batch, Version},
};
use crate::{
    behaviours::machines::{Change, MissedOp, RecordOutcome, WatchedWrite},
    caches::AnyCache,
};
use std::{borrow::Cow, mem, time::Duration};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Insert,
    /// An insert of a value that a flight computed.
    InsertComputed,
    Remove,
}

/// A write of one key under way.
#[must_use = "the effect is unknown until the end"]
pub(super) struct Write<'l, 'k, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    pub(super) levels: &'l Levels<A, B, Kind>,
    pub(super) key: &'k A::Key,
    pub(super) version: Version,
    op: Op,
    /// The watch of an insert, whose report the tracking connection has to bring.
    watched: Option<WatchedWrite>,
    /// The marks of the tags of the entry.
    pub(super) tags: Cow<'l, [u64]>,
    ended: bool,
}

/// A removal of every key at both levels under way.
#[must_use = "the effect is unknown until the end"]
pub(super) struct Clear<'l, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    levels: &'l Levels<A, B, Kind>,
    /// The start, for the journal, of a removal that the journal can repeat.
    begun: Option<u64>,
    ended: bool,
}

type Kept<A, E> = Result<(), TwoLevelError<A, E>>;

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    pub(super) fn begin_insert<'k>(&self, key: &'k A::Key) -> Write<'_, 'k, A, B, Kind> {
        self.begin_write(key, Op::Insert)
    }

    pub(super) fn begin_remove<'k>(&self, key: &'k A::Key) -> Write<'_, 'k, A, B, Kind> {
        self.begin_write(key, Op::Remove)
    }

    /// The start of a write of `key`: a later caller gets no value that was computed before it.
    fn begin_write<'k>(&self, key: &'k A::Key, op: Op) -> Write<'_, 'k, A, B, Kind> {
        self.flights.written(key);
        self.write(key, op)
    }

    fn write<'k>(&self, key: &'k A::Key, op: Op) -> Write<'_, 'k, A, B, Kind> {
        let version = self.version(key);
        match op {
            // Nothing is kept, and a delete of a missing entry is not reported.
            Op::Remove => self.write_at(key, version.without_mark(), op),
            Op::Insert | Op::InsertComputed => self.write_at(key, version, op),
        }
    }

    pub(super) fn write_at<'k>(
        &self,
        key: &'k A::Key,
        version: Version,
        op: Op,
    ) -> Write<'_, 'k, A, B, Kind> {
        Write {
            levels: self,
            key,
            version,
            op,
            watched: self.watch(version),
            tags: self.common_tags().into(),
            ended: false,
        }
    }

    pub(super) fn begin_insert_many<'k>(
        &self,
        entries: &[(&'k A::Key, A::Value)],
    ) -> Vec<Write<'_, 'k, A, B, Kind>> {
        let keys = entries.iter().map(|(key, _)| *key);
        keys.map(|key| self.begin_insert(key)).collect()
    }

    pub(super) fn begin_remove_many<'k>(
        &self,
        keys: &[&'k A::Key],
    ) -> Vec<Write<'_, 'k, A, B, Kind>> {
        keys.iter().map(|key| self.begin_remove(key)).collect()
    }

    /// Records the effect of a write on the second level. The version of `key` is locked.
    fn record_write(&self, key: &A::Key, op: Op, effect: Effect, unraced: bool) {
        let Some(health) = &self.health else { return };
        let missed = match effect {
            Effect::Done if unraced => return health.lock().journal.done(key),
            Effect::Done | Effect::Refused => return,
            Effect::Unknown if op != Op::Remove => MissedOp::UnacknowledgedWrite,
            Effect::Unknown | Effect::None => MissedOp::Other,
        };
        let mut health = health.lock();
        let had_overflowed = health.journal.overflowed();
        let outcome = health.journal.missed(key, missed);
        drop(health);
        self.count(Counted::Missed);
        match outcome {
            RecordOutcome::First => self.changed(Change::Missed),
            // The recovery may wait for a later record.
            RecordOutcome::Earlier => self.wake_recovery(),
            RecordOutcome::Kept => {}
            RecordOutcome::Overflowed => {
                self.count(Counted::Overflowed);
                if !had_overflowed {
                    self.tell(Change::Overflowed);
                }
            }
        }
    }

    pub(super) fn end_insert_many<E>(
        &self,
        writes: Vec<Write<'_, '_, A, B, Kind>>,
        result: SecondResult<(), E>,
        entries: Vec<(&A::Key, A::Value)>,
        ttl: Option<Duration>,
    ) -> Kept<A::Error, E> {
        // Without resilience, a failed insert leaves the first level unchanged.
        if let (SecondResult::Failed(_), None) = (&result, &self.health) {
            writes.into_iter().for_each(Write::cancel);
            return result.failed(|error| self.second_failed(error));
        }
        let (mut first, mut batch) = (Ok(()), Batch::default());
        let effect = result.effect();
        for (write, (_, value)) in writes.into_iter().zip(entries) {
            let write = write.lives_for(ttl).next_of(&mut batch);
            // Some entries of a failed batch may be stored.
            let may_keep = effect != Effect::Refused;
            let kept = write.end_with(effect, value, ttl, may_keep);
            first = first.and(kept);
        }
        result.failed(|error| self.second_failed(error))?;
        first.map_err(|error| self.first_failed(error))
    }

    pub(super) fn end_remove_many<E>(
        &self,
        writes: Vec<Write<'_, '_, A, B, Kind>>,
        result: SecondResult<usize, E>,
    ) -> Result<usize, TwoLevelError<A::Error, E>> {
        let (mut first, mut batch) = (Ok(0), Batch::default());
        let effect = result.effect();
        for write in writes {
            let key = write.key;
            let write = write.next_of(&mut batch);
            let removed = write.end(effect, |_| self.forget_first(key));
            first = first.and_then(|count| Ok(count + usize::from(removed?)));
        }
        let second = match result {
            SecondResult::Done(removed) => removed,
            SecondResult::Failed(error) => return Err(self.second_failed(error)),
            SecondResult::Missed(_) | SecondResult::Skipped => 0,
        };
        let first = first.map_err(|error| self.first_failed(error))?;
        Ok(second.max(first))
    }

    /// The start of a `clear`.
    pub(super) fn begin_clear(&self) -> Clear<'_, A, B, Kind> {
        let health = self.health.as_ref();
        let begun = health.map(|health| health.lock().journal.begin_clear());
        self.clear_at_both(begun)
    }

    /// The start of a `retain`.
    pub(super) fn begin_retain(&self) -> Clear<'_, A, B, Kind> {
        self.clear_at_both(None)
    }

    fn clear_at_both(&self, begun: Option<u64>) -> Clear<'_, A, B, Kind> {
        self.flights.all_written();
        Clear {
            levels: self,
            begun,
            ended: false,
        }
    }

    /// Ends a `clear` at the first level.
    pub(super) fn end_clear<E>(&self) -> Kept<A::Error, E> {
        self.clear_first(|| self.first.clear())
            .map_err(|error| self.first_failed(error))
    }

    /// Ends a `retain` at the first level.
    pub(super) fn end_retain<E>(&self, keep: &mut dyn FnMut(&A::Key) -> bool) -> Kept<A::Error, E> {
        self.clear_first(|| self.first.retain(keep))
            .map_err(|error| self.first_failed(error))
    }

    /// The result for the caller of an operation that the journal cannot record.
    pub(super) fn done_or_error<E>(&self, result: SecondResult<(), E>) -> Kept<A::Error, E> {
        match result {
            SecondResult::Done(()) => Ok(()),
            SecondResult::Failed(error) | SecondResult::Missed(error) => {
                Err(self.second_failed(error))
            }
            SecondResult::Skipped => {
                self.count(Counted::Error);
                Err(TwoLevelError::Unavailable)
            }
        }
    }

    /// Records a `clear` that the second level missed.
    fn record_missed_clear(&self) {
        if let Some(health) = &self.health {
            health.lock().journal.missed_all();
            self.count(Counted::Missed);
            self.changed(Change::Missed);
        }
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Write<'_, '_, A, B, Kind> {
    /// Ends the write: runs `apply` on the first level. Its argument tells whether no other write of the
    /// key ran since this one began.
    pub(super) fn end<T>(mut self, effect: Effect, apply: impl FnOnce(bool) -> T) -> T {
        self.ended = true;
        // A server without a tracking connection reports nothing.
        let is_reported = self.levels.is_reported_since(self.version);
        self.end_watch(effect == Effect::Done && is_reported);
        self.apply(effect, apply)
    }

    /// Ends an insertion: keeps the entry at the first level, if it may.
    fn end_with(
        mut self,
        effect: Effect,
        value: A::Value,
        ttl: Option<Duration>,
        may_keep: bool,
    ) -> Result<(), A::Error> {
        let (levels, key, version) = (self.levels, self.key, self.version);
        let tags = mem::take(&mut self.tags);
        self.end(effect, |unraced| {
            let new = NewEntry {
                value,
                ttl,
                version,
                tags: &tags,
            };
            levels.keep_first(unraced && may_keep, key, new)
        })
    }

    /// The write of an entry with the tags that have these marks, and those of each entry.
    pub(super) fn with_tags(mut self, marks: impl Iterator<Item = u64>) -> Self {
        self.tags.to_mut().extend(marks);
        self
    }

    fn end_watch(&mut self, is_acknowledged: bool) {
        let watched = self.watched.take();
        self.levels.end_watch(watched, is_acknowledged);
    }

    fn apply<T>(&self, effect: Effect, apply: impl FnOnce(bool) -> T) -> T {
        let levels = self.levels;
        levels
            .versions
            .write(self.version, self.key, levels, |unraced| {
                self.levels.record_write(self.key, self.op, effect, unraced);
                if self.op != Op::InsertComputed {
                    self.levels.flights.written(self.key);
                }
                apply(unraced)
            })
    }

    /// Ends the write without an effect.
    pub(super) fn cancel(mut self) {
        self.ended = true;
        self.end_watch(false);
    }

    /// Ends the watch of an entry that lives for no time: the second level may remove nothing in its place.
    pub(super) fn lives_for(mut self, ttl: Option<Duration>) -> Self {
        if ttl.or(self.levels.second_ttl) == Some(Duration::ZERO) {
            self.end_watch(false);
        }
        self
    }

    /// Places the write after the earlier ones of its batch.
    pub(super) fn next_of(mut self, batch: &mut Batch) -> Self {
        self.version = batch.next(self.version);
        self
    }

    pub(super) fn end_insert<E>(
        self,
        result: SecondResult<(), E>,
        value: A::Value,
        ttl: Option<Duration>,
    ) -> Kept<A::Error, E> {
        let levels = self.levels;
        if let SecondResult::Failed(error) = result {
            self.cancel();
            return Err(levels.second_failed(error));
        }
        // Of two concurrent writes, the second level alone knows the order.
        let write = self.lives_for(ttl);
        let kept = write.end_with(result.effect(), value, ttl, true);
        kept.map_err(|error| levels.first_failed(error))
    }

    /// Returns whether there was an entry at either level.
    pub(super) fn end_remove<E>(
        self,
        result: SecondResult<bool, E>,
    ) -> Result<bool, TwoLevelError<A::Error, E>> {
        let (levels, key) = (self.levels, self.key);
        let first = self.end(result.effect(), |_| levels.forget_first(key));
        let second = match result {
            SecondResult::Done(removed) => removed,
            SecondResult::Failed(error) => return Err(levels.second_failed(error)),
            SecondResult::Missed(_) | SecondResult::Skipped => false,
        };
        Ok(first.map_err(|error| levels.first_failed(error))? || second)
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Drop for Write<'_, '_, A, B, Kind> {
    fn drop(&mut self) {
        if !self.ended {
            self.end_watch(false);
            let forget = |_| self.levels.forget_first(self.key);
            // No caller is left for an error.
            let _ = self.apply(Effect::Unknown, forget);
        }
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Clear<'_, A, B, Kind> {
    /// Ends a `clear` at the second level.
    pub(super) fn end_clear<E>(mut self, result: SecondResult<(), E>) -> Kept<A::Error, E> {
        self.ended = true;
        match result {
            SecondResult::Done(()) => {
                if let (Some(health), Some(begun)) = (&self.levels.health, self.begun) {
                    health.lock().journal.cleared(begun);
                }
            }
            SecondResult::Failed(error) => return Err(self.levels.second_failed(error)),
            SecondResult::Missed(_) | SecondResult::Skipped => self.levels.record_missed_clear(),
        }
        Ok(())
    }

    /// Ends a `retain` at the second level. An outage is an error even of a resilient cache, since the
    /// journal cannot record a predicate.
    pub(super) fn end_retain<E>(mut self, result: SecondResult<(), E>) -> Kept<A::Error, E> {
        self.ended = true;
        self.levels.done_or_error(result)
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Drop for Clear<'_, A, B, Kind> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // A `retain` has removed some keys or none, and is not repeated.
        if self.begun.is_some() {
            self.levels.record_missed_clear();
        }
        // No caller is left for an error.
        let _ = self.levels.clear_first(|| self.levels.first.clear());
    }
}
