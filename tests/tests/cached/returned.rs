//! The return types of functions, and the results that are cached.

use ctu_core::{Cache, CacheExt, LruCache, SpinCache, cached};
use std::sync::atomic::{AtomicU32, Ordering};

type Of<V> = SpinCache<LruCache<u32, V, 8>>;

/// A `Result` by another name.
type Fallible<T> = Result<T, String>;

/// Runs a function twice, and says how often it ran.
fn runs(counter: &AtomicU32, mut call: impl FnMut()) -> u32 {
    let before = counter.load(Ordering::Relaxed);
    call();
    call();
    counter.load(Ordering::Relaxed) - before
}

#[test]
fn only_ok_results_are_cached() {
    static CACHE: Of<u32> = SpinCache::new(LruCache::new());
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache: Of<u32> = CACHE)]
    fn even(number: u32) -> Fallible<u32> {
        RUNS.fetch_add(1, Ordering::Relaxed);
        if number.is_multiple_of(2) {
            Ok(number)
        } else {
            Err(format!("{number} is odd"))
        }
    }

    assert_eq!(runs(&RUNS, || assert_eq!(even(2), Ok(2))), 1);
    assert_eq!(
        runs(&RUNS, || assert_eq!(even(3), Err("3 is odd".into()))),
        2
    );
    assert_eq!(even::cache_in(3), Ok(false));
    // An error leaves the stored value unchanged.
    CACHE.insert(&3, 33u32).unwrap();
    assert_eq!(even::refresh(3), Err("3 is odd".into()));
    assert_eq!(even(3), Ok(33));
}

#[test]
fn option_caching_follows_the_value_type() {
    static SOME: Of<u32> = SpinCache::new(LruCache::new());
    static BOTH: Of<Option<u32>> = SpinCache::new(LruCache::new());
    static RUNS: AtomicU32 = AtomicU32::new(0);

    fn half(number: u32) -> Option<u32> {
        RUNS.fetch_add(1, Ordering::Relaxed);
        number.is_multiple_of(2).then_some(number / 2)
    }
    #[cached(cache = SOME)]
    fn some(number: u32) -> Option<u32> {
        half(number)
    }
    #[cached(cache = BOTH)]
    fn both(number: u32) -> Option<u32> {
        half(number)
    }
    #[cached(cache = BOTH, only_some)]
    fn switched(number: u32) -> Option<u32> {
        half(number)
    }

    assert_eq!(runs(&RUNS, || assert_eq!(some(4), Some(2))), 1);
    assert_eq!(runs(&RUNS, || assert_eq!(some(5), None)), 2);
    assert_eq!(runs(&RUNS, || assert_eq!(both(4), Some(2))), 1);
    assert_eq!(runs(&RUNS, || assert_eq!(both(5), None)), 1);
    assert_eq!(runs(&RUNS, || assert_eq!(switched(6), Some(3))), 1);
    assert_eq!(runs(&RUNS, || assert_eq!(switched(7), None)), 2);
    // A removed value is not returned.
    SOME.insert(&5, 1u32).unwrap();
    assert_eq!(some::refresh(5), None);
    assert_eq!(SOME.contains(&5), Ok(false));
}

#[test]
fn results_of_options_are_cached() {
    static SOME: Of<u32> = SpinCache::new(LruCache::new());
    static BOTH: Of<Option<u32>> = SpinCache::new(LruCache::new());

    #[cached(cache = SOME)]
    fn some(number: u32) -> Fallible<Option<u32>> {
        match number {
            0 => Err("zero".into()),
            1 => Ok(None),
            number => Ok(Some(number)),
        }
    }
    #[cached(cache = BOTH)]
    fn both(number: u32) -> Fallible<Option<u32>> {
        some::uncached(number)
    }
    #[cached(cache = BOTH, only_some, key = |number| number + 100)]
    fn switched(number: u32) -> Fallible<Option<u32>> {
        some::uncached(number)
    }

    for _ in 0..2 {
        for number in 0..3 {
            let expected = some::uncached(number);
            assert_eq!(some(number), expected);
            assert_eq!(both(number), expected);
            assert_eq!(switched(number), expected);
        }
    }
    assert_eq!(SOME.len(), Ok(1));
    assert_eq!([1, 2, 102].map(|key| BOTH.contains(&key)), [Ok(true); 3]);
    assert_eq!(BOTH.len(), Ok(3));
}

#[test]
fn cache_of_results_stores_errors() {
    static CACHE: Of<Fallible<u32>> = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE)]
    fn failing(_number: u32) -> Fallible<u32> {
        Err("always".into())
    }

    assert!(failing(1).is_err());
    assert_eq!(CACHE.len(), Ok(1));
}
