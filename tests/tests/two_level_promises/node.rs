//! A node of the random schedules, and its blocking form: a `TwoLevelCache` over a blocking second level.

use crate::{
    millis,
    remote::{Link, SETTLE},
    secs,
};
use ctu_std::{
    AnyCache, Cache, ConcurrentCache, Error, InMemory, IntoCache, LockedCache, TtlCache,
    TwoLevelBuilder, TwoLevelCache,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
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

    /// Inserts an entry with a tag.
    fn put_tagged(&self, key: u32, value: u32, tag: u32) -> Result<(), Self::Error>;

    fn invalidate(&self, tag: u32) -> Result<(), Self::Error>;

    /// Computes `value` with a tag. During the computation the node invalidates the other tag, and
    /// `acknowledged` is whether that succeeded.
    fn compute_tagged(
        &self,
        key: u32,
        value: u32,
        tag: u32,
        invalidated: Option<u32>,
        acknowledged: &AtomicBool,
    ) -> Result<u32, Self::Error>;

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

pub(crate) type First = Box<dyn Memory>;

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

pub(crate) fn build<S, Kind>(
    link: Link,
    second: impl FnOnce(Link) -> S,
    with_tags: impl FnOnce(TwoLevelBuilder<First, S, Kind>) -> TwoLevelBuilder<First, S, Kind>,
    switches: Switches,
    seed: u64,
) -> TwoLevelCache<First, S, Kind>
where
    S: AnyCache<Kind, Key = u32, Value = u32> + IntoCache<Kind, Cache = S>,
{
    let (first, clock) = (first(&link, switches.concurrent), Arc::clone(&link.clock));
    let builder: TwoLevelBuilder<First, S, Kind> = TwoLevelCache::builder(first, second(link));
    let builder = with_tags(builder)
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
        build(link, |link| link, |builder| builder.tags(), switches, seed)
    }

    fn compute(&self, key: u32, value: Option<u32>) -> Result<Option<u32>, Self::Error> {
        self.get_or_compute(&key, &mut || Ok(value))
    }

    fn put_tagged(&self, key: u32, value: u32, tag: u32) -> Result<(), Self::Error> {
        self.insert_with_tags(&key, value, None, &[&tag.to_string()])
    }

    fn invalidate(&self, tag: u32) -> Result<(), Self::Error> {
        self.invalidate_tag(&tag.to_string())
    }

    fn compute_tagged(
        &self,
        key: u32,
        value: u32,
        tag: u32,
        invalidated: Option<u32>,
        acknowledged: &AtomicBool,
    ) -> Result<u32, Self::Error> {
        self.get_or_insert_with_tags(&key, &[&tag.to_string()], || {
            if let Some(tag) = invalidated {
                acknowledged.store(self.invalidate(tag).is_ok(), SeqCst);
            }
            value
        })
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
