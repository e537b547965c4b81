//! Refresh ahead by tasks.

use super::{
    compute::{Refreshed, WithValue},
    levels::{Failed, FirstLevel, Levels, Load},
    second::SecondResult,
    write_computed::ComputedWrite,
};
use crate::caches::IsAsync;
use ctu_core::AsyncCache;
use std::time::Duration;

impl<A, B> Levels<A, B, IsAsync>
where
    A: FirstLevel,
    B: AsyncCache<Key = A::Key, Value = A::Value>,
{
    /// Refreshes the next keys of the queue, by one call of the loader. Returns the wait before the next call;
    /// `None` if the queue is empty.
    pub(super) async fn refresh_next(&self) -> Option<Duration> {
        let (refresh, keys) = self.next_refresh()?;
        let mut refreshed = Vec::new();
        for key in &keys {
            let key = key.get();
            if let Some(flight) = self.begin_refresh(key)
                && let Some(claimed) = self.try_claim(key).await
                && let Ok(tagged) = self.tagged(key, &[]).await
            {
                refreshed.push(Refreshed {
                    key,
                    flight,
                    claimed,
                    tagged,
                });
            }
        }
        let keys: Vec<_> = refreshed
            .iter()
            .map(|refreshed| refreshed.key.to_owned())
            .collect();
        if let (Load::Async(load), false) = (&refresh.load, keys.is_empty())
            && let Some(values) = self.limited(load(keys)).await
        {
            let mut loaded = self.loaded(refreshed, values);
            // A failure is counted, and a later read queues the key again.
            let _ = self.insert_refreshed(&mut loaded).await;
            for (refreshed, value) in loaded {
                refreshed.flight.finish(value);
                refreshed.claimed.release().await;
            }
        }
        Some(Duration::ZERO)
    }

    /// Stores the values of a refresh: in one request, unless each entry has tags.
    async fn insert_refreshed<'l>(
        &'l self,
        loaded: &mut [WithValue<'l, '_, A, B, IsAsync>],
    ) -> Result<(), Failed<A, B, IsAsync>> {
        if loaded
            .iter()
            .any(|(refreshed, _)| refreshed.tagged.is_some())
        {
            for (refreshed, value) in loaded {
                let (key, tagged) = (refreshed.key, refreshed.tagged.as_ref());
                let insert =
                    self.insert_computed(key, value.clone(), &mut refreshed.flight, tagged);
                insert.await?;
            }
            return Ok(());
        }
        let writes = self.begin_insert_refreshed(loaded);
        let entries: Vec<_> = writes.iter().map(ComputedWrite::entry).collect();
        if entries.is_empty() {
            return Ok(());
        }
        let time = self.second_time(None);
        let result = match self.admit() {
            Some(call) => call.end(self.second.insert_many(entries, time).await),
            None => SecondResult::Skipped,
        };
        let written = self.end_insert_refreshed(writes, result)?;
        match written.is_empty() {
            true => Ok(()),
            false => self.remove_many(&written).await.map(drop),
        }
    }
}
