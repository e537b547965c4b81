//! Computed values: the steps around a computation and around a refresh.

use super::{
    TwoLevelError,
    counts::Counted,
    levels::{FirstLevel, Levels},
};
use crate::{
    behaviours::{machines::OwnedKey, single_flight::Leading},
    caches::AnyCache,
};
use ctu_core::Error;

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

    /// The next key to refresh. `None` if the queue is empty.
    pub(super) fn next_refresh(&self) -> Option<OwnedKey<A::Key>> {
        self.refresh.as_ref()?.queue.lock().pop()
    }

    /// The start of a refresh of `key`. `None` if a computation is under way, or has ended since the key
    /// was queued.
    pub(super) fn begin_refresh(&self, key: &A::Key) -> Option<Leading<'_, A::Key, A::Value>> {
        let flight = self.flights.begin(key)?;
        let found = self.first.get_with_ttl(key);
        let due = matches!(found, Ok(Some((_, left))) if self.is_due(left));
        due.then_some(flight)
    }
}
