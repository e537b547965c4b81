//! A cached function reports a failing cache to `tracing` once.
//!
//! This is a separate program: `tracing` caches for a whole process the events without a
//! subscriber, and other tests have none.

use ctu_core::{Cache, CacheError, Error, cached};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Keeps the fields of all events.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// The events during `call`.
    fn of(call: impl FnOnce()) -> Vec<String> {
        let log = Self::default();
        tracing::subscriber::with_default(log.clone(), call);
        std::mem::take(&mut log.0.lock().unwrap())
    }
}

impl tracing::field::Visit for Log {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        let mut lines = self.0.lock().unwrap();
        lines.push(format!("{field}: {value:?}"));
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
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    Gone,
    Core(Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("gone"),
            Self::Core(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl CacheError for Failure {
    fn as_core(&self) -> Option<Error> {
        match self {
            Self::Gone => None,
            Self::Core(error) => Some(*error),
        }
    }
}

/// A cache with the configured result.
struct Moody {
    reads: Mutex<Result<Option<u32>, Failure>>,
    writes: Mutex<Result<(), Failure>>,
}

impl Moody {
    const fn new() -> Self {
        Self {
            reads: Mutex::new(Ok(None)),
            writes: Mutex::new(Ok(())),
        }
    }
    fn set(&self, reads: Result<Option<u32>, Failure>, writes: Result<(), Failure>) {
        *self.reads.lock().unwrap() = reads;
        *self.writes.lock().unwrap() = writes;
    }
}

impl Cache for Moody {
    type Key = u32;
    type Value = u32;
    type Error = Failure;

    fn get(&self, _: &u32) -> Result<Option<u32>, Failure> {
        *self.reads.lock().unwrap()
    }
    fn insert_entry(&self, _: &u32, _: u32, _: Option<Duration>) -> Result<(), Failure> {
        *self.writes.lock().unwrap()
    }
    fn remove(&self, _: &u32) -> Result<bool, Failure> {
        Ok(false)
    }
    fn clear(&self) -> Result<(), Failure> {
        Ok(())
    }
    fn len(&self) -> Result<usize, Failure> {
        Ok(0)
    }
}

fn events(name: &str, error: &str) -> Vec<String> {
    vec![
        "message: the cache failed; the function runs without it".into(),
        format!("function: \"cached_tracing::{name}\""),
        format!("error: {error}"),
    ]
}

const GONE: Failure = Failure::Gone;

#[test]
fn outage_is_logged_once_at_its_start() {
    static CACHE: Moody = Moody::new();

    #[cached(cache = CACHE, prefix = "")]
    fn double(number: u32) -> u32 {
        2 * number
    }
    let calls = || Log::of(|| (0..10).for_each(|number| assert_eq!(double(number), 2 * number)));

    assert!(calls().is_empty());
    CACHE.set(Err(GONE), Err(GONE));
    assert_eq!(calls(), events("double", "gone"));
    assert!(calls().is_empty());
    // It is there again, and then it is not.
    CACHE.set(Ok(None), Ok(()));
    assert!(calls().is_empty());
    CACHE.set(Err(GONE), Ok(()));
    assert_eq!(calls(), events("double", "gone"));
    // A server that can be read and not be written to, as one that is full.
    CACHE.set(Ok(None), Err(GONE));
    assert_eq!(calls(), events("double", "gone"));
    CACHE.set(Ok(Some(0)), Err(GONE));
    assert!(Log::of(|| assert_eq!(double(5), 0)).is_empty());
    CACHE.set(Ok(None), Err(GONE));
    assert!(calls().is_empty());
}

#[test]
fn rejection_by_the_cache_is_logged_once() {
    static CACHE: Moody = Moody::new();
    const REFUSED: Failure = Failure::Core(Error::TtlUnsupported);

    #[cached(cache = CACHE, prefix = "", ttl = Duration::from_secs(1))]
    fn triple(number: u32) -> u32 {
        3 * number
    }
    let calls = || Log::of(|| (0..10).for_each(|number| assert_eq!(triple(number), 3 * number)));

    CACHE.set(Ok(None), Err(REFUSED));
    assert_eq!(calls(), events("triple", &REFUSED.to_string()));
    CACHE.set(Ok(None), Ok(()));
    assert!(calls().is_empty());
    CACHE.set(Ok(None), Err(REFUSED));
    assert!(calls().is_empty());
    // Which says nothing of outages.
    CACHE.set(Ok(None), Err(GONE));
    assert_eq!(calls(), events("triple", "gone"));
}

/// Each kind of error is reported once: a report of a long key does not cover corrupt values.
#[test]
fn distinct_rejections_are_each_logged() {
    static CACHE: Moody = Moody::new();

    #[cached(cache = CACHE, prefix = "")]
    fn double(number: u32) -> u32 {
        2 * number
    }
    let calls = || Log::of(|| (0..10).for_each(|number| assert_eq!(double(number), 2 * number)));

    let kinds = [
        Error::KeyTooLong { len: 9, max: 8 },
        Error::Decode("JSON"),
        Error::Busy,
        Error::TtlUnsupported,
    ];
    for error in kinds {
        CACHE.set(Err(Failure::Core(error)), Ok(()));
        assert_eq!(calls(), events("double", &error.to_string()));
    }
    for error in kinds {
        CACHE.set(Err(Failure::Core(error)), Err(Failure::Core(error)));
        assert!(calls().is_empty());
    }
}

#[test]
fn each_function_and_flight_logs_its_own_errors() {
    static CACHE: Moody = Moody::new();

    #[cached(cache = CACHE, prefix = "", single_flight)]
    fn one(number: u32) -> u32 {
        number
    }
    #[cached(cache = CACHE, prefix = "")]
    fn two(number: u32) -> Result<u32, ()> {
        if number < 10 { Ok(number) } else { Err(()) }
    }

    CACHE.set(Ok(None), Err(GONE));
    let log = Log::of(|| (0..10).for_each(|number| assert_eq!(one(number), number)));
    assert_eq!(log, events("one", "gone"));
    let log = Log::of(|| {
        for number in 0..10 {
            assert_eq!(two(number), Ok(number));
            // Nothing is written, so nothing is known of writing.
            assert_eq!(two(number + 10), Err(()));
        }
    });
    assert_eq!(log, events("two", "gone"));
    let log = Log::of(|| (0..10).for_each(|number| assert_eq!(two::refresh(number), Ok(number))));
    assert_eq!(log, events("two::refresh", "gone"));
}
