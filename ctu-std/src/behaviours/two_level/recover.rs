//! Making good what the second level missed.

use super::{ask::Asked, counts::Counted, levels::Levels};
use crate::behaviours::machines::{Change, Replay};
use ctu_core::{Cache, CacheError, Error};
use std::{hash::Hash, time::Duration};

/// Keys a round trip.
const BATCH: usize = 256;

impl<A, B> Levels<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// Does what can be done now, in one operation of the second level at most. Returns after how long
    /// there may be more to do, if there will be.
    pub(super) fn recover(&self) -> Option<Duration> {
        let health = self.health.as_ref()?;
        let replay = health.lock().journal.next(self.now(), BATCH);
        let Some(replay) = replay else {
            return self.next_recovery();
        };
        let asked = match &replay {
            Replay::Clear(_) => self.ask(Cache::clear),
            Replay::Keys(keys) => {
                let keys: Vec<&A::Key> = keys.iter().map(|(key, _)| key.get()).collect();
                self.ask(|second| second.remove_many(&keys)).map(drop)
            }
        };
        let mut recovered = false;
        {
            let mut health = health.lock();
            let health = &mut *health;
            match asked {
                Asked::Done(()) => {
                    let made_good = health.journal.replayed(&replay, self.now());
                    self.counts.add(Counted::Replayed, made_good as u64);
                    recovered = health.journal.is_empty();
                }
                Asked::Failed(error) => {
                    let never = is_never_taken(&error);
                    let now = self.now();
                    let random = &mut health.random;
                    health.journal.refused(&replay, never, now, random);
                }
                Asked::Missed(Some(_)) => {
                    health.journal.not_replayed(self.now(), &mut health.random);
                }
                Asked::Missed(None) => {}
            }
        }
        if recovered {
            self.tell(Change::Recovered);
        }
        self.next_recovery()
    }

    fn next_recovery(&self) -> Option<Duration> {
        /// While a probe is under way, whose end nobody tells.
        const SHORT: Duration = Duration::from_millis(20);
        let health = self.health.as_ref()?.lock();
        let next = health.next_at()?;
        let probing = !health.breaker.is_closed() && health.breaker.opens_at().is_none();
        drop(health);
        let wait = self.milliseconds_until(next);
        Some(if probing { wait.max(SHORT) } else { wait })
    }
}

/// Whether a delete that failed by `error` was of a key that the second level has no form for.
fn is_never_taken(error: &impl CacheError) -> bool {
    matches!(
        error.as_core(),
        Some(Error::KeyTooLong { .. } | Error::Encode(_))
    )
}
