//! The two levels and their shared state.

use super::{
    TwoLevelError, TwoLevelStats,
    claim::SharedFlights,
    counts::{Counted, Counts},
    refresh_queue::RefreshQueue,
    settings::{Settings, share_of},
    side_tables::SideTables,
    stats::BreakerState,
    tags::{SecondTags, TagSupport},
    tracking::{Tracked, Tracking},
    versions::WriteVersions,
    worker::Worker,
};
use crate::{
    behaviours::{
        machines::{Change, Health},
        single_flight::SingleFlight,
    },
    caches::{AnyCache, IsCache},
    sync::Mutex,
};
use ctu_core::{Cache, Clock};
#[cfg(feature = "tracing")]
use std::sync::atomic::AtomicBool;
use std::{
    hash::Hash,
    marker::PhantomData,
    sync::{Arc, Weak, atomic::AtomicU64},
    time::Duration,
};

/// A cache that can be the first level.
pub(super) trait FirstLevel: Cache<Key: Hash + Eq + ToOwned> {}

impl<A: Cache<Key: Hash + Eq + ToOwned>> FirstLevel for A {}

/// Wakes a background thread. A pointer, since only that thread needs levels that threads can share.
pub(super) type Wake<A, B, Kind> = fn(&Levels<A, B, Kind>);

/// The background recovery.
pub(super) struct Recovery<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    pub(super) wake: Wake<A, B, Kind>,
    /// Starts the recovery again if its runtime has ended.
    pub(super) revive: Option<Wake<A, B, Kind>>,
}

/// The computed values of several keys, in order; `None` for a key without a value.
type Loaded<A> = Vec<Option<<A as Cache>::Value>>;

type LoadBlocking<A> = dyn Fn(&[&<A as Cache>::Key]) -> Loaded<A> + Send + Sync;

#[cfg(feature = "tokio")]
type LoadAsync<A> = dyn Fn(Vec<Owned<A>>) -> Loading<Loaded<A>> + Send + Sync;

/// Computes the values of a refresh.
pub(super) enum Load<A: Cache<Key: ToOwned>> {
    Blocking(Box<LoadBlocking<A>>),
    #[cfg(feature = "tokio")]
    Async(Box<LoadAsync<A>>),
}

#[cfg(feature = "tokio")]
pub(super) type Owned<A> = <<A as Cache>::Key as ToOwned>::Owned;

#[cfg(feature = "tokio")]
pub(super) type Loading<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

pub(super) struct Refresh<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    pub(super) share: f64,
    pub(super) load: Load<A>,
    /// The largest number of keys of one computation.
    pub(super) at_once: usize,
    pub(super) queue: Mutex<RefreshQueue<A::Key>>,
    wake: Wake<A, B, Kind>,
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Refresh<A, B, Kind> {
    pub(super) fn new(share: f64, load: Load<A>, at_once: usize, wake: Wake<A, B, Kind>) -> Self {
        Self {
            share: share_of(share),
            load,
            at_once,
            queue: Mutex::new(RefreshQueue::new()),
            wake,
        }
    }
}

/// The behaviours that need a second level with more operations than those of a cache.
pub(super) struct AmongNodes<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    pub(super) tracked: Option<Tracked<A, B, Kind>>,
    pub(super) shared_flights: Option<SharedFlights<A, B, Kind>>,
    pub(super) tags: Option<SecondTags<A, B, Kind>>,
}

impl<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> Default for AmongNodes<A, B, Kind> {
    fn default() -> Self {
        Self {
            tracked: None,
            shared_flights: None,
            tags: None,
        }
    }
}

pub(super) struct Levels<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    pub(super) first: A,
    pub(super) second: B,
    pub(super) settings: Settings,
    pub(super) versions: WriteVersions<A::Key>,
    pub(super) tracking: Option<Tracking<A, B, Kind>>,
    pub(super) shared_flights: Option<SharedFlights<A, B, Kind>>,
    pub(super) tags: Option<TagSupport<A, B, Kind>>,
    pub(super) counts: Counts,
    pub(super) flights: SingleFlight<A::Key, A::Value>,
    pub(super) health: Option<Mutex<Health<A::Key>>>,
    pub(super) side_tables: SideTables<A::Key, A::Value>,
    /// The default times-to-live of the levels.
    pub(super) first_ttl: Option<Duration>,
    pub(super) second_ttl: Option<Duration>,
    pub(super) refresh: Option<Refresh<A, B, Kind>>,
    recovery: Option<Recovery<A, B, Kind>>,
    /// For the background work.
    pub(super) me: Weak<Self>,
    pub(super) recovering: Worker,
    pub(super) refreshing: Worker,
    pub(super) tracker: Worker,
    pub(super) rolls: AtomicU64,
    kind: PhantomData<fn() -> Kind>,
    /// Whether an event has reported a corrupt value.
    #[cfg(feature = "tracing")]
    pub(super) corrupt_reported: AtomicBool,
}

pub(super) type Failed<A, B, Kind = IsCache> =
    TwoLevelError<<A as Cache>::Error, <B as AnyCache<Kind>>::Error>;

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    /// `second_ttl` is the default time-to-live of the second level.
    pub(super) fn new(
        first: A,
        second: B,
        second_ttl: Option<Duration>,
        settings: Settings,
        recovery: Option<Recovery<A, B, Kind>>,
        refresh: Option<Refresh<A, B, Kind>>,
        among_nodes: AmongNodes<A, B, Kind>,
    ) -> Arc<Self> {
        let health = settings.resilience.map(|resilience| {
            let (breaker, journal) = (resilience.breaker, resilience.journal);
            Mutex::new(Health::new(breaker, journal, settings.seed))
        });
        let tracked_keys = settings.tracking.tracked_keys;
        let tracking = among_nodes
            .tracked
            .map(|tracked| Tracking::new(&tracked, &second, settings.tracking));
        let tags = among_nodes.tags;
        let tags = tags.map(|tags| TagSupport::new(tags, &second, tracked_keys));
        let mut flights = SingleFlight::new();
        flights.set_wait_limit(settings.wait_limit);
        Arc::new_cyclic(|me| Self {
            versions: WriteVersions::new(tracking.as_ref().map(|_| tracked_keys)),
            tracking,
            tags,
            shared_flights: among_nodes.shared_flights,
            counts: Counts::new(),
            flights,
            health,
            side_tables: SideTables::new(&settings),
            first_ttl: first.default_ttl(),
            second_ttl,
            first,
            second,
            settings,
            refresh,
            recovery,
            me: me.clone(),
            recovering: Worker::default(),
            refreshing: Worker::default(),
            tracker: Worker::default(),
            rolls: AtomicU64::new(0),
            kind: PhantomData,
            #[cfg(feature = "tracing")]
            corrupt_reported: AtomicBool::new(false),
        })
    }

    pub(super) fn count(&self, counted: Counted) {
        self.counts.count(counted);
    }

    pub(super) fn now(&self) -> u64 {
        self.settings.time.now()
    }

    pub(super) fn first_failed<E>(&self, error: A::Error) -> TwoLevelError<A::Error, E> {
        self.count(Counted::Error);
        TwoLevelError::First(error)
    }

    pub(super) fn second_failed<E>(&self, error: E) -> TwoLevelError<A::Error, E> {
        self.count(Counted::Error);
        TwoLevelError::Second(error)
    }

    /// Reports a change, and wakes the recovery.
    pub(super) fn changed(&self, change: Change) {
        self.tell(change);
        self.wake_recovery();
    }

    pub(super) fn wake_recovery(&self) {
        if let Some(recovery) = &self.recovery {
            (recovery.wake)(self);
        }
    }

    pub(super) fn revive_recovery(&self) {
        if let Some(Recovery {
            revive: Some(revive),
            ..
        }) = &self.recovery
        {
            revive(self);
        }
    }

    /// The reason for the end of the last tracking connection.
    pub(super) fn last_unsubscription(&self) -> Option<String> {
        self.tracking.as_ref()?.last_reason()
    }

    /// The text of the last outage's error.
    pub(super) fn last_outage(&self) -> Option<String> {
        let health = self.health.as_ref()?;
        health.lock().last_outage.clone()
    }

    pub(super) fn stats(&self) -> TwoLevelStats {
        let mut stats = TwoLevelStats::of(&self.counts);
        if let Some(tracking) = &self.tracking {
            stats.tracking = tracking.state();
            stats.lease_left = tracking.lease_left(self.now());
        }
        if let Some(health) = &self.health {
            let health = health.lock();
            stats.journal = health.journal.len();
            stats.journal_overflowed = health.journal.overflowed();
            stats.breaker = match health.breaker.opens_at() {
                _ if health.breaker.is_closed() => BreakerState::Closed,
                Some(_) => BreakerState::Open,
                None => BreakerState::Probing,
            };
        }
        stats
    }

    /// Queues those of the keys for a refresh that have little of their time left.
    pub(super) fn refresh_due<'k>(
        &self,
        found: impl IntoIterator<Item = (&'k A::Key, Option<Duration>)>,
    ) where
        A::Key: 'k,
    {
        let Some(refresh) = &self.refresh else { return };
        let due = found.into_iter().filter(|(_, left)| self.is_due(*left));
        // The loader does not know the tags of an entry.
        let due = due.filter(|(key, _)| !self.has_own_tags(key));
        let queued = due.filter(|(key, _)| refresh.queue.lock().push(key));
        if queued.count() > 0 {
            (refresh.wake)(self);
        }
    }

    pub(super) fn milliseconds_until(&self, at: u64) -> Duration {
        Duration::from_millis(at.saturating_sub(self.now()))
    }
}
