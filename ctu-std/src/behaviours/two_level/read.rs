//! Reads of the second level: the plan before the request, and the step after it.

use super::{
    TwoLevelError,
    counts::Counted,
    levels::{FirstLevel, Levels},
    second::{Call, SecondResult},
    versions::Version,
};
use crate::{
    behaviours::machines::{ReadDecision, Repair, Trust},
    caches::{AnyCache, FoundTagged, TaggedEntry},
};
use ctu_core::{CacheError, Found};

/// How a read treats a corrupt value of the second level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnCorrupt {
    Miss,
    Error,
}

impl OnCorrupt {
    /// Whether a read that failed by `error` is a miss.
    fn forgives(self, error: &impl CacheError) -> bool {
        self == Self::Miss && error.is_corrupt()
    }
}

/// The first step of a read of the second level.
pub(super) enum ReadPlan<'l, 'k, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    /// The read is a miss without a request.
    Miss,
    Ask(Read<'l, 'k, A, B, Kind>),
    /// The read is a miss, and the key is to be deleted.
    Repair(RepairCall<'l, 'k, A, B, Kind>),
}

/// A read of one key under way.
pub(super) struct Read<'l, 'k, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    levels: &'l Levels<A, B, Kind>,
    key: &'k A::Key,
    version: Version,
    call: Call<'l, A, B, Kind>,
}

/// A delete of a key of the overflow filter under way.
pub(super) struct RepairCall<'l, 'k, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    levels: &'l Levels<A, B, Kind>,
    pub(super) key: &'k A::Key,
    repair: Repair,
    call: Call<'l, A, B, Kind>,
}

/// A read of several keys under way.
pub(super) struct ReadMany<'l, 'k, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    levels: &'l Levels<A, B, Kind>,
    pub(super) values: Vec<Found<A::Value>>,
    /// The keys to ask the second level for, with their positions and versions.
    pub(super) keys: Vec<&'k A::Key>,
    pub(super) positions: Vec<usize>,
    versions: Vec<Version>,
    /// The keys to delete.
    repairs: Vec<(&'k A::Key, Repair)>,
}

/// The end of a read of several keys.
pub(super) enum ReadManyEnd<'l, 'k, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    Values(Vec<Found<A::Value>>),
    /// A value is corrupt, and the error does not name its key: the keys are to be read one by one.
    OneByOne(ReadMany<'l, 'k, A, B, Kind>),
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    /// A read of a corrupt value is an error as in Python, unless the cache is resilient.
    pub(super) fn on_corrupt(&self) -> OnCorrupt {
        match self.health {
            Some(_) => OnCorrupt::Miss,
            None => OnCorrupt::Error,
        }
    }

    /// Plans a lookup of `key`, which the first level misses. Counts a miss without a request.
    pub(super) fn begin_get<'k>(&self, key: &'k A::Key) -> ReadPlan<'_, 'k, A, B, Kind> {
        let plan = match self.is_negative(key) {
            true => {
                self.count(Counted::Nothing);
                ReadPlan::Miss
            }
            false => self.begin_read(key),
        };
        if !matches!(plan, ReadPlan::Ask(_)) {
            self.count(Counted::Miss);
        }
        plan
    }

    /// Plans a test for an entry.
    pub(super) fn begin_contains<'k>(&self, key: &'k A::Key) -> ReadPlan<'_, 'k, A, B, Kind> {
        match self.is_negative(key) {
            true => ReadPlan::Miss,
            false => self.begin_read(key),
        }
    }

    fn begin_read<'k>(&self, key: &'k A::Key) -> ReadPlan<'_, 'k, A, B, Kind> {
        let version = self.version(key);
        self.start_tracking();
        if self.flights.doubts(key) {
            self.count(Counted::Distrusted);
            return ReadPlan::Miss;
        }
        let permit = match &self.health {
            None => None,
            Some(health) => {
                let now = self.now();
                let decision = health.lock().begin_read(key, now);
                match decision {
                    ReadDecision::Ask(permit) => Some(permit),
                    ReadDecision::Skip => {
                        self.count(Counted::Skipped);
                        return ReadPlan::Miss;
                    }
                    ReadDecision::Distrust => {
                        self.count(Counted::Distrusted);
                        self.revive_recovery();
                        return ReadPlan::Miss;
                    }
                    ReadDecision::Repair(permit, repair) => {
                        self.count(Counted::Distrusted);
                        let call = self.call(Some(permit));
                        return ReadPlan::Repair(self.repair_call(key, repair, call));
                    }
                }
            }
        };
        ReadPlan::Ask(Read {
            levels: self,
            key,
            version,
            call: self.call(permit),
        })
    }

    fn repair_call<'l, 'k>(
        &'l self,
        key: &'k A::Key,
        repair: Repair,
        call: Call<'l, A, B, Kind>,
    ) -> RepairCall<'l, 'k, A, B, Kind> {
        RepairCall {
            levels: self,
            key,
            repair,
            call,
        }
    }

    /// Makes a miss of a failed read of the second level, or an error. The next computation of the
    /// value overwrites a corrupt one.
    fn failed_read<E: CacheError>(
        &self,
        error: E,
        on_corrupt: OnCorrupt,
    ) -> Result<(), TwoLevelError<A::Error, E>> {
        if on_corrupt.forgives(&error) {
            self.count(Counted::Damaged);
            self.tell_corrupt(&error);
            return Ok(());
        }
        Err(self.second_failed(error))
    }

    /// Copies the result of a read to the first level, unless the key was written since.
    fn keep_read(&self, key: &A::Key, version: Version, found: &FoundTagged<A::Value>) {
        match found {
            Some(entry) => {
                self.versions
                    .fill(version, key, self, || self.fill(key, version, entry));
                self.count(Counted::SecondHit);
            }
            None => {
                if self.side_tables.keeps_negative() {
                    self.versions
                        .fill(version, key, self, || self.side_tables.insert_negative(key));
                }
                self.count(Counted::Miss);
            }
        }
    }

    /// Reads the first level, and plans the read of the keys that it misses.
    pub(super) fn begin_get_many<'k>(
        &self,
        keys: &[&'k A::Key],
    ) -> Result<ReadMany<'_, 'k, A, B, Kind>, A::Error> {
        let lease = self.lease();
        let mut values = self.first.get_many_with_ttl(keys)?;
        if values.iter().any(Option::is_some) && !self.is_leased(lease) {
            values.fill(None);
        }
        if self.tags.is_some() {
            for (value, key) in values.iter_mut().zip(keys) {
                *value = value.take().filter(|_| self.has_current_tags(key));
            }
        }
        let mut read = ReadMany {
            levels: self,
            values,
            keys: Vec::new(),
            positions: Vec::new(),
            versions: Vec::new(),
            repairs: Vec::new(),
        };
        let found = read.values.iter().zip(keys);
        // Together, so that one computation may refresh all.
        self.refresh_due(found.filter_map(|(value, key)| Some((*key, value.as_ref()?.1))));
        for (position, (value, key)) in read.values.iter().zip(keys).enumerate() {
            if value.is_some() {
                self.count(Counted::FirstHit);
                continue;
            }
            let version = self.version(key);
            if self.is_negative(key) {
                self.count(Counted::Nothing);
                self.count(Counted::Miss);
                continue;
            }
            let trust = match &self.health {
                _ if self.flights.doubts(key) => Trust::Distrusted,
                None => Trust::Trusted,
                Some(health) => {
                    let now = self.now();
                    health.lock().journal.trust(key, now)
                }
            };
            match trust {
                Trust::Trusted => {
                    read.positions.push(position);
                    read.keys.push(*key);
                    read.versions.push(version);
                    continue;
                }
                Trust::Distrusted => {}
                Trust::Repair(repair) => read.repairs.push((*key, repair)),
            }
            self.count(Counted::Distrusted);
            self.count(Counted::Miss);
        }
        if !read.keys.is_empty() {
            self.start_tracking();
        }
        Ok(read)
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Read<'_, '_, A, B, Kind> {
    /// Ends a lookup.
    pub(super) fn end<E: CacheError>(
        self,
        result: Result<FoundTagged<A::Value>, E>,
        on_corrupt: OnCorrupt,
    ) -> Result<Found<A::Value>, TwoLevelError<A::Error, E>> {
        match self.call.end(result) {
            SecondResult::Done(found) => {
                self.levels.keep_read(self.key, self.version, &found);
                return Ok(found.map(TaggedEntry::found));
            }
            SecondResult::Failed(error) => self.levels.failed_read(error, on_corrupt)?,
            SecondResult::Missed(_) | SecondResult::Skipped => {}
        }
        self.levels.count(Counted::Miss);
        Ok(None)
    }

    /// Ends a test for an entry.
    pub(super) fn end_contains<E: CacheError>(
        self,
        result: Result<bool, E>,
    ) -> Result<bool, TwoLevelError<A::Error, E>> {
        match self.call.end(result) {
            SecondResult::Done(there) => return Ok(there),
            SecondResult::Failed(error) => {
                self.levels.failed_read(error, self.levels.on_corrupt())?;
            }
            SecondResult::Missed(_) | SecondResult::Skipped => {}
        }
        Ok(false)
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> RepairCall<'_, '_, A, B, Kind> {
    pub(super) fn end<E: CacheError>(self, result: Result<bool, E>) {
        let done = matches!(self.call.end(result), SecondResult::Done(_));
        if let (true, Some(health)) = (done, &self.levels.health) {
            let now = self.levels.now();
            health.lock().journal.repaired(self.key, self.repair, now);
        }
    }
}

impl<'l, 'k, A: FirstLevel, B: AnyCache<Kind>, Kind> ReadMany<'l, 'k, A, B, Kind> {
    /// The next delete, before the request for the values.
    pub(super) fn next_repair(&mut self) -> Option<RepairCall<'l, 'k, A, B, Kind>> {
        let (key, repair) = self.repairs.pop()?;
        // An open breaker skips all of them.
        let call = self.levels.admit()?;
        Some(self.levels.repair_call(key, repair, call))
    }

    /// Permission for the request. `None` if the first level has every value, or the breaker is open.
    pub(super) fn admit(&self) -> Option<Call<'l, A, B, Kind>> {
        if self.keys.is_empty() {
            return None;
        }
        let call = self.levels.admit();
        if call.is_none() {
            self.count_misses();
        }
        call
    }

    fn count_misses(&self) {
        let misses = self.keys.len() as u64;
        self.levels.counts.add(Counted::Miss, misses);
    }

    pub(super) fn end<E: CacheError>(
        mut self,
        result: SecondResult<Vec<FoundTagged<A::Value>>, E>,
    ) -> Result<ReadManyEnd<'l, 'k, A, B, Kind>, TwoLevelError<A::Error, E>> {
        let levels = self.levels;
        match result {
            SecondResult::Done(found) => {
                let missing = self.positions.iter().zip(&self.keys).zip(&self.versions);
                for (((position, key), version), found) in missing.zip(found) {
                    levels.keep_read(key, *version, &found);
                    self.values[*position] = found.map(TaggedEntry::found);
                }
            }
            SecondResult::Failed(error) if levels.on_corrupt().forgives(&error) => {
                return Ok(ReadManyEnd::OneByOne(self));
            }
            SecondResult::Failed(error) => return Err(levels.second_failed(error)),
            SecondResult::Missed(_) | SecondResult::Skipped => self.count_misses(),
        }
        Ok(ReadManyEnd::Values(self.values))
    }
}
