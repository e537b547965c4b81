//! Caches that fail: the function runs, or the error is returned, as the function says.

use ctu_core::{Cache, Error, InMemory, LruCache, ManualClock, SpinCache, TtlCache, cached};
use std::{
    cell::RefCell,
    sync::{LazyLock, Mutex},
    time::Duration,
};

/// A cache that fails the selected operations and records all of them.
#[derive(Default)]
struct Broken {
    asked: Mutex<Vec<&'static str>>,
    works: Mutex<Vec<&'static str>>,
    works_once: Mutex<Vec<&'static str>>,
}

impl Broken {
    fn asked(&self, what: &'static str) -> Result<(), Error> {
        self.asked.lock().unwrap().push(what);
        let once = self.works_once.lock().unwrap().pop();
        if once == Some(what) || self.works.lock().unwrap().contains(&what) {
            Ok(())
        } else {
            Err(Error::Busy)
        }
    }
}

impl InMemory for Broken {}

impl Cache for Broken {
    type Key = u32;
    type Value = u32;
    type Error = Error;

    fn get(&self, _: &u32) -> Result<Option<u32>, Error> {
        self.asked("get").map(|()| None)
    }
    fn insert_entry(&self, _: &u32, _: u32, _: Option<Duration>) -> Result<(), Error> {
        self.asked("put")
    }
    fn remove(&self, _: &u32) -> Result<bool, Error> {
        self.asked("remove").map(|()| true)
    }
    fn clear(&self) -> Result<(), Error> {
        self.asked("clear")
    }
    fn len(&self) -> Result<usize, Error> {
        self.asked("len").map(|()| 0)
    }
}

thread_local! {
    static REPORTED: RefCell<Vec<Error>> = const { RefCell::new(Vec::new()) };
}

fn report(error: &Error) {
    REPORTED.with_borrow_mut(|errors| errors.push(*error));
}

#[cached(cache = cache, on_error = report)]
fn double(cache: &Broken, number: u32) -> u32 {
    2 * number
}

#[derive(Debug, PartialEq)]
struct Failure(String);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

#[cached(cache = cache, on_error = return)]
fn triple(cache: &Broken, number: u32) -> Result<u32, Failure> {
    Ok(3 * number)
}

#[test]
fn cache_error_runs_the_function_and_is_reported_once() {
    let broken = Broken::default();
    assert_eq!(double(&broken, 4), 8);
    assert_eq!(REPORTED.take(), [Error::Busy]);
    // No write follows a failed read: it would wait for another deadline.
    assert_eq!(*broken.asked.lock().unwrap(), ["get"]);
    broken.works.lock().unwrap().push("get");
    assert_eq!(double(&broken, 4), 8);
    assert_eq!(REPORTED.take(), [Error::Busy]);
    assert_eq!(*broken.asked.lock().unwrap(), ["get", "get", "put"]);
}

#[test]
fn on_error_return_yields_the_error() {
    let broken = Broken::default();
    let busy = Failure("the cache is in use".into());
    assert_eq!(triple(&broken, 4).as_ref(), Err(&busy));
    broken.works.lock().unwrap().push("get");
    assert_eq!(triple(&broken, 4).as_ref(), Err(&busy));
    broken.works.lock().unwrap().push("put");
    assert_eq!(triple(&broken, 4), Ok(12));
    broken.works.lock().unwrap().clear();
    assert_eq!(triple::refresh(&broken, 4), Err(busy));
}

#[test]
fn companions_return_the_error() {
    let broken = Broken::default();
    let error = double::cache_in(&broken, 4).unwrap_err();
    assert_eq!(error.to_string(), "the cache is in use");
    let boxed: Box<dyn std::error::Error + Send + Sync> =
        double::cache_del(&broken, 4).unwrap_err().into();
    assert_eq!(boxed.to_string(), "the cache is in use");
}

#[test]
fn stale_entry_is_removed() {
    let broken = Broken::default();
    assert_eq!(double::refresh(&broken, 4), 8);
    assert_eq!(*broken.asked.lock().unwrap(), ["put", "remove"]);
    assert_eq!(REPORTED.take(), [Error::Busy]);
}

/// The flight looks again, and that may fail where the first look did not.
#[test]
fn single_flight_handles_errors_alike() {
    #[cached(cache = cache, single_flight, on_error = report)]
    fn four(cache: &Broken, number: u32) -> u32 {
        cache.asked.lock().unwrap().push("run");
        4 * number
    }
    #[cached(cache = cache, single_flight, on_error = return)]
    fn five(cache: &Broken, number: u32) -> Result<u32, Failure> {
        cache.asked.lock().unwrap().push("run");
        Ok(5 * number)
    }
    let asked = |broken: &Broken| std::mem::take(&mut *broken.asked.lock().unwrap());

    let broken = Broken::default();
    assert_eq!(four(&broken, 4), 16);
    assert_eq!(REPORTED.take(), [Error::Busy]);
    assert_eq!(asked(&broken), ["get", "run"]);
    broken.works.lock().unwrap().push("get");
    assert_eq!(four(&broken, 4), 16);
    assert_eq!(REPORTED.take(), [Error::Busy]);
    assert_eq!(asked(&broken), ["get", "get", "run", "put"]);
    broken.works_once.lock().unwrap().push("get");
    broken.works.lock().unwrap().clear();
    assert_eq!(four(&broken, 4), 16);
    assert_eq!(REPORTED.take(), [Error::Busy]);
    assert_eq!(asked(&broken), ["get", "get", "run"]);

    let busy = Failure("the cache is in use".into());
    broken.works_once.lock().unwrap().push("get");
    assert_eq!(five(&broken, 4).as_ref(), Err(&busy));
    assert_eq!(asked(&broken), ["get", "get"]);
    broken.works.lock().unwrap().push("get");
    assert_eq!(five(&broken, 4), Err(busy));
    assert_eq!(asked(&broken), ["get", "get", "run", "put"]);
}

#[test]
fn error_closure_receives_the_error() {
    static CACHE: SpinCache<LruCache<u32, u32, 4>> = SpinCache::new(LruCache::new());
    static HEARD: Mutex<String> = Mutex::new(String::new());

    #[cached(
        cache = CACHE,
        ttl = Duration::from_secs(1),
        on_error = |error| HEARD.lock().unwrap().push_str(&error.to_string())
    )]
    fn number(number: u32) -> u32 {
        number
    }

    assert_eq!(number(1), 1);
    assert_eq!(
        *HEARD.lock().unwrap(),
        "this cache keeps no time-to-live per entry"
    );
}

#[test]
fn ttl_is_passed_to_the_cache() {
    static CLOCK: ManualClock = ManualClock::new();
    type Timed = SpinCache<TtlCache<u64, u64, 8, &'static ManualClock>>;
    static CACHE: LazyLock<Timed> =
        LazyLock::new(|| SpinCache::new(TtlCache::new(Duration::from_secs(60), &CLOCK)));

    #[cached(cache = CACHE, ttl = Duration::from_secs(10))]
    fn short(number: u64) -> u64 {
        number
    }
    #[cached(cache = CACHE, ttl = (number > 200).then(|| Duration::from_secs(number)))]
    fn chosen(number: u64) -> u64 {
        number
    }

    // The time-to-live depends on the result.
    #[cached(cache = CACHE, ttl = |returned| Duration::from_secs(*returned))]
    fn report(number: u64) -> u64 {
        number / 10
    }
    #[cached(
        cache = CACHE,
        single_flight,
        ttl = |returned| returned.as_ref().map(|seconds| Duration::from_secs(*seconds)).ok()
    )]
    async fn reported_async(number: u64) -> Result<u64, Vec<u64>> {
        Ok(number / 10)
    }

    short(1);
    chosen(100);
    chosen(300);
    assert_eq!((report(50), report::refresh(900)), (5, 90));
    assert_eq!(crate::block_on(reported_async(51)), Ok(5));
    let there = || [1, 100, 300, 50, 51, 900].map(|key| CACHE.contains(&key).unwrap());
    CLOCK.advance(Duration::from_secs(11));
    assert_eq!(there(), [false, true, true, false, false, true]);
    CLOCK.advance(Duration::from_secs(50));
    assert_eq!(there(), [false, false, true, false, false, true]);
}
