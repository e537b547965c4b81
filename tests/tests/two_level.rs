//! `TwoLevelCache` over levels in memory, one of which fails when told to.

use ctu_std::{
    Cache, CacheError, CacheExt, Error, LockedCache, LruCache, ManualClock, PrefixedCache,
    RedisCache, StdClock, TtlCache, TwoLevelCache, TwoLevelError, WithTtl,
};
use ctu_tests::servers::RedisServer;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

type Memory = LockedCache<LruCache<String, u32>>;

fn memory() -> LruCache<String, u32> {
    LruCache::with_capacity(100)
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A cache that fails while it is off, and counts its operations.
struct Flaky {
    inner: Memory,
    off: AtomicBool,
    asked: AtomicU32,
}

impl Flaky {
    fn new() -> Self {
        Self {
            inner: LockedCache::new(memory()),
            off: AtomicBool::new(false),
            asked: AtomicU32::new(0),
        }
    }

    fn ask(&self) -> Result<&Memory, Error> {
        self.asked.fetch_add(1, SeqCst);
        if self.off.load(SeqCst) {
            return Err(Error::Busy);
        }
        Ok(&self.inner)
    }

    fn asked(&self) -> u32 {
        self.asked.swap(0, SeqCst)
    }
}

impl Cache for Flaky {
    type Key = str;
    type Value = u32;
    type Error = Error;

    fn get(&self, key: &str) -> Result<Option<u32>, Error> {
        self.ask()?.get(key)
    }
    fn insert_entry(&self, key: &str, value: u32, ttl: Option<Duration>) -> Result<(), Error> {
        self.ask()?.insert_entry(key, value, ttl)
    }
    fn remove(&self, key: &str) -> Result<bool, Error> {
        self.ask()?.remove(key)
    }
    fn clear(&self) -> Result<(), Error> {
        self.ask()?.clear()
    }
    fn len(&self) -> Result<usize, Error> {
        self.ask()?.len()
    }
    fn get_many_with_ttl(&self, keys: &[&str]) -> Result<Vec<Option<WithTtl<u32>>>, Error> {
        self.ask()?.get_many_with_ttl(keys)
    }
    fn insert_many(&self, entries: Vec<(&str, u32)>, ttl: Option<Duration>) -> Result<(), Error> {
        self.ask()?.insert_many(entries, ttl)
    }
    fn remove_many(&self, keys: &[&str]) -> Result<usize, Error> {
        self.ask()?.remove_many(keys)
    }
}

#[test]
fn first_level_hit_does_not_reach_the_second() {
    let cache = TwoLevelCache::builder(memory(), Flaky::new()).build();
    cache.insert("a", 1).unwrap();
    assert_eq!(cache.second().asked(), 1);
    cache.second().off.store(true, SeqCst);
    assert_eq!(cache.get("a"), Ok(Some(1)));
    assert_eq!(cache.contains("a"), Ok(true));
    assert_eq!(cache.get_with_ttl("a"), Ok(Some((1, None))));
    assert_eq!(cache.get_many(&["a"]), Ok(vec![Some(1)]));
    assert_eq!(cache.second().asked(), 0);
}

#[test]
fn second_level_hit_fills_the_first() {
    let cache = TwoLevelCache::builder(memory(), Flaky::new()).build();
    cache.second().inner.insert("a", 1).unwrap();
    assert_eq!(cache.contains("a"), Ok(true));
    assert_eq!(cache.first().contains("a"), Ok(false));
    assert_eq!(cache.get("a"), Ok(Some(1)));
    assert_eq!(cache.first().get("a"), Ok(Some(1)));
    assert_eq!(cache.get("a"), Ok(Some(1)));
    assert_eq!(cache.get("b"), Ok(None));
    assert_eq!(cache.contains("b"), Ok(false));
    let stats = cache.stats();
    let counts = (stats.first_hits, stats.second_hits, stats.misses);
    assert_eq!(counts, (1, 1, 1));
    let text = "1 hits in the first level, 1 in the second, 1 misses, 0 errors, hit rate 66.7 %";
    assert_eq!(stats.to_string(), text);
    assert!((cache.hit_rate() - 2.0 / 3.0).abs() < 1e-9);
    cache.reset_stats();
    assert_eq!(cache.stats(), Default::default());
}

#[test]
fn second_level_errors_reach_the_caller() {
    let cache = TwoLevelCache::builder(memory(), Flaky::new()).build();
    cache.insert("a", 1).unwrap();
    cache.second().off.store(true, SeqCst);
    let busy = TwoLevelError::Second(Error::Busy);
    assert_eq!(cache.insert("a", 2), Err(busy.clone()));
    assert_eq!(cache.insert("b", 2), Err(busy.clone()));
    assert_eq!(cache.insert_many(vec![("a", 2)], None), Err(busy.clone()));
    // A failed insert leaves the first level as it was.
    assert_eq!(cache.first().get("a"), Ok(Some(1)));
    assert_eq!(cache.first().get("b"), Ok(None));
    assert_eq!(cache.get("b"), Err(busy.clone()));
    assert_eq!(cache.get_many(&["a", "b"]), Err(busy.clone()));
    assert_eq!(cache.contains("b"), Err(busy.clone()));
    // A failed remove may have been done, so the first level forgets.
    assert_eq!(cache.remove("a"), Err(busy.clone()));
    assert_eq!(cache.first().get("a"), Ok(None));
    cache.first().insert("a", 1).unwrap();
    assert_eq!(cache.remove_many(&["a"]), Err(busy.clone()));
    assert_eq!(cache.first().get("a"), Ok(None));
    assert_eq!(cache.stats().errors, 8);
    assert_eq!(busy.to_string(), "second level: the cache is in use");
}

#[test]
fn batch_reads_the_second_level_once() {
    let cache = TwoLevelCache::builder(memory(), Flaky::new()).build();
    let entries = vec![("a", 1), ("b", 2), ("c", 3)];
    cache.insert_many(entries, None).unwrap();
    assert_eq!(cache.second().asked(), 1);
    assert_eq!(cache.first().len(), Ok(3));
    cache.first().remove("b").unwrap();
    let found = cache.get_many(&["a", "x", "b", "c"]);
    assert_eq!(found, Ok(vec![Some(1), None, Some(2), Some(3)]));
    assert_eq!(cache.second().asked(), 1);
    assert_eq!(cache.remove_many(&["a", "b", "x"]), Ok(2));
    assert_eq!(cache.second().asked(), 1);
    assert_eq!(
        cache.get_many(&["a", "b", "c"]),
        Ok(vec![None, None, Some(3)])
    );
    let stats = cache.stats();
    let counts = (stats.first_hits, stats.second_hits, stats.misses);
    assert_eq!(counts, (3, 1, 3));
}

#[test]
fn large_batch_fills_the_first_level() {
    let level = || LruCache::<u32, u32>::with_capacity(5_000);
    let cache = TwoLevelCache::builder(level(), level()).build();
    let keys: Vec<u32> = (0..5_000).collect();
    let entries = keys.iter().map(|key| (key, *key)).collect();
    assert_eq!(cache.insert_many(entries, None), Ok(()));
    assert_eq!(cache.first().len(), Ok(5_000));
    // Filled, too.
    cache.first().clear().unwrap();
    let found = cache.get_many(&keys.iter().collect::<Vec<_>>()).unwrap();
    assert!(found.into_iter().eq(keys.into_iter().map(Some)));
    assert_eq!(cache.first().len(), Ok(5_000));
}

#[test]
fn clear_removes_entries_of_both_levels() {
    let cache = TwoLevelCache::builder(memory(), memory()).build();
    cache.insert("a", 1).unwrap();
    cache.insert("p.b", 2).unwrap();
    PrefixedCache::new(&cache, "p.").clear().unwrap();
    assert_eq!((cache.get("p.b"), cache.get("a")), (Ok(None), Ok(Some(1))));
    cache.clear().unwrap();
    assert_eq!((cache.get("a"), cache.second().len()), (Ok(None), Ok(0)));
}

#[test]
fn clear_first_keeps_the_second_level() {
    let cache = TwoLevelCache::builder(memory(), memory()).build();
    cache.insert("a", 1).unwrap();
    cache.clear_first().unwrap();
    assert_eq!((cache.len(), cache.second().len()), (Ok(0), Ok(1)));
    assert_eq!(cache.get("a"), Ok(Some(1)));
}

#[test]
fn first_level_ttl_never_exceeds_the_second() {
    let clock = ManualClock::new();
    let first = TtlCache::<String, u32, _>::with_capacity(10, secs(60), &clock);
    let second = TtlCache::<String, u32, _>::with_capacity(10, secs(600), &clock);
    let cache = TwoLevelCache::builder(first, second).build();
    cache.insert("long", 1).unwrap();
    cache.insert_with_ttl("short", 2, secs(70)).unwrap();
    cache.first().clear().unwrap();
    clock.advance(secs(50));
    assert_eq!(cache.get_with_ttl("long"), Ok(Some((1, Some(secs(550))))));
    assert_eq!(cache.get("short"), Ok(Some(2)));
    let left = |found: Result<Option<WithTtl<u32>>, Error>| found.unwrap().unwrap().1;
    assert_eq!(left(cache.first().get_with_ttl("long")), Some(secs(60)));
    assert_eq!(left(cache.first().get_with_ttl("short")), Some(secs(20)));
    clock.advance(secs(20));
    assert_eq!(cache.get("short"), Ok(None));
}

#[test]
fn entry_too_large_for_the_first_level_is_in_the_second() {
    let clock = ManualClock::new();
    let second = TtlCache::<String, u32, _>::with_capacity(10, secs(600), &clock);
    let cache = TwoLevelCache::builder(memory(), second).build();
    cache.insert("a", 1).unwrap();
    // The first level cannot count a time of the entry's own, and must not show the old value.
    cache.insert_with_ttl("a", 2, secs(10)).unwrap();
    assert_eq!(cache.first().get("a"), Ok(None));
    assert_eq!(cache.second().get("a"), Ok(Some(2)));
    clock.advance(secs(10));
    assert_eq!(cache.get("a"), Ok(None));
}

#[test]
fn levels_may_be_trait_objects() {
    type Any = Box<dyn Cache<Key = str, Value = u32, Error = Error> + Send + Sync>;
    let second: Any = Box::new(LockedCache::new(memory()));
    let cache = Arc::new(TwoLevelCache::builder(memory(), second).build());
    let prefixed = PrefixedCache::new(cache.clone(), "p.");
    let made = prefixed.get_or_insert_with("a", || 1_u32);
    assert_eq!(made, Ok(1));
    assert_eq!(cache.second().get("p.a"), Ok(Some(1)));
    assert_eq!(prefixed.pop("a"), Ok(Some(1)));
    assert_eq!(cache.get("p.a"), Ok(None));
}

#[test]
fn concurrent_reads_and_writes_leave_no_stale_value() {
    for round in 0..200 {
        let cache = TwoLevelCache::builder(memory(), Flaky::new()).build();
        cache.insert("a", 0).unwrap();
        thread::scope(|scope| {
            for n in 1..=2 {
                let cache = &cache;
                scope.spawn(move || cache.insert("a", n).unwrap());
            }
            scope.spawn(|| {
                cache.first().remove("a").unwrap();
                cache.get("a").unwrap()
            });
        });
        let second = cache.second().inner.get("a").unwrap();
        assert_eq!(cache.get("a"), Ok(second), "round {round}");
    }
}

#[test]
fn redis_works_as_second_level() {
    let mut server = RedisServer::start();
    let redis = RedisCache::builder(server.url()).prefix("p.");
    let redis = redis.deadline(secs(60)).build().unwrap();
    let first = TtlCache::<String, u32, _>::with_capacity(10, secs(60), StdClock::new());
    let cache = TwoLevelCache::builder(first, redis).build();
    cache.insert("a", 1).unwrap();
    cache.insert_with_ttl("short", 2, secs(50)).unwrap();
    cache.first().clear().unwrap();
    let found = cache.get_many(&["a", "short", "none"]);
    assert_eq!(found, Ok(vec![Some(1), Some(2), None]));
    assert_eq!(
        (cache.get("a"), cache.get("short")),
        (Ok(Some(1)), Ok(Some(2)))
    );
    let (_, left) = cache.first().get_with_ttl("short").unwrap().unwrap();
    assert!(left.unwrap() <= secs(50));
    server.kill();
    // Entries of the first level are hits, and other lookups are errors.
    assert_eq!(cache.get("a"), Ok(Some(1)));
    let error = cache.get("none").unwrap_err();
    assert!(matches!(&error, TwoLevelError::Second(error) if error.is_outage()));
    let text = error.to_string();
    assert!(text.starts_with("second level: no Redis at "), "{text}");
    server.start_again();
    assert_eq!(cache.get("none"), Ok(None));
}

#[test]
fn foreign_value_in_redis_is_overwritten() {
    let server = RedisServer::start();
    let redis = RedisCache::builder(server.url()).prefix("p.");
    let redis = redis.deadline(secs(60)).build().unwrap();
    let cache = TwoLevelCache::builder(memory(), redis).resilient().build();
    server.cli(&["mset", "p.a", "no number", "p.b", "2", "p.c", "{}"]);
    let found = cache.get_many(&["a", "b", "c"]);
    assert_eq!(found, Ok(vec![None, Some(2), None]));
    assert_eq!(cache.get_or_insert_with("a", || 1u32), Ok(1));
    assert_eq!(server.cli(&["get", "p.a"]), "1");
    assert_eq!((cache.stats().damaged, cache.stats().errors), (3, 0));
}

#[test]
fn wrong_password_is_an_outage_with_its_reason() {
    let server = RedisServer::with(&["--requirepass", "open sesame"]);
    let redis = RedisCache::builder(server.url()).password("open barley");
    let redis = redis.prefix("p.").deadline(secs(60)).build().unwrap();
    let cache = TwoLevelCache::builder(memory(), redis).resilient().build();
    assert_eq!(cache.get("a"), Ok(None));
    let why = cache.last_outage().unwrap();
    assert!(why.ends_with("refuses this user and password"), "{why}");
    assert!(!why.contains("barley") && !why.contains("sesame"), "{why}");
    // How a program finds out when it starts.
    let error = cache.second().contains("a").unwrap_err();
    assert_eq!(error.to_string(), why);
}
