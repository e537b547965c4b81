//! One process: threads that read and write separate keys, and check each value read.

use ctu_std::{
    AnyCache, AsyncCache, AsyncMemCached, AsyncPrefixedRedisCache, Cache, CacheExt,
    ConcurrentCache, Error, InMemory, IntoCache, IsAsync, IsCache, MemCached, PrefixedRedisCache,
    RedisCache, ShardedCache, StdClock, TtlCache, TwoLevelBuilder, TwoLevelCache, TwoLevelStats,
};
use ctu_tests::blocking::Blocking;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    thread,
    time::Duration,
};

pub(crate) const THREADS: u64 = 3;
/// Keys of each thread.
const KEYS: u64 = 40;

/// A first level.
pub(crate) trait Memory:
    Cache<Key = str, Value = u64, Error = Error> + InMemory + Send + Sync
{
}

impl<C: Cache<Key = str, Value = u64, Error = Error> + InMemory + Send + Sync> Memory for C {}

type First = Box<dyn Memory>;

/// A second level on a server.
pub(crate) trait Second: Sized + 'static {
    /// One over the network at `port` of this machine.
    fn at(port: u16, deadline: Duration) -> Self;
}

/// The settings of a second level on Redis.
macro_rules! redis_at {
    ($port:ident, $deadline:ident, $build:ident) => {{
        let builder = RedisCache::builder(format!("redis://127.0.0.1:{}", $port)).prefix("storm.");
        let builder = builder.ttl(Duration::from_secs(3_600));
        let builder = builder.deadline($deadline).connect_deadline($deadline);
        builder.$build().expect("a good address")
    }};
}

macro_rules! memcached_at {
    ($port:ident, $deadline:ident, $build:ident) => {{
        let builder = MemCached::builder(format!("127.0.0.1:{}", $port)).prefix("storm.");
        let builder = builder.ttl(Duration::from_secs(3_600));
        let builder = builder.deadline($deadline).connect_deadline($deadline);
        builder.$build().expect("a good address")
    }};
}

impl Second for PrefixedRedisCache<str, u64> {
    fn at(port: u16, deadline: Duration) -> Self {
        redis_at!(port, deadline, build)
    }
}

impl Second for AsyncPrefixedRedisCache<str, u64> {
    fn at(port: u16, deadline: Duration) -> Self {
        redis_at!(port, deadline, build_async)
    }
}

impl Second for MemCached<str, u64> {
    fn at(port: u16, deadline: Duration) -> Self {
        memcached_at!(port, deadline, build)
    }
}

impl Second for AsyncMemCached<str, u64> {
    fn at(port: u16, deadline: Duration) -> Self {
        memcached_at!(port, deadline, build_async)
    }
}

/// A resilient cache of two levels over a server.
pub(crate) trait Levels: Cache<Key = str, Value = u64> + Send + Sync + 'static {
    fn new(first: First, port: u16) -> Self;
    fn first(&self) -> &First;
    fn stats(&self) -> TwoLevelStats;
    fn last_outage(&self) -> Option<String>;
}

/// With the times of the storm.
fn builder<B, Kind>(first: First, port: u16) -> TwoLevelBuilder<First, B, Kind>
where
    B: Second + AnyCache<Kind, Key = str, Value = u64> + IntoCache<Kind, Cache = B>,
{
    let millis = Duration::from_millis;
    TwoLevelCache::builder(first, B::at(port, millis(40)))
        .open_for(millis(5), millis(40))
        .settle_time(millis(2_000))
}

impl<B> Levels for TwoLevelCache<First, B>
where
    B: Second + Cache<Key = str, Value = u64> + Send + Sync,
{
    fn new(first: First, port: u16) -> Self {
        builder::<B, IsCache>(first, port).resilient().build()
    }

    fn first(&self) -> &First {
        self.first()
    }

    fn stats(&self) -> TwoLevelStats {
        self.stats()
    }

    fn last_outage(&self) -> Option<String> {
        self.last_outage()
    }
}

/// The async form. The threads of a node wait for its operations.
impl<B> Levels for Blocking<TwoLevelCache<First, B, IsAsync>>
where
    B: Second + AsyncCache<Key = str, Value = u64> + Send,
{
    fn new(first: First, port: u16) -> Self {
        Self(builder::<B, IsAsync>(first, port).resilient().build())
    }

    fn first(&self) -> &First {
        self.0.first()
    }

    fn stats(&self) -> TwoLevelStats {
        self.0.stats()
    }

    fn last_outage(&self) -> Option<String> {
        self.0.last_outage()
    }
}

/// Two levels over a second level of each form.
pub(crate) type OfThreads<B> = TwoLevelCache<First, B>;
pub(crate) type OfTasks<B> = Blocking<TwoLevelCache<First, B, IsAsync>>;

pub(crate) struct Node<L> {
    name: &'static str,
    pub(crate) cache: L,
    pub(crate) operations: AtomicU64,
    /// Set after a thread has read a forbidden value. Other threads stop waiting for it.
    pub(crate) failed: AtomicBool,
}

/// The last acknowledged value by key. `None` is a delete.
pub(crate) type Acknowledged = HashMap<String, Option<u64>>;

impl<L: Levels> Node<L> {
    pub(crate) fn new(name: &'static str, port: u16) -> Self {
        let (ttl, clock) = (Duration::from_millis(100), StdClock::new());
        // Two processes, two kinds of first level.
        let first: First = match name {
            "parent" => Box::new(ConcurrentCache::<String, u64, _>::with_ttl(
                4_000, ttl, clock,
            )),
            _ => Box::new(ShardedCache::new(4, || {
                TtlCache::<String, u64, _>::with_capacity(1_000, ttl, clock)
            })),
        };
        Self {
            name,
            cache: L::new(first, port),
            operations: AtomicU64::new(0),
            failed: AtomicBool::new(false),
        }
    }

    /// Works until `done`, waits for the recovery, and returns the acknowledged values.
    pub(crate) fn work(&self, done: &AtomicBool) -> Acknowledged {
        let acknowledged = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| scope.spawn(move || self.thread(thread, done)))
                .collect();
            let threads = threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"));
            threads.flatten().collect()
        });
        // Without a further operation.
        while self.cache.stats().journal > 0 {
            thread::yield_now();
        }
        acknowledged
    }

    fn thread(&self, thread: u64, done: &AtomicBool) -> Acknowledged {
        let _alarm = Alarm(&self.failed);
        let cache = &self.cache;
        let mut last = Acknowledged::new();
        let mut random = thread + 1;
        let mut value = 0;
        while !done.load(SeqCst) {
            // xorshift64
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let key = format!("{}.{thread}.{}", self.name, (random >> 8) % KEYS);
            value += 1;
            match random % 16 {
                0..4 => {
                    cache.insert(&key, value).expect("no error");
                    last.insert(key, Some(value));
                }
                4..7 => {
                    cache.remove(&key).expect("no error");
                    last.insert(key, None);
                }
                7 => drop(cache.first().remove(&key).expect("no error")),
                8 => {
                    let found = cache.get_or_insert_with(&key, || value).expect("no error");
                    if found != value {
                        assert_eq!(Some(&Some(found)), last.get(&key), "{key}");
                    }
                    last.insert(key, Some(found));
                }
                _ => {
                    let found = cache.get(&key).expect("no error");
                    let newest = last.get(&key).copied().flatten();
                    assert!(
                        found.is_none() || found == newest,
                        "{key} is {found:?}, and was {newest:?} last; the first level has {:?}, {:?}, {:?}",
                        cache.first().get_with_ttl(&key),
                        cache.stats(),
                        cache.last_outage(),
                    );
                }
            }
            self.operations.fetch_add(1, SeqCst);
        }
        last
    }
}

struct Alarm<'a>(&'a AtomicBool);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.fetch_or(thread::panicking(), SeqCst);
    }
}

/// Asserts that every value on the server is the last acknowledged one of its key.
pub(crate) fn check(server: &impl Cache<Key = str, Value = u64>, acknowledged: &Acknowledged) {
    for (key, last) in acknowledged {
        let found = server.get(key).expect("the server is back");
        assert!(
            found.is_none() || found == *last,
            "the server has {found:?} at {key}, and {last:?} was acknowledged last"
        );
    }
}
