//! One computation among all nodes: a claim at the second level.

#[cfg(feature = "tokio")]
use super::claim_async::AsyncRequests;
use super::{
    TwoLevelError,
    counts::Counted,
    levels::{Failed, FirstLevel, Levels},
    read::OnCorrupt,
    second::SecondResult,
};
use crate::{
    caches::{AnyCache, Claims, IsCache},
    random::Random,
};
use ctu_core::{Cache, CacheError};
use std::{
    sync::atomic::Ordering::Relaxed,
    thread,
    time::{Duration, Instant},
};

/// The first and the longest wait before another look at a claim of another node.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));

/// A request about the claim of a key by a holder.
type OfHolder<A, B, Kind, T> = fn(&Levels<A, B, Kind>, &<A as Cache>::Key, u64) -> T;

/// The claims of a second level, as the builder makes them.
pub(super) struct SharedFlights<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    pub(super) requests: ClaimRequests<A, B, Kind>,
    /// Releases a claim whose holder was dropped.
    pub(super) release: OfHolder<A, B, Kind, ()>,
    /// The longest time of a claim.
    pub(super) lease: Duration,
}

pub(super) enum ClaimRequests<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    Blocking(OfHolder<A, B, Kind, Claim>),
    #[cfg(feature = "tokio")]
    Async(AsyncRequests<A, B, Kind>),
}

/// The result of an attempt to claim a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    Won,
    /// Another node computes.
    Held,
    /// The second level does not answer, or refuses: each node computes for itself.
    Unavailable,
}

/// The right to compute. Its end releases the claim, also after a panic.
pub(super) struct Claimed<'l, 'k, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    pub(super) levels: &'l Levels<A, B, Kind>,
    pub(super) key: &'k A::Key,
    /// `None` without a claim.
    pub(super) holder: Option<u64>,
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Drop for Claimed<'_, '_, A, B, Kind> {
    fn drop(&mut self) {
        if let (Some(shared), Some(holder)) = (&self.levels.shared_flights, self.holder) {
            (shared.release)(self.levels, self.key, holder);
        }
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Claimed<'_, '_, A, B, Kind> {
    /// The right to compute after the result of the claim. `None` if another node computes.
    pub(super) fn after(mut self, claim: Claim) -> Option<Self> {
        if claim != Claim::Won {
            self.holder = None;
        }
        (claim != Claim::Held).then_some(self)
    }
}

/// The next step of a caller without a value.
pub(super) enum ComputeTurn<'l, 'k, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    /// The caller computes, until it drops the claim.
    Compute(Claimed<'l, 'k, A, B, Kind>),
    /// Another node has computed, or an expired value takes the place of the result.
    Done(A::Value),
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    pub(super) fn claim_requests(&self) -> Option<&ClaimRequests<A, B, Kind>> {
        let shared = self.shared_flights.as_ref()?;
        Some(&shared.requests)
    }

    /// A number that no other claim has.
    pub(super) fn next_holder(&self) -> u64 {
        let roll = self.settings.seed ^ self.rolls.fetch_add(1, Relaxed).rotate_left(32);
        Random::new(roll).next()
    }

    /// The right to compute, with the claim of `holder` or without a claim.
    pub(super) fn claimed<'k>(
        &self,
        key: &'k A::Key,
        holder: Option<u64>,
    ) -> Claimed<'_, 'k, A, B, Kind> {
        Claimed {
            levels: self,
            key,
            holder,
        }
    }

    /// The result of the request for a claim.
    pub(super) fn end_claim<E: CacheError>(&self, result: SecondResult<bool, E>) -> Claim {
        match result {
            SecondResult::Done(true) => Claim::Won,
            SecondResult::Done(false) => Claim::Held,
            SecondResult::Failed(error) => {
                let failed: TwoLevelError<A::Error, _> = self.second_failed(error);
                drop(failed);
                Claim::Unavailable
            }
            SecondResult::Missed(_) | SecondResult::Skipped => Claim::Unavailable,
        }
    }

    /// The start of a wait for another node. It has the limit of the settings.
    pub(super) fn begin_wait(&self) -> ClaimWait {
        ClaimWait {
            limit: Instant::now().checked_add(self.settings.wait_limit),
            pause: PAUSES.0,
        }
    }

    /// Counts a wait once, and looks for an expired value in place of it.
    pub(super) fn stale_in_wait(&self, wait: &ClaimWait, key: &A::Key) -> Option<A::Value> {
        if wait.pause == PAUSES.0 {
            self.count(Counted::Wait);
        }
        let stale = self.stale(key)?;
        self.count(Counted::Stale);
        Some(stale)
    }
}

/// A wait for the computation of another node.
pub(super) struct ClaimWait {
    limit: Option<Instant>,
    pause: Duration,
}

impl ClaimWait {
    /// The time to the next look; `None` at the limit.
    pub(super) fn next(&mut self) -> Option<Duration> {
        if self.limit.is_some_and(|limit| Instant::now() >= limit) {
            return None;
        }
        let pause = self.pause;
        self.pause = (2 * pause).min(PAUSES.1);
        Some(pause)
    }
}

impl<A, B> Levels<A, B, IsCache>
where
    A: FirstLevel,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// Claims `key` at once. `None` if another node computes it.
    pub(super) fn try_claim<'k>(&self, key: &'k A::Key) -> Option<Claimed<'_, 'k, A, B, IsCache>> {
        let Some(ClaimRequests::Blocking(claim)) = self.claim_requests() else {
            return Some(self.claimed(key, None));
        };
        let holder = self.next_holder();
        let claimed = self.claimed(key, Some(holder));
        claimed.after(claim(self, key, holder))
    }

    /// Waits for the turn of this node to compute `key`, or for the value of another node. The wait has
    /// the limit of the settings.
    pub(super) fn wait_for_turn<'k>(
        &self,
        key: &'k A::Key,
    ) -> Result<ComputeTurn<'_, 'k, A, B, IsCache>, Failed<A, B>> {
        let mut wait = self.begin_wait();
        loop {
            if let Some(claimed) = self.try_claim(key) {
                // Another node may have computed before the claim.
                let found = match claimed.holder {
                    Some(_) => self.look_at_second(key)?,
                    None => None,
                };
                return Ok(match found {
                    Some(value) => ComputeTurn::Done(value),
                    None => ComputeTurn::Compute(claimed),
                });
            }
            if let Some(stale) = self.stale_in_wait(&wait, key) {
                return Ok(ComputeTurn::Done(stale));
            }
            if let Some(value) = self.look_at_second(key)? {
                return Ok(ComputeTurn::Done(value));
            }
            match wait.next() {
                Some(pause) => thread::sleep(pause),
                None => return Ok(ComputeTurn::Compute(self.claimed(key, None))),
            }
        }
    }

    /// Reads the value at `key`, if the second level has one. A look without a value counts nothing.
    fn look_at_second(&self, key: &A::Key) -> Result<Option<A::Value>, Failed<A, B>> {
        let there = match self.admit() {
            Some(call) => call.end(self.second.contains(key)),
            None => return Ok(None),
        };
        match there {
            SecondResult::Done(true) => {}
            SecondResult::Done(false) | SecondResult::Missed(_) | SecondResult::Skipped => {
                return Ok(None);
            }
            SecondResult::Failed(error) => return Err(self.second_failed(error)),
        }
        self.side_tables.remove_negative(key);
        let found = self.get_second_or(key, OnCorrupt::Miss)?;
        Ok(found.map(|(value, _)| value))
    }

    pub(super) fn claim_at_second(&self, key: &A::Key, holder: u64) -> Claim
    where
        B: Claims<Key = A::Key, Error = <B as Cache>::Error>,
    {
        let (Some(shared), Some(call)) = (&self.shared_flights, self.admit()) else {
            return Claim::Unavailable;
        };
        self.end_claim(call.end(self.second.claim(key, holder, shared.lease)))
    }

    pub(super) fn release_at_second(&self, key: &A::Key, holder: u64)
    where
        B: Claims<Key = A::Key, Error = <B as Cache>::Error>,
    {
        if let Some(call) = self.admit() {
            // A claim that stays ends with its lease.
            drop(call.end(self.second.release(key, holder)));
        }
    }
}
