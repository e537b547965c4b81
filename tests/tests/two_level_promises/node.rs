//! A node of the random schedules: a `TwoLevelCache` over a blocking or an async second level.

use crate::{
    millis,
    remote::{Failed, Link, SETTLE},
    secs,
};
use ctu_std::{
    AnyCache, AsyncCache, Cache, CacheError, ConcurrentCache, Error, Found, InMemory, IntoCache,
    IsAsync, LockedCache, TtlCache, TwoLevelBuilder, TwoLevelCache, TwoLevelError,
};
use ctu_tests::{cancel::poll_now, step_cache::yield_once};
use std::{
    fmt,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

/// The time-to-live of the first level.
pub(crate) const FIRST_TTL: Duration = millis(5_000);

/// The switches of a schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switches {
    /// Whether the first level is a `ConcurrentCache`.
    pub(crate) concurrent: bool,
    pub(crate) journal: usize,
    pub(crate) others: bool,
}

pub(crate) trait Node: Cache<Key = u32, Value = u32> {
    fn new(link: Link, switches: Switches, seed: u64) -> Self;

    /// Computes `value`, or fails to.
    fn compute(&self, key: u32, value: Option<u32>) -> Result<Option<u32>, Self::Error>;

    /// The first level evicts `key`.
    fn evict(&self, key: u32);

    fn link(&self) -> &Link;

    fn recover(&self) -> Option<Duration>;

    fn journal(&self) -> usize;

    /// The future of the next operation is dropped after so many polls. Of no effect without
    /// futures.
    fn drop_after(&self, polls: Option<usize>) {
        let _ = polls;
    }

    fn is_dropped(_: &Self::Error) -> bool {
        false
    }
}

pub(crate) trait Memory:
    Cache<Key = u32, Value = u32, Error = Error> + InMemory + Send + Sync
{
}

impl<C: Cache<Key = u32, Value = u32, Error = Error> + InMemory + Send + Sync> Memory for C {}

type First = Box<dyn Memory>;

fn first(link: &Link, concurrent: bool) -> First {
    let clock = Arc::clone(&link.clock);
    match concurrent {
        true => Box::new(ConcurrentCache::<u32, u32, _>::with_ttl(
            3, FIRST_TTL, clock,
        )),
        false => Box::new(LockedCache::new(TtlCache::<u32, u32, _>::with_capacity(
            3, FIRST_TTL, clock,
        ))),
    }
}

fn build<S, Kind>(
    link: Link,
    second: impl FnOnce(Link) -> S,
    switches: Switches,
    seed: u64,
) -> TwoLevelCache<First, S, Kind>
where
    S: AnyCache<Kind, Key = u32, Value = u32> + IntoCache<Kind, Cache = S>,
{
    let (first, clock) = (first(&link, switches.concurrent), Arc::clone(&link.clock));
    let builder: TwoLevelBuilder<First, S, Kind> = TwoLevelCache::builder(first, second(link));
    let builder = builder
        .manual_recovery()
        .breaker(2, millis(100))
        .open_for(millis(300), millis(2_000))
        .settle_time(SETTLE)
        .journal(switches.journal)
        .clock(clock)
        .seed(seed);
    if switches.others {
        let builder = builder.grace(secs(30), 3).negative(millis(500), 3);
        return builder.jitter(0.5).build();
    }
    builder.build()
}

pub(crate) type Blocking = TwoLevelCache<First, Link>;

impl Node for Blocking {
    fn new(link: Link, switches: Switches, seed: u64) -> Self {
        build(link, |link| link, switches, seed)
    }

    fn compute(&self, key: u32, value: Option<u32>) -> Result<Option<u32>, Self::Error> {
        self.get_or_compute(&key, &mut || Ok(value))
    }

    fn evict(&self, key: u32) {
        self.first().remove(&key).unwrap();
    }

    fn link(&self) -> &Link {
        self.second()
    }

    fn recover(&self) -> Option<Duration> {
        self.recover()
    }

    fn journal(&self) -> usize {
        self.stats().journal
    }
}

/// A [`Link`] that suspends the task before and after each request.
pub(crate) struct AsyncLink(Link);

impl AsyncLink {
    async fn run<T>(&self, request: impl FnOnce(&Link) -> T) -> T {
        yield_once().await;
        let answer = request(&self.0);
        yield_once().await;
        answer
    }
}

impl AsyncCache for AsyncLink {
    type Key = u32;
    type Value = u32;
    type Error = Failed;

    async fn get(&self, key: &u32) -> Result<Option<u32>, Failed> {
        self.run(|link| link.get(key)).await
    }

    async fn get_with_ttl(&self, key: &u32) -> Result<Found<u32>, Failed> {
        self.run(|link| link.get_with_ttl(key)).await
    }

    async fn insert_entry(
        &self,
        key: &u32,
        value: u32,
        ttl: Option<Duration>,
    ) -> Result<(), Failed> {
        self.run(|link| link.insert_entry(key, value, ttl)).await
    }

    async fn remove(&self, key: &u32) -> Result<bool, Failed> {
        self.run(|link| link.remove(key)).await
    }

    async fn clear(&self) -> Result<(), Failed> {
        self.run(Cache::clear).await
    }

    async fn len(&self) -> Result<usize, Failed> {
        self.run(Cache::len).await
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.0.default_ttl()
    }

    async fn get_many_with_ttl(&self, keys: &[&u32]) -> Result<Vec<Found<u32>>, Failed> {
        self.run(|link| link.get_many_with_ttl(keys)).await
    }

    async fn insert_many(
        &self,
        entries: Vec<(&u32, u32)>,
        ttl: Option<Duration>,
    ) -> Result<(), Failed> {
        self.run(|link| link.insert_many(entries, ttl)).await
    }

    async fn remove_many(&self, keys: &[&u32]) -> Result<usize, Failed> {
        self.run(|link| link.remove_many(keys)).await
    }
}

/// The async form. Each operation is polled to its end, or dropped before it.
pub(crate) struct Async {
    cache: TwoLevelCache<First, AsyncLink, IsAsync>,
    drop_after: Mutex<Option<usize>>,
}

/// The end of an operation without a result.
#[derive(Debug)]
pub(crate) enum Ended {
    Failed(TwoLevelError<Error, Failed>),
    Dropped,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Dropped => f.write_str("dropped"),
        }
    }
}

impl std::error::Error for Ended {}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl CacheError for Ended {
    fn as_core(&self) -> Option<Error> {
        None
    }
}

impl Async {
    fn run<T>(
        &self,
        operation: impl Future<Output = Result<T, TwoLevelError<Error, Failed>>>,
    ) -> Result<T, Ended> {
        /// No operation takes more.
        const ALL: usize = 1_000;
        let polls = self.drop_after.lock().unwrap().take();
        match poll_now(polls.unwrap_or(ALL), pin!(operation)) {
            Some(result) => result.map_err(Ended::Failed),
            None => {
                assert!(polls.is_some(), "the operation hangs");
                Err(Ended::Dropped)
            }
        }
    }
}

impl Cache for Async {
    type Key = u32;
    type Value = u32;
    type Error = Ended;

    fn get(&self, key: &u32) -> Result<Option<u32>, Ended> {
        self.run(self.cache.get(key))
    }

    fn insert_entry(&self, key: &u32, value: u32, ttl: Option<Duration>) -> Result<(), Ended> {
        self.run(self.cache.insert_entry(key, value, ttl))
    }

    fn remove(&self, key: &u32) -> Result<bool, Ended> {
        self.run(self.cache.remove(key))
    }

    fn clear(&self) -> Result<(), Ended> {
        self.run(self.cache.clear())
    }

    fn len(&self) -> Result<usize, Ended> {
        self.run(self.cache.len())
    }

    fn pop(&self, key: &u32) -> Result<Option<u32>, Ended> {
        self.run(self.cache.pop(key))
    }

    fn get_many(&self, keys: &[&u32]) -> Result<Vec<Option<u32>>, Ended> {
        self.run(self.cache.get_many(keys))
    }

    fn insert_many(&self, entries: Vec<(&u32, u32)>, ttl: Option<Duration>) -> Result<(), Ended> {
        self.run(self.cache.insert_many(entries, ttl))
    }

    fn remove_many(&self, keys: &[&u32]) -> Result<usize, Ended> {
        self.run(self.cache.remove_many(keys))
    }
}

impl Node for Async {
    fn new(link: Link, switches: Switches, seed: u64) -> Self {
        Self {
            cache: build(link, AsyncLink, switches, seed),
            drop_after: Mutex::new(None),
        }
    }

    fn compute(&self, key: u32, value: Option<u32>) -> Result<Option<u32>, Ended> {
        let make = || async move {
            yield_once().await;
            Ok(value)
        };
        self.run(self.cache.get_or_compute(&key, make))
    }

    fn evict(&self, key: u32) {
        self.cache.first().remove(&key).unwrap();
    }

    fn link(&self) -> &Link {
        &self.cache.second().0
    }

    fn recover(&self) -> Option<Duration> {
        let recover = async { Ok(self.cache.recover().await) };
        self.run(recover).ok().flatten()
    }

    fn journal(&self) -> usize {
        self.cache.stats().journal
    }

    fn drop_after(&self, polls: Option<usize>) {
        *self.drop_after.lock().unwrap() = polls;
    }

    fn is_dropped(error: &Ended) -> bool {
        matches!(error, Ended::Dropped)
    }
}
