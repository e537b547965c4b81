//! The two levels, and what keeps them in step.

use super::{
    TwoLevelError, TwoLevelStats,
    counts::{Counted, Counts},
    due::Due,
    memory::Memory,
    order::Order,
    settings::Settings,
    stats::BreakerState,
    worker::Worker,
};
use crate::{
    behaviours::{
        machines::{Change, Health},
        single_flight::SingleFlight,
    },
    random::Random,
    sync::Mutex,
};
use ctu_core::{Cache, Clock};
#[cfg(feature = "tracing")]
use std::sync::atomic::AtomicBool;
use std::{
    hash::Hash,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Wakes a thread in the background. A pointer, since only threads need levels that threads can share.
pub(super) type Wake<A, B> = fn(&Levels<A, B>);

type Load<A> = dyn Fn(&<A as Cache>::Key) -> Option<<A as Cache>::Value> + Send + Sync;

pub(super) struct Refresh<A: Cache<Key: ToOwned>, B> {
    pub(super) share: f64,
    pub(super) load: Box<Load<A>>,
    pub(super) due: Mutex<Due<A::Key>>,
    wake: Wake<A, B>,
}

impl<A: Cache<Key: Hash + Eq + ToOwned>, B> Refresh<A, B> {
    pub(super) fn new(share: f64, load: Box<Load<A>>, wake: Wake<A, B>) -> Self {
        Self {
            share,
            load,
            due: Mutex::new(Due::new()),
            wake,
        }
    }
}

pub(super) struct Levels<A: Cache<Key: ToOwned>, B> {
    pub(super) first: A,
    pub(super) second: B,
    pub(super) settings: Settings,
    pub(super) order: Order,
    pub(super) counts: Counts,
    pub(super) flights: SingleFlight<A::Key, A::Value>,
    pub(super) health: Option<Mutex<Health<A::Key>>>,
    pub(super) memory: Memory<A::Key, A::Value>,
    /// What the levels say of it once.
    pub(super) first_ttl: Option<Duration>,
    pub(super) second_ttl: Option<Duration>,
    pub(super) refresh: Option<Refresh<A, B>>,
    recovery: Option<Wake<A, B>>,
    /// Behind `me`, for the threads.
    me: Weak<Self>,
    recovering: Worker,
    refreshing: Worker,
    rolls: AtomicU64,
    /// Whether an event told of a value that cannot be decoded.
    #[cfg(feature = "tracing")]
    pub(super) damage_told: AtomicBool,
}

pub(super) type Failed<A, B> = TwoLevelError<<A as Cache>::Error, <B as Cache>::Error>;

impl<A, B> Levels<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    pub(super) fn new(
        first: A,
        second: B,
        settings: Settings,
        recovery: Option<Wake<A, B>>,
        refresh: Option<Refresh<A, B>>,
    ) -> Arc<Self> {
        let health = settings.resilience.map(|resilience| {
            let (breaker, journal) = (resilience.breaker, resilience.journal);
            Mutex::new(Health::new(breaker, journal, settings.seed))
        });
        let mut flights = SingleFlight::new();
        flights.set_wait_limit(settings.wait_limit);
        Arc::new_cyclic(|me| Self {
            order: Order::new(),
            counts: Counts::new(),
            flights,
            health,
            memory: Memory::new(&settings),
            first_ttl: first.default_ttl(),
            second_ttl: second.default_ttl(),
            first,
            second,
            settings,
            refresh,
            recovery,
            me: me.clone(),
            recovering: Worker::default(),
            refreshing: Worker::default(),
            rolls: AtomicU64::new(0),
            #[cfg(feature = "tracing")]
            damage_told: AtomicBool::new(false),
        })
    }

    pub(super) fn count(&self, what: Counted) {
        self.counts.count(what);
    }

    pub(super) fn now(&self) -> u64 {
        self.settings.time.now()
    }

    pub(super) fn first_failed(&self, error: A::Error) -> Failed<A, B> {
        self.count(Counted::Error);
        TwoLevelError::First(error)
    }

    pub(super) fn second_failed(&self, error: B::Error) -> Failed<A, B> {
        self.count(Counted::Error);
        TwoLevelError::Second(error)
    }

    /// Tells of a change, and has the thread see to it.
    pub(super) fn changed(&self, change: Change) {
        self.tell(change);
        self.wake();
    }

    pub(super) fn wake(&self) {
        if let Some(wake) = self.recovery {
            wake(self);
        }
    }

    /// What the error of the last outage said.
    pub(super) fn last_outage(&self) -> Option<String> {
        let health = self.health.as_ref()?;
        health.lock().last_outage.clone()
    }

    /// A time-to-live, shortened at random as the settings say.
    fn jittered(&self, ttl: Duration) -> Duration {
        if self.settings.jitter <= 0.0 {
            return ttl;
        }
        let roll = self.settings.seed ^ self.rolls.fetch_add(1, Relaxed).rotate_left(32);
        // 53 bits, which is what a float holds.
        let share = (Random::new(roll).next() >> 11) as f64 / (1_u64 << 53) as f64;
        part(ttl, 1.0 - self.settings.jitter * share)
    }

    /// The time to store an entry with at the second level.
    pub(super) fn second_time(&self, ttl: Option<Duration>) -> Option<Duration> {
        if self.settings.jitter <= 0.0 {
            return ttl;
        }
        ttl.or(self.second_ttl).map(|ttl| self.jittered(ttl))
    }

    /// The time to store an entry with at the first level that the second has for `left`.
    pub(super) fn first_time(&self, left: Option<Duration>) -> Option<Duration> {
        match (self.first_ttl, left) {
            (Some(own), Some(left)) if left < own => Some(self.jittered(left)),
            (Some(own), _) if self.settings.jitter > 0.0 => Some(self.jittered(own)),
            (Some(_), _) => None,
            (None, left) => left,
        }
    }

    /// Keeps what the second level has for `left` in the first. Where it does not fit, nothing is lost.
    pub(super) fn fill(&self, key: &A::Key, value: &A::Value, left: Option<Duration>) {
        self.memory
            .keep(key, value, left.or(self.first_ttl), self.now());
        let ttl = self.first_time(left);
        let kept = self.first.insert_entry(key, value.clone(), ttl);
        // It keeps no time: for as long as it has room.
        if kept.is_err() && ttl.is_some() && self.first_ttl.is_none() {
            let _ = self.first.insert_entry(key, value.clone(), None);
        }
    }

    /// Stores at the first level what the caller stored for `ttl`.
    pub(super) fn put_first(
        &self,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
    ) -> Result<(), A::Error> {
        let left = ttl.or(self.second_ttl);
        self.memory
            .keep(key, &value, left.or(self.first_ttl), self.now());
        // A first level that keeps no time is not to show what the caller gave a time of its own.
        let ttl = match (self.first_ttl, ttl) {
            (None, None) => None,
            _ => self.first_time(left),
        };
        if self.first.insert_entry(key, value, ttl).is_ok() {
            return Ok(());
        }
        // Too large for it, say: the second level has the value.
        self.first.remove(key).map(drop)
    }

    pub(super) fn stats(&self) -> TwoLevelStats {
        let mut stats = TwoLevelStats::of(&self.counts);
        if let Some(health) = &self.health {
            let health = health.lock();
            stats.journal = health.journal.len();
            stats.suspects = health.journal.overflowed();
            stats.breaker = match health.breaker.opens_at() {
                _ if health.breaker.is_closed() => BreakerState::Closed,
                Some(_) => BreakerState::Open,
                None => BreakerState::Probing,
            };
        }
        stats
    }

    /// Whether an entry with `left` of its time is to be computed anew.
    pub(super) fn is_due(&self, left: Option<Duration>) -> bool {
        match (&self.refresh, self.first_ttl, left) {
            (Some(refresh), Some(own), Some(left)) => left < part(own, refresh.share),
            _ => false,
        }
    }

    /// Has `key` computed anew in the background if it has little of its time left.
    pub(super) fn refresh_if_due(&self, key: &A::Key, left: Option<Duration>) {
        let Some(refresh) = self.refresh.as_ref().filter(|_| self.is_due(left)) else {
            return;
        };
        if refresh.due.lock().push(key) {
            (refresh.wake)(self);
        }
    }

    pub(super) fn milliseconds_until(&self, at: u64) -> Duration {
        Duration::from_millis(at.saturating_sub(self.now()))
    }
}

/// This share of `time`, 0 to 1. A float may round the longest times up to more than there is.
fn part(time: Duration, share: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * share).unwrap_or(time)
}

impl<A, B> Levels<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned<Owned: Send>, Value: Send> + Send + Sync + 'static,
    B: Cache<Key = A::Key, Value = A::Value> + Send + Sync + 'static,
{
    pub(super) fn wake_recovery(&self) {
        let step = |levels: &Self| levels.recover();
        self.recovering.wake("ctu-recovery", &self.me, step);
    }

    pub(super) fn wake_refresh(&self) {
        let step = |levels: &Self| levels.refresh_one();
        self.refreshing.wake("ctu-refresh", &self.me, step);
    }
}
