//! Computed values: the steps around a computation and around a refresh.

use super::{
    TwoLevelError,
    claim::Claimed,
    counts::Counted,
    levels::{FirstLevel, Levels, Refresh},
    tagged_computation::TaggedComputation,
};
use crate::{
    behaviours::{machines::OwnedKey, single_flight::Leading},
    caches::AnyCache,
};
use ctu_core::{Cache, Error};

/// The keys of one refresh, and its settings.
type NextRefresh<'l, A, B, Kind> = (&'l Refresh<A, B, Kind>, Vec<OwnedKey<<A as Cache>::Key>>);

/// A key that is refreshed, until its value is stored.
pub(super) struct Refreshed<'l, 'k, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    pub(super) key: &'k A::Key,
    pub(super) flight: Leading<'l, A::Key, A::Value>,
    pub(super) claimed: Claimed<'l, 'k, A, B, Kind>,
    /// The tags of each entry.
    pub(super) tagged: Option<TaggedComputation<'l, A, B, Kind>>,
}

/// The same with its value.
pub(super) type WithValue<'l, 'k, A, B, Kind> =
    (Refreshed<'l, 'k, A, B, Kind>, <A as Cache>::Value);

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    /// Reads the first level again: another computation may have ended before the caller's turn.
    pub(super) fn get_first_again<E>(
        &self,
        key: &A::Key,
    ) -> Result<Option<A::Value>, TwoLevelError<A::Error, E>> {
        let first = self.look(key, |first| first.get(key));
        first.map_err(|error| self.first_failed(error))
    }

    /// The stale value at `key` in place of a failed computation.
    pub(super) fn stale_or(
        &self,
        key: &A::Key,
        failed: Result<Option<A::Value>, Error>,
    ) -> Result<Option<A::Value>, Error> {
        match self.stale(key) {
            Some(value) => {
                self.count(Counted::Stale);
                Ok(Some(value))
            }
            None => failed,
        }
    }

    /// The next keys to refresh. `None` if the queue is empty.
    pub(super) fn next_refresh(&self) -> Option<NextRefresh<'_, A, B, Kind>> {
        let refresh = self.refresh.as_ref()?;
        let keys = refresh.queue.lock().pop(refresh.at_once);
        (!keys.is_empty()).then_some((refresh, keys))
    }

    /// The start of a refresh of `key`. `None` if a computation is under way, or has ended since the key
    /// was queued.
    pub(super) fn begin_refresh(&self, key: &A::Key) -> Option<Leading<'_, A::Key, A::Value>> {
        let flight = self.flights.begin(key)?;
        let found = self.first.get_with_ttl(key);
        let due = matches!(found, Ok(Some((_, left))) if self.is_due(left));
        due.then_some(flight)
    }

    /// The keys of a refresh that have a value, with their values. A loader that returns another number of
    /// values than there are keys has failed.
    pub(super) fn loaded<'l, 'k>(
        &self,
        refreshed: Vec<Refreshed<'l, 'k, A, B, Kind>>,
        values: Vec<Option<A::Value>>,
    ) -> Vec<WithValue<'l, 'k, A, B, Kind>> {
        if refreshed.len() != values.len() {
            self.count(Counted::Error);
            return Vec::new();
        }
        let pairs = refreshed.into_iter().zip(values);
        let loaded: Vec<_> = pairs
            .filter_map(|(refreshed, value)| Some((refreshed, value?)))
            .collect();
        self.counts.add(Counted::Refresh, loaded.len() as u64);
        loaded
    }
}
