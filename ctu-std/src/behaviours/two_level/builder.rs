use super::{
    TwoLevelCache,
    levels::{Levels, Load, Recovery, Refresh},
    settings::{Resilience, Settings, Time, millis, share_of},
};
use crate::caches::{AnyCache, IsCache};
use ctu_core::{Cache, Clock};
use std::{fmt, hash::Hash, time::Duration};

/// Settings of a [`TwoLevelCache`], from [`TwoLevelCache::builder`].
///
/// All is off unless set. The page [resilience](crate::docs::resilience)
/// describes the problem that each switch solves, the behaviour and the promises.
///
/// | setting | default, once [`resilient`](Self::resilient) |
/// | --- | --- |
/// | [`breaker`](Self::breaker) | opens after 5 failures in a row, or 100 ms lost to them |
/// | [`open_for`](Self::open_for) | 0.5 s, growing to 10 s |
/// | [`journal`](Self::journal) | 10,000 keys |
/// | [`settle`](Self::settle) | 10 s |
#[must_use]
pub struct TwoLevelBuilder<A: Cache<Key: ToOwned>, B, Kind = IsCache> {
    first: A,
    second: B,
    pub(super) settings: Settings,
    pub(super) recovery: Option<Recovery<A, B, Kind>>,
    pub(super) refresh: Option<Refresh<A, B, Kind>>,
}

impl<A, B, Kind> TwoLevelBuilder<A, B, Kind>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: AnyCache<Kind, Key = A::Key, Value = A::Value>,
{
    pub(super) fn new(first: A, second: B) -> Self {
        Self {
            first,
            second,
            settings: Settings::default(),
            recovery: None,
            refresh: None,
        }
    }

    /// What the cache is called in its events, as their field `cache`. No name unless set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// The background recovery, unless the settings switch it off.
    fn recovery(&mut self) -> Option<Recovery<A, B, Kind>> {
        let resilience = self.settings.resilience.as_ref();
        let in_background = resilience.is_some_and(|resilience| resilience.in_background);
        self.recovery.take().filter(|_| in_background)
    }

    pub(super) fn resilience(&mut self) -> &mut Resilience {
        self.settings.resilience.get_or_insert_default()
    }

    /// The breaker opens after so many `failures` in a row, or as soon as failures in a row took
    /// `patience` together. As [`resilient`](Self::resilient), of which this is a setting; no thread by itself.
    pub fn breaker(mut self, failures: u32, patience: Duration) -> Self {
        let breaker = &mut self.resilience().breaker;
        (breaker.failures, breaker.patience) = (failures, millis(patience));
        self
    }

    /// How long the breaker stays open the first time, and what that grows to, twofold with every probe that
    /// fails. Each time is shortened at random, by up to half.
    pub fn open_for(mut self, first: Duration, longest: Duration) -> Self {
        let (first, longest) = (millis(first), millis(longest.max(first)));
        let resilience = self.resilience();
        (resilience.breaker.first, resilience.breaker.longest) = (first, longest);
        resilience.journal.retry = (first.max(1), longest.max(1));
        self
    }

    /// How many keys are kept in mind whose writes the second level missed. Of more it is known only when
    /// they are asked for, and other keys are taken for them.
    pub fn journal(mut self, keys: usize) -> Self {
        self.resilience().journal.capacity = keys;
        self
    }

    /// How long a request that failed may still be under way once the second level answers again. A key
    /// with such a write is not believed for so long, and deleted twice.
    pub fn settle(mut self, time: Duration) -> Self {
        self.resilience().journal.settle = millis(time);
        self
    }

    /// No entry of the second level lives longer than this, whoever wrote it. So long after an outage that
    /// was too much for the journal, all is believed again; otherwise only what was found out.
    pub fn second_keeps_at_most(mut self, ttl: Duration) -> Self {
        self.resilience().journal.longest_ttl = Some(millis(ttl));
        self
    }

    /// What was missed is made good when [`TwoLevelCache::recover`] is called, by no thread.
    pub fn recovers_by_hand(mut self) -> Self {
        self.resilience().in_background = false;
        self
    }

    /// Where computing a value fails (`get_or_insert_with` and its relatives), one that expired less than
    /// `time` ago is returned. The last `entries` values are kept for that.
    pub fn grace(mut self, time: Duration, entries: usize) -> Self {
        self.settings.grace = Some((time, entries));
        self
    }

    /// A thread waits at most for `limit` for a value that another thread computes, and then computes it, too: the first
    /// result is stored and goes to all. [`Duration::ZERO`] is no waiting, [`Duration::MAX`] no limit; 10 seconds unless
    /// set. The operating system's clock counts it.
    ///
    /// So computations end that wait for each other: each for the other's key, or one for a thread that it started
    /// or that its thread pool gave it (rayon), and that asks for the same key.
    pub fn wait_limit(mut self, limit: Duration) -> Self {
        self.settings.wait_limit = limit;
        self
    }

    /// That the second level has nothing at a key is remembered for `time`, of up to `keys` keys. What other
    /// nodes write meanwhile is seen that much later.
    pub fn negative(mut self, time: Duration, keys: usize) -> Self {
        self.settings.negative = Some((time, keys));
        self
    }

    /// Times-to-live are shortened at random, by up to this share (0 to 1), so that what was stored at once
    /// does not expire at once.
    pub fn jitter(mut self, share: f64) -> Self {
        self.settings.jitter = share_of(share);
        self
    }

    /// Where the time of breaker, grace and the like comes from: the operating system unless set. One that
    /// does not wrap around.
    pub fn clock(mut self, clock: impl Clock + Send + Sync + 'static) -> Self {
        self.settings.time = Time::of(clock);
        self
    }

    /// Makes what is random repeatable, for tests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Makes the cache.
    #[must_use]
    pub fn build(mut self) -> TwoLevelCache<A, B, Kind> {
        let (recovery, second_ttl) = (self.recovery(), self.second.ttl_by_default());
        TwoLevelCache::new(Levels::new(
            self.first,
            self.second,
            second_ttl,
            self.settings,
            recovery,
            self.refresh,
        ))
    }
}

impl<A, B> TwoLevelBuilder<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// An outage of the second level is no error: reads are misses, writes and deletes are done at the
    /// first level and made good at the second when it is back, by a thread in the background that
    /// starts with the first outage and ends with the cache. Deadlines are settings of the second level.
    ///
    /// What counts as one is for the second level to [say](ctu_core::CacheError::is_outage). A password that is refused does, and
    /// so hides a wrong one: see [`last_outage`](TwoLevelCache::last_outage), or ask the
    /// [`second`](TwoLevelCache::second) level when the program starts.
    ///
    /// A value there that cannot be decoded, of an older schema or another program, is a miss, and
    /// [`damaged`](super::TwoLevelStats::damaged) counts it.
    pub fn resilient(mut self) -> Self
    where
        A: Send + Sync + 'static,
        A::Key: ToOwned<Owned: Send>,
        A::Value: Send,
        B: Send + Sync + 'static,
    {
        self.resilience();
        self.recovery = Some(Recovery {
            wake: Levels::recover_in_thread,
            revive: None,
        });
        self
    }

    /// An entry of the first level that a read finds with less than `share` (0 to 1) of its time left is
    /// computed anew by `load`, in the background: the read does not wait. `None` leaves it as it is.
    /// Keys are as this cache has them, with the prefixes of the caches on it.
    pub fn refresh_ahead(
        mut self,
        share: f64,
        load: impl Fn(&A::Key) -> Option<A::Value> + Send + Sync + 'static,
    ) -> Self
    where
        A: Send + Sync + 'static,
        A::Key: ToOwned<Owned: Send>,
        A::Value: Send,
        B: Send + Sync + 'static,
    {
        self.refresh = Some(Refresh::new(
            share,
            Load::Blocking(Box::new(load)),
            Levels::refresh_in_thread,
        ));
        self
    }
}

impl<A, B, Kind> fmt::Debug for TwoLevelBuilder<A, B, Kind>
where
    A: Cache<Key: ToOwned> + fmt::Debug,
    B: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwoLevelBuilder")
            .field("first", &self.first)
            .field("second", &self.second)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ctu_core::heap::LruCache;

    #[test]
    fn manual_recovery_starts_no_thread() {
        let level = || LruCache::<u32, u32>::with_capacity(1);
        let builder = || TwoLevelCache::builder(level(), level());
        assert!(builder().resilient().recovery().is_some());
        // In whichever order.
        for mut by_hand in [
            builder().resilient().recovers_by_hand(),
            builder().recovers_by_hand().resilient(),
            builder().journal(1),
        ] {
            assert!(by_hand.recovery().is_none());
        }
    }
}
