//! The reports of an outage: events, statistics, metrics.
//!
//! This is a separate program: `tracing` caches for a whole process the events without a
//! subscriber, and other tests have none.

// The promises use all of its faults; this program uses some.
#[allow(dead_code)]
#[path = "metrics/exported.rs"]
mod exported;
#[allow(dead_code)]
#[path = "two_level_promises/remote.rs"]
mod remote;

use ctu_std::{
    Cache, CacheExt, EncryptedCache, Error, LockedCache, LruCache, ManualClock, ToBytesCache,
    TtlCache, TwoLevelCache, cached,
};
use metrics_util::debugging::DebugValue;
use remote::{Fault, Link};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Keeps the fields of all events, those of an event in a line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{field}: {value:?}; "));
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn outage_is_logged_once_and_without_keys() {
    let clock = Arc::new(ManualClock::new());
    let link = Link::new(0, &Arc::default(), &clock);
    let first = TtlCache::<u32, u32, _>::with_capacity(100, secs(10), Arc::clone(&clock));
    let cache = TwoLevelCache::builder(first, link)
        .manual_recovery()
        .clock(Arc::clone(&clock));
    let cache = cache.journal(2_000).settle_time(millis(1));
    let cache = cache.name("pages").build();
    let log = Log::default();
    let mut exported = BTreeMap::new();
    tracing::subscriber::with_default(log.clone(), || {
        cache.second().fail(Fault::Refused);
        for key in 0..4_000 {
            cache.insert(&key, 1u32).unwrap();
            cache.get(&(key + 10_000)).unwrap();
            clock.advance(millis(10));
        }
        exported = exported::by(|| cache.stats().export("pages"));
        cache.second().fail(Fault::None);
        clock.advance(secs(20));
        while let Some(wait) = cache.recover() {
            clock.advance(wait);
        }
    });
    let events = log.0.lock().unwrap().clone();
    let parts = [
        "missed a write",
        "fails",
        "more writes than",
        "is back",
        "made good",
    ];
    assert_eq!(events.len(), parts.len(), "{events:#?}");
    for part in parts {
        assert_eq!(
            events.iter().filter(|line| line.contains(part)).count(),
            1,
            "{events:#?}"
        );
    }
    assert!(events.iter().all(|line| line.contains("cache: \"pages\";")));
    // Why, where trouble begins.
    for line in &events {
        let begins = line.contains("missed a write") || line.contains("fails");
        assert_eq!(line.contains("error: Down;"), begins, "{line}");
    }
    let metric = |name| {
        let metric = exported.get(&format!("ctu.two_level.{name}{{cache=pages}}"));
        metric.map(|(_, value)| value)
    };
    let counter = |name| match metric(name) {
        Some(DebugValue::Counter(count)) => Some(*count),
        _ => None,
    };
    let gauge = |name| match metric(name) {
        Some(DebugValue::Gauge(value)) => Some(value.0),
        _ => None,
    };
    assert_eq!(gauge("journal"), Some(2_000.0));
    assert_eq!(counter("missed"), Some(4_000));
    assert_eq!(counter("overflowed"), Some(2_000));
    assert_eq!(gauge("journal_overflowed"), Some(1.0));
    assert_eq!(gauge("breaker_open"), Some(1.0));
    assert_eq!(exported.len(), 26);
    let text = "0 hits in the first level, 0 in the second, 4000 misses, 0 errors, hit rate 0.0 %";
    assert!(
        cache.stats().to_string().starts_with(text),
        "{}",
        cache.stats()
    );
}

/// The lines of the events that a call causes.
fn events_of(call: impl FnOnce()) -> Vec<String> {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), call);
    let events = log.0.lock().unwrap();
    events.clone()
}

#[test]
fn first_undecodable_value_of_the_second_level_is_logged_with_its_reason() {
    let clock = Arc::new(ManualClock::new());
    let link = Link::new(0, &Arc::default(), &clock);
    let first = TtlCache::<u32, u32, _>::with_capacity(100, secs(10), Arc::clone(&clock));
    let cache = TwoLevelCache::builder(first, link)
        .manual_recovery()
        .clock(Arc::clone(&clock))
        .name("pages")
        .build();
    cache
        .second()
        .insert_entry(&1, remote::DAMAGED, None)
        .unwrap();
    cache
        .second()
        .insert_entry(&2, remote::DAMAGED, None)
        .unwrap();
    let events = events_of(|| {
        assert_eq!(cache.get(&1), Ok(None));
        assert_eq!(cache.get(&2), Ok(None));
        assert_eq!(cache.get_many(&[&1, &2]), Ok(vec![None, None]));
        assert_eq!(cache.get(&3), Ok(None));
    });
    assert_eq!(events.len(), 1, "{events:#?}");
    assert!(events[0].contains("cannot be decoded"), "{events:#?}");
    assert!(events[0].contains("a value of this program"), "{events:#?}");
    assert!(events[0].contains("cache: \"pages\";"), "{events:#?}");
    let stats = cache.stats();
    assert_eq!((stats.damaged, stats.misses), (4, 5));
}

#[test]
fn first_damaged_encrypted_value_is_logged() {
    const SECRET: &[u8; 16] = b"sixteen bytes or";
    let base = LockedCache::new(LruCache::<Vec<u8>, Vec<u8>>::with_capacity(8));
    let written = EncryptedCache::new(&base, SECRET);
    let read = EncryptedCache::new(&base, SECRET).csize(16).unwrap();
    written.insert(b"a", &[7; 40]).unwrap();
    written.insert(b"b", &[8; 40]).unwrap();
    let events = events_of(|| {
        assert_eq!(read.get(b"a"), Ok(None));
        assert_eq!(read.get(b"b"), Ok(None));
        assert_eq!(read.get(b"c"), Ok(None));
    });
    assert_eq!(events.len(), 1, "{events:#?}");
    assert!(events[0].contains("damaged"), "{events:#?}");
    assert_eq!(read.damaged(), 2);
}

#[test]
fn wrong_secret_is_a_miss_and_no_damage() {
    let base = LockedCache::new(LruCache::<Vec<u8>, Vec<u8>>::with_capacity(8));
    let old = EncryptedCache::new(&base, b"sixteen bytes or")
        .csize(32)
        .unwrap();
    let new = EncryptedCache::new(&base, b"another sixteen!")
        .csize(32)
        .unwrap();
    old.insert(b"a", b"1").unwrap();
    assert_eq!(new.get(b"a"), Ok(None));
    assert_eq!((new.damaged(), new.len()), (0, Ok(1)));
}

#[test]
fn undecodable_value_in_memory_is_logged_with_its_reason() {
    let base = LockedCache::new(LruCache::<Vec<u8>, Vec<u8>>::with_capacity(8));
    let cache = ToBytesCache::<_, str, (u8, bool)>::new(&base);
    base.insert(b"\"a\"", br#"[7,"hush"]"#).unwrap();
    let events = events_of(|| assert!(cache.get("a").unwrap_err().is_corrupt()));
    assert_eq!(events.len(), 1, "{events:#?}");
    let reason = "invalid type: string, expected a boolean at line 1 column 9";
    assert!(
        events[0].contains(reason) && !events[0].contains("hush"),
        "{events:#?}"
    );
}

/// A cache that refuses each operation.
struct Refusing;

impl Cache for Refusing {
    type Key = u32;
    type Value = u32;
    type Error = Error;

    fn get(&self, _: &u32) -> Result<Option<u32>, Error> {
        Err(Error::Busy)
    }
    fn insert_entry(&self, _: &u32, _: u32, _: Option<Duration>) -> Result<(), Error> {
        Err(Error::Busy)
    }
    fn remove(&self, _: &u32) -> Result<bool, Error> {
        Err(Error::Busy)
    }
    fn clear(&self) -> Result<(), Error> {
        Err(Error::Busy)
    }
    fn len(&self) -> Result<usize, Error> {
        Err(Error::Busy)
    }
}

static REFUSING: Refusing = Refusing;

#[cached(cache = REFUSING, prefix = "")]
fn doubled(number: u32) -> u32 {
    number * 2
}

#[test]
fn swallowed_error_of_a_cached_function_is_logged_once() {
    let events = events_of(|| {
        assert_eq!(doubled(4), 8);
        assert_eq!(doubled(5), 10);
    });
    assert_eq!(events.len(), 1, "{events:#?}");
    assert!(events[0].contains("the cache is in use"), "{events:#?}");
}
