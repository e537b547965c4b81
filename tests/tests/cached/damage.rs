//! Values in the cache that cannot be decoded: of an older schema, or another program's.

use crate::block_on;
use ctu_core::{
    Cache, CacheError as _, CacheExt, Error, LruCache, SpinCache, ToBytesCache, cached,
};
use std::cell::RefCell;

type Stored = SpinCache<LruCache<Vec<u8>, Vec<u8>, 8>>;
type Numbers = ToBytesCache<Stored, u32, u32>;

/// A cache with an undecodable value at 4.
fn damaged() -> Numbers {
    let stored = Stored::new(LruCache::new());
    stored.insert(b"4", b"{\"older\": 8}").unwrap();
    Numbers::new(stored)
}

const DAMAGE: Error = Error::Decode("JSON of the type asked for");

thread_local! {
    static REPORTED: RefCell<Vec<Error>> = const { RefCell::new(Vec::new()) };
    static RUNS: RefCell<u32> = const { RefCell::new(0) };
}

fn report(error: &Error) {
    REPORTED.with_borrow_mut(|errors| errors.push(*error));
}

fn run(number: u32) -> u32 {
    RUNS.with_borrow_mut(|runs| *runs += 1);
    2 * number
}

/// The first of two calls runs the function and tells why; the second is a hit.
fn corrupt_value_is_overwritten(call: impl Fn(&Numbers) -> u32) {
    let cache = damaged();
    assert_eq!(call(&cache), 8);
    assert_eq!((REPORTED.take(), RUNS.take()), (vec![DAMAGE], 1));
    assert_eq!(cache.get(&4), Ok(Some(8)));
    assert_eq!(call(&cache), 8);
    assert_eq!((REPORTED.take(), RUNS.take()), (vec![], 0));
}

#[test]
fn corrupt_value_is_reported_and_overwritten() {
    #[cached(cache = cache, on_error = report)]
    fn double(cache: &Numbers, number: u32) -> u32 {
        run(number)
    }
    corrupt_value_is_overwritten(|cache| double(cache, 4));
}

#[test]
fn async_function_overwrites_a_corrupt_value() {
    #[cached(cache = cache, blocking, on_error = report)]
    async fn double(cache: &Numbers, number: u32) -> u32 {
        std::future::ready(run(number)).await
    }
    #[cached(cache = cache, blocking, single_flight, on_error = report)]
    async fn one_at_a_time(cache: &Numbers, number: u32) -> u32 {
        std::future::ready(run(number)).await
    }
    corrupt_value_is_overwritten(|cache| block_on(double(cache, 4)));
    corrupt_value_is_overwritten(|cache| block_on(one_at_a_time(cache, 4)));
}

#[test]
fn single_flight_overwrites_a_corrupt_value() {
    #[cached(cache = cache, single_flight, on_error = report)]
    fn double(cache: &Numbers, number: u32) -> u32 {
        run(number)
    }
    // Its flights are the function's alone.
    #[cached(cache = cache, single_flight, ttl = None::<std::time::Duration>, on_error = report)]
    fn alone(cache: &Numbers, number: u32) -> u32 {
        run(number)
    }
    corrupt_value_is_overwritten(|cache| double(cache, 4));
    corrupt_value_is_overwritten(|cache| alone(cache, 4));
}

#[test]
fn on_error_return_yields_a_corrupt_value_until_refresh() {
    #[cached(cache = cache, on_error = return)]
    fn double(cache: &Numbers, number: u32) -> Result<u32, Error> {
        Ok(run(number))
    }
    let cache = damaged();
    assert_eq!(double(&cache, 4), Err(DAMAGE));
    assert_eq!(double::refresh(&cache, 4), Ok(8));
    assert_eq!(double(&cache, 4), Ok(8));
}

#[test]
fn only_values_replace_a_corrupt_entry() {
    #[cached(cache = cache, single_flight, on_error = report)]
    fn fails(cache: &Numbers, _number: u32) -> Result<u32, &'static str> {
        Err("fails")
    }
    let cache = damaged();
    assert_eq!(fails(&cache, 4), Err("fails"));
    assert_eq!(
        (cache.get(&4), REPORTED.take()),
        (Err(DAMAGE), vec![DAMAGE])
    );
}

/// `None` means that no value exists, so the corrupt one is removed.
#[test]
fn none_from_the_function_removes_a_corrupt_entry() {
    #[cached(cache = cache, on_error = report)]
    fn none(cache: &Numbers, _number: u32) -> Option<u32> {
        None
    }
    #[cached(cache = cache, single_flight, on_error = report)]
    fn flown(cache: &Numbers, _number: u32) -> Option<u32> {
        None
    }
    #[cached(cache = cache, blocking, on_error = report)]
    async fn awaited(cache: &Numbers, _number: u32) -> Result<Option<u32>, ()> {
        Ok(None)
    }
    #[cached(cache = cache, single_flight, on_error = |error| report(&error.as_core().unwrap()))]
    fn in_levels(cache: &Levels, _number: u32) -> Option<u32> {
        None
    }
    fn goes<C: Cache<Key = u32>>(cache: &C, call: impl Fn(&C) -> Option<u32>) {
        assert_eq!(call(cache), None);
        assert_eq!(REPORTED.take(), [DAMAGE]);
        assert_eq!(call(cache), None);
        assert_eq!(REPORTED.take(), []);
        assert!(!cache.contains(&4).unwrap());
    }

    type Levels = ctu_std::TwoLevelCache<SpinCache<LruCache<u32, u32, 8>>, Numbers>;

    goes(&damaged(), |cache| none(cache, 4));
    goes(&damaged(), |cache| flown(cache, 4));
    goes(&damaged(), |cache| block_on(awaited(cache, 4)).unwrap());
    let first = SpinCache::new(LruCache::new());
    goes(&Levels::builder(first, damaged()).build(), |cache| {
        in_levels(cache, 4)
    });
}
