//! Recovery: the journal's operations at the second level.

use super::{
    counts::Counted,
    levels::{FirstLevel, Levels},
    second::SecondResult,
};
use crate::{
    behaviours::machines::{Change, Replay},
    caches::AnyCache,
};
use ctu_core::{CacheError, Error};
use std::time::Duration;

/// Keys a round trip.
const BATCH: usize = 256;

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    /// The next operation of the recovery, if one is due.
    pub(super) fn next_replay(&self) -> Option<Replay<A::Key>> {
        let now = self.now();
        self.health.as_ref()?.lock().journal.next(now, BATCH)
    }

    pub(super) fn end_replay<E: CacheError>(
        &self,
        replay: &Replay<A::Key>,
        result: SecondResult<(), E>,
    ) {
        let Some(health) = &self.health else { return };
        let now = self.now();
        let mut locked = health.lock();
        let health = &mut *locked;
        let recovered = match result {
            SecondResult::Done(()) => {
                let replayed = health.journal.replayed(replay, now);
                self.counts.add(Counted::Replayed, replayed as u64);
                health.journal.is_empty()
            }
            SecondResult::Failed(error) => {
                let never = is_never_accepted(&error);
                let random = &mut health.random;
                health.journal.refused(replay, never, now, random);
                false
            }
            SecondResult::Missed(_) => {
                health.journal.not_replayed(now, &mut health.random);
                false
            }
            SecondResult::Skipped => false,
        };
        drop(locked);
        if recovered {
            self.tell(Change::Recovered);
        }
    }

    /// The wait before the next operation of the recovery. `None` if the journal is empty.
    pub(super) fn next_recovery(&self) -> Option<Duration> {
        /// While a probe is under way, since its end wakes no recovery.
        const PROBING: Duration = Duration::from_millis(20);
        let health = self.health.as_ref()?.lock();
        let next = health.next_at()?;
        let probing = !health.breaker.is_closed() && health.breaker.opens_at().is_none();
        drop(health);
        let wait = self.milliseconds_until(next);
        Some(if probing { wait.max(PROBING) } else { wait })
    }
}

/// Whether the second level rejects a key that failed by `error` in every request.
fn is_never_accepted(error: &impl CacheError) -> bool {
    matches!(
        error.as_core(),
        Some(Error::KeyTooLong { .. } | Error::Encode(_))
    )
}
