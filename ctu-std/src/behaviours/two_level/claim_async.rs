//! The claims of tasks. Without tokio no async cache has claims.

use super::{
    claim::{Claim, ClaimRequests, Claimed, ComputeTurn},
    levels::{Failed, FirstLevel, Levels},
    read::OnCorrupt,
    second::SecondResult,
};
use crate::caches::{AnyCache, AsyncClaims, IsAsync};
use ctu_core::{AsyncCache, Cache};
use std::pin::Pin;
use tokio::time::sleep;

/// A request about the claim of a key by a holder.
type AsyncOfHolder<A, B, Kind, T> = for<'l> fn(
    &'l Levels<A, B, Kind>,
    &'l <A as Cache>::Key,
    u64,
) -> Pin<Box<dyn Future<Output = T> + Send + 'l>>;

/// The requests about claims of tasks.
pub(super) struct AsyncRequests<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    pub(super) claim: AsyncOfHolder<A, B, Kind, Claim>,
    pub(super) release: AsyncOfHolder<A, B, Kind, ()>,
}

impl<A, B> Levels<A, B, IsAsync>
where
    A: FirstLevel,
    B: AsyncCache<Key = A::Key, Value = A::Value>,
{
    /// Claims `key` at once. `None` if another node computes it.
    pub(super) async fn try_claim<'k>(
        &self,
        key: &'k A::Key,
    ) -> Option<Claimed<'_, 'k, A, B, IsAsync>> {
        let Some(ClaimRequests::Async(requests)) = self.claim_requests() else {
            return Some(self.claimed(key, None));
        };
        let holder = self.next_holder();
        // A future that is dropped during the request releases a claim that the server may have.
        let claimed = self.claimed(key, Some(holder));
        claimed.after((requests.claim)(self, key, holder).await)
    }

    /// Waits for the turn of this node to compute `key`, or for the value of another node. The wait has
    /// the limit of the settings.
    pub(super) async fn wait_for_turn<'k>(
        &self,
        key: &'k A::Key,
    ) -> Result<ComputeTurn<'_, 'k, A, B, IsAsync>, Failed<A, B, IsAsync>> {
        let mut wait = self.begin_wait();
        loop {
            if let Some(claimed) = self.try_claim(key).await {
                // Another node may have computed before the claim.
                let found = match claimed.holder {
                    Some(_) => self.look_at_second(key).await?,
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
            if let Some(value) = self.look_at_second(key).await? {
                return Ok(ComputeTurn::Done(value));
            }
            match wait.next() {
                Some(pause) => sleep(pause).await,
                None => return Ok(ComputeTurn::Compute(self.claimed(key, None))),
            }
        }
    }

    /// Reads the value at `key`, if the second level has one. A look without a value counts nothing.
    async fn look_at_second(
        &self,
        key: &A::Key,
    ) -> Result<Option<A::Value>, Failed<A, B, IsAsync>> {
        let there = match self.admit() {
            Some(call) => call.end(self.second.contains(key).await),
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
        let found = self.get_second_or(key, OnCorrupt::Miss).await?;
        Ok(found.map(|(value, _)| value))
    }

    pub(super) async fn claim_at_second(&self, key: &A::Key, holder: u64) -> Claim
    where
        B: AsyncClaims,
    {
        let (Some(shared), Some(call)) = (&self.shared_flights, self.admit()) else {
            return Claim::Unavailable;
        };
        let claim = self.second.claim(key, holder, shared.lease);
        self.end_claim(call.end(claim.await))
    }

    pub(super) async fn release_at_second(&self, key: &A::Key, holder: u64)
    where
        B: AsyncClaims,
    {
        if let Some(call) = self.admit() {
            // A claim that stays ends with its lease.
            drop(call.end(self.second.release(key, holder).await));
        }
    }
}

impl<A: FirstLevel, B: AnyCache<IsAsync>> Claimed<'_, '_, A, B, IsAsync> {
    /// Releases the claim. Its drop releases it in a task.
    pub(super) async fn release(mut self) {
        if let (Some(ClaimRequests::Async(requests)), Some(holder)) =
            (self.levels.claim_requests(), self.holder)
        {
            (requests.release)(self.levels, self.key, holder).await;
            self.holder = None;
        }
    }
}
