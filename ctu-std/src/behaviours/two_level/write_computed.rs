//! Writes of computed values: see [`write`](super::write).

use super::{
    TwoLevelError,
    compute::WithValue,
    first::NewEntry,
    levels::{FirstLevel, Levels},
    second::{Effect, SecondResult},
    tagged_computation::TaggedComputation,
    versions::Batch,
    write::{Op, Write},
};
use crate::{behaviours::single_flight::Leading, caches::AnyCache};
use std::mem;

/// A write of a value of a refresh under way.
pub(super) struct ComputedWrite<'l, 'k, 'f, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    write: Write<'l, 'k, A, B, Kind>,
    flight: &'f Leading<'l, A::Key, A::Value>,
    value: A::Value,
}

impl<'k, A: FirstLevel, B: AnyCache<Kind>, Kind> ComputedWrite<'_, 'k, '_, A, B, Kind> {
    pub(super) fn entry(&self) -> (&'k A::Key, A::Value) {
        (self.write.key, self.value.clone())
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    /// The start of a write of the value that `flight` computed. `None` if the key was written since the
    /// flight began: the value may be older. The tags of the value, if it has any, are `tagged`.
    pub(super) fn begin_insert_computed<'l, 'k>(
        &'l self,
        key: &'k A::Key,
        flight: &mut Leading<'_, A::Key, A::Value>,
        tagged: Option<&TaggedComputation<'_, A, B, Kind>>,
    ) -> Option<Write<'l, 'k, A, B, Kind>> {
        let version = self.version(key);
        if !flight.store() {
            return None;
        }
        let Some(tagged) = tagged else {
            return Some(self.write_at(key, version, Op::InsertComputed));
        };
        // An invalidation during the computation outdates the value.
        let version = version.with_invalidations(tagged.invalidations);
        let mut write = self.write_at(key, version, Op::InsertComputed);
        write.tags = tagged.marks.clone().into();
        Some(write)
    }

    /// The start of a write of the values of a refresh, without those whose keys were written meanwhile.
    pub(super) fn begin_insert_refreshed<'l, 'k, 'f>(
        &'l self,
        refreshed: &'f mut [WithValue<'l, 'k, A, B, Kind>],
    ) -> Vec<ComputedWrite<'l, 'k, 'f, A, B, Kind>> {
        let begun = refreshed.iter_mut().filter_map(|(refreshed, value)| {
            let (key, flight) = (refreshed.key, &mut refreshed.flight);
            let write = self.begin_insert_computed(key, flight, None)?;
            Some(ComputedWrite {
                write,
                flight: &*flight,
                value: value.clone(),
            })
        });
        begun.collect()
    }

    /// Ends a write of the values of a refresh. Returns the keys that were written meanwhile, which are to be
    /// removed.
    pub(super) fn end_insert_refreshed<'k, E>(
        &self,
        writes: Vec<ComputedWrite<'_, 'k, '_, A, B, Kind>>,
        result: SecondResult<(), E>,
    ) -> Result<Vec<&'k A::Key>, TwoLevelError<A::Error, E>> {
        let (effect, is_one) = (result.effect(), writes.len() == 1);
        let (mut batch, mut written) = (Batch::default(), Vec::new());
        for computed in writes {
            let ComputedWrite {
                write,
                flight,
                value,
            } = computed;
            if is_one && effect == Effect::Refused {
                write.cancel();
                continue;
            }
            let (key, write) = (write.key, write.next_of(&mut batch));
            let ended = write.end_computed(effect, value, flight);
            if ended.map_err(|error| self.first_failed(error))? {
                written.push(key);
            }
        }
        result.failed(|error| self.second_failed(error))?;
        Ok(written)
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Write<'_, '_, A, B, Kind> {
    /// Ends a write of a computed value. Returns whether the key was written meanwhile: the value may
    /// have reached the second level after a newer one, and is to be removed.
    pub(super) fn end_insert_computed<E>(
        self,
        result: SecondResult<bool, E>,
        value: A::Value,
        flight: &Leading<'_, A::Key, A::Value>,
    ) -> Result<bool, TwoLevelError<A::Error, E>> {
        let levels = self.levels;
        match result {
            SecondResult::Failed(error) => {
                self.cancel();
                return Err(levels.second_failed(error));
            }
            // A tag was invalidated meanwhile.
            SecondResult::Done(false) => {
                self.cancel();
                return Ok(false);
            }
            SecondResult::Done(true) | SecondResult::Missed(_) | SecondResult::Skipped => {}
        }
        let ended = self.end_computed(result.effect(), value, flight);
        ended.map_err(|error| levels.first_failed(error))
    }

    /// [`end_insert_computed`](Self::end_insert_computed) by the effect on the second level.
    fn end_computed(
        self,
        effect: Effect,
        value: A::Value,
        flight: &Leading<'_, A::Key, A::Value>,
    ) -> Result<bool, A::Error> {
        let (levels, key) = (self.levels, self.key);
        let mut write = self.lives_for(None);
        let (tags, version) = (mem::take(&mut write.tags), write.version);
        let (kept, written) = write.end(effect, |unraced| {
            let written = !flight.is_current();
            let new = NewEntry {
                value,
                ttl: None,
                version,
                tags: &tags,
            };
            // Some entries of a failed batch may be stored.
            let newest = unraced && !written && effect != Effect::Refused;
            let kept = levels.keep_first(newest, key, new);
            (kept, written)
        });
        kept.map(|()| written)
    }
}
