//! Changes of the first level, and the times-to-live at both levels.

use super::{
    levels::{FirstLevel, Levels},
    versions::Version,
};
use crate::{
    caches::{AnyCache, TaggedEntry},
    random::Random,
};
use std::{sync::atomic::Ordering::Relaxed, time::Duration};

/// An entry of the caller for the first level.
pub(super) struct NewEntry<'w, V> {
    pub(super) value: V,
    pub(super) ttl: Option<Duration>,
    pub(super) version: Version,
    /// The marks of its tags.
    pub(super) tags: &'w [u64],
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    /// A time-to-live, shortened by the random share of the settings.
    fn jittered(&self, ttl: Duration) -> Duration {
        if self.settings.jitter <= 0.0 {
            return ttl;
        }
        let roll = self.settings.seed ^ self.rolls.fetch_add(1, Relaxed).rotate_left(32);
        // 53 bits, the precision of a float.
        let share = (Random::new(roll).next() >> 11) as f64 / (1_u64 << 53) as f64;
        part(ttl, 1.0 - self.settings.jitter * share)
    }

    /// The time-to-live at the second level of an entry that the caller stores for `ttl`.
    pub(super) fn second_time(&self, ttl: Option<Duration>) -> Option<Duration> {
        if self.settings.jitter <= 0.0 {
            return ttl;
        }
        ttl.or(self.second_ttl).map(|ttl| self.jittered(ttl))
    }

    /// The time-to-live at the first level of an entry with `left` at the second.
    fn first_time(&self, left: Option<Duration>) -> Option<Duration> {
        match (self.first_ttl, left) {
            (Some(own), Some(left)) if left < own => Some(self.jittered(left)),
            (Some(own), _) if self.settings.jitter > 0.0 => Some(self.jittered(own)),
            (Some(_), _) => None,
            (None, left) => left,
        }
    }

    /// Copies an entry with `left` at the second level to the first. A value that does not fit stays at
    /// the second level alone.
    pub(super) fn fill(&self, key: &A::Key, version: Version, entry: &TaggedEntry<A::Value>) {
        let TaggedEntry { value, ttl, tags } = entry;
        let (left, ttl) = (*ttl, self.first_time(*ttl));
        let fill = || {
            self.side_tables
                .insert(key, value, left.or(self.first_ttl), || self.now());
            let kept = self.first.insert_entry(key, value.clone(), ttl);
            // Without expiry, the first level keeps the entry until it evicts it.
            match kept.is_err() && ttl.is_some() && self.first_ttl.is_none() {
                true => self.first.insert_entry(key, value.clone(), None),
                false => kept,
            }
        };
        // The value stays at the second level alone.
        let _ = self.put_tagged(key, version, tags, fill);
    }

    /// Stores the caller's entry at the first level.
    fn put_first(
        &self,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
    ) -> Result<(), A::Error> {
        let left = ttl.or(self.second_ttl);
        self.side_tables
            .insert(key, &value, left.or(self.first_ttl), || self.now());
        // A first level without expiry does not keep an entry with a time-to-live of its own.
        let ttl = match (self.first_ttl, ttl) {
            (None, None) => None,
            _ => self.first_time(left),
        };
        if self.first.insert_entry(key, value, ttl).is_ok() {
            return Ok(());
        }
        // It may be too large for the first level; the second level has it.
        self.first.remove(key).map(drop)
    }

    /// Stores the `newest` value at the first level. Removes the key if another value may be newer.
    pub(super) fn keep_first(
        &self,
        newest: bool,
        key: &A::Key,
        new: NewEntry<'_, A::Value>,
    ) -> Result<(), A::Error> {
        match newest {
            true => {
                let put = || self.put_first(key, new.value, new.ttl);
                self.put_tagged(key, new.version, new.tags, put).map(drop)
            }
            false => self.forget_first(key).map(drop),
        }
    }

    /// Removes `key` from the first level and from the tables beside it.
    pub(super) fn forget_first(&self, key: &A::Key) -> Result<bool, A::Error> {
        self.side_tables.remove(key);
        self.first.remove(key)
    }

    /// Runs `clear` on the first level, as a write of every key.
    pub(super) fn clear_first(
        &self,
        clear: impl FnOnce() -> Result<(), A::Error>,
    ) -> Result<(), A::Error> {
        self.versions.write_all(|| {
            self.flights.all_written();
            self.side_tables.clear();
            clear()
        })
    }

    /// Whether an entry with `left` of its time is to be refreshed.
    pub(super) fn is_due(&self, left: Option<Duration>) -> bool {
        match (&self.refresh, self.first_ttl, left) {
            (Some(refresh), Some(own), Some(left)) => left < part(own, refresh.share),
            _ => false,
        }
    }
}

/// A share of `time`, 0 to 1. Rounding may take the longest times above the maximum of a `Duration`.
fn part(time: Duration, share: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * share).unwrap_or(time)
}
