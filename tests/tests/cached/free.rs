//! Free functions of every shape.

use ctu_core::{Cache, CacheExt, LruCache, SpinCache, Text, cached};
use std::{
    fmt::Display,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

type Numbers = SpinCache<LruCache<u64, u64, 64>>;

static NUMBERS: Numbers = SpinCache::new(LruCache::new());
static RUNS: AtomicU32 = AtomicU32::new(0);

/// Doubles.
#[cached(cache: Numbers = NUMBERS)]
#[must_use]
pub(crate) fn double(number: u64) -> u64 {
    RUNS.fetch_add(1, Ordering::Relaxed);
    2 * number
}

mod elsewhere {
    // One import brings the function and its companions.
    pub(super) use super::double;
}

#[test]
fn every_companion_function_works() {
    use elsewhere::double;

    assert_eq!(double(21), 42);
    assert_eq!(double(21), 42);
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    assert_eq!(double::cache_in(21), Ok(true));
    assert_eq!(NUMBERS.get(&double::cache_key(21).unwrap()), Ok(Some(42)));
    assert_eq!(double::uncached(21), 42);
    assert_eq!(RUNS.load(Ordering::Relaxed), 2);
    NUMBERS.insert(&21, 1u64).unwrap();
    assert_eq!(double(21), 1);
    assert_eq!(double::refresh(21), 42);
    assert_eq!(double(21), 42);
    assert_eq!(double::cache_del(21), Ok(true));
    assert_eq!(double::cache_del(21), Ok(false));
    assert_eq!(double::cache_in(21), Ok(false));
}

#[test]
fn text_is_its_own_key() {
    static CACHE: SpinCache<LruCache<Text<8>, usize, 8>> = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE, prefix = "")]
    fn lent(text: &str) -> usize {
        text.len()
    }
    #[cached(cache = CACHE, prefix = "o.")]
    fn given(text: String) -> usize {
        text.len() + 100
    }

    assert_eq!((lent("abc"), lent("abc")), (3, 3));
    assert_eq!(given("abc".into()), 103);
    assert_eq!(given("abc".into()), 103);
    assert_eq!(CACHE.get("abc"), Ok(Some(3)));
    assert_eq!(CACHE.get("o.abc"), Ok(Some(103)));
    let key = given::cache_key("abc".into()).unwrap();
    assert_eq!(format!("{key:?}"), "\"o.abc\"");
    // Too long a key: the function runs, and the cache is left alone.
    assert_eq!(lent("0123456789"), 10);
    assert_eq!(CACHE.len(), Ok(2));
}

#[test]
fn function_may_consume_its_key_arguments() {
    static CACHE: LazyLock<ctu_std::LockedCache<ctu_std::LruCache<String, Vec<u8>>>> =
        LazyLock::new(|| ctu_std::LockedCache::new(ctu_std::LruCache::with_capacity(8)));

    #[cached(cache = CACHE, prefix = "")]
    fn bytes(text: String) -> Vec<u8> {
        text.into_bytes()
    }

    assert_eq!(bytes("abc".into()), b"abc");
    assert_eq!(bytes("abc".into()), b"abc");
    assert_eq!(
        format!("{:?}", bytes::cache_key("abc".into()).unwrap()),
        "\"abc\""
    );
}

#[test]
fn function_without_arguments_is_cached() {
    static CACHE: SpinCache<LruCache<(), u32, 1>> = SpinCache::new(LruCache::new());
    static PREFIXED: SpinCache<LruCache<(&str,), u32, 1>> = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE)]
    fn answer() -> u32 {
        42
    }
    #[cached(cache = PREFIXED, prefix = "reply")]
    fn reply() -> u32 {
        43
    }

    assert_eq!((answer(), answer()), (42, 42));
    assert_eq!((reply(), reply()), (43, 43));
    assert_eq!(PREFIXED.get(&("reply",)), Ok(Some(43)));
}

#[test]
fn pattern_arguments_are_cached() {
    type Key = ((u32, u32), [u8; 2], u32);
    static CACHE: SpinCache<LruCache<Key, u32, 8>> = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE)]
    fn sum((a, mut b): (u32, u32), [c, _]: [u8; 2], mut d: u32) -> u32 {
        b += 1;
        d += 1;
        a + b + u32::from(c) + d
    }

    assert_eq!(sum((1, 2), [3, 4], 5), 13);
    assert_eq!(sum((1, 2), [3, 4], 5), 13);
    assert!(sum::cache_in((1, 2), [3, 4], 5).unwrap());
    assert!(!sum::cache_in((1, 2), [3, 5], 5).unwrap());
}

#[test]
fn generic_functions_are_cached() {
    static CACHE: SpinCache<LruCache<String, String, 8>> = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE, key = |value, _| format!("{value}/{N}"))]
    fn shown<T, const N: usize>(value: T, of: impl Into<String>) -> String
    where
        T: Display + Clone,
    {
        format!("{value}{}", of.into().repeat(N))
    }

    assert_eq!(shown::<_, 2>(1, "x"), "1xx");
    assert_eq!(shown::<_, 2>("1", "not looked at"), "1xx");
    assert_eq!(shown::<_, 3>(1.5, String::from("y")), "1.5yyy");
    assert!(shown::cache_in::<_, 3>(1.5, "").unwrap());
    assert!(!shown::cache_in::<_, 4>(1.5, "").unwrap());
}

#[test]
fn generic_functions_take_typed_keys() {
    #[cached(cache: C = cache, prefix = "")]
    fn largest<'a, C, T>(cache: &C, items: &'a [T]) -> Option<T>
    where
        'a: 'a,
        C: Cache<Key = [T], Value = T>,
        T: Ord + Copy,
    {
        items.iter().copied().max()
    }

    let cache = SpinCache::new(LruCache::<Vec<u8>, u8, 4>::new());
    assert_eq!(largest(&cache, &[1, 3, 2]), Some(3));
    assert_eq!(largest(&cache, &[]), None);
    assert_eq!(largest::cache_in(&cache, &[1, 3, 2]), Ok(true));
    assert_eq!(largest::cache_in(&cache, &[]), Ok(false));
}

/// The types of the arguments and their bounds determine these parameters, so the key contains
/// them.
#[test]
fn generic_arguments_distinguish_entries() {
    static LENGTHS: SpinCache<LruCache<[u8; 2], usize, 8>> = SpinCache::new(LruCache::new());
    static LIMITS: [Numbers; 2] = [const { SpinCache::new(LruCache::new()) }; 2];
    static BY_PREFIX: SpinCache<LruCache<Text<8>, usize, 8>> = SpinCache::new(LruCache::new());

    #[cached(cache = LENGTHS)]
    fn length<const N: usize>(items: [u8; N]) -> usize
    where
        [u8; N]: std::borrow::Borrow<[u8; 2]>,
    {
        items.len()
    }
    #[cached(cache = cache, prefix = "")]
    fn made<C, V: From<u64>>(cache: &C, number: u64) -> V
    where
        C: Cache<Key = u64, Value = V>,
    {
        V::from(number + 1)
    }
    #[cached(cache = LIMITS[AT])]
    fn limited<const AT: usize>(number: u64) -> u64 {
        number % (AT as u64 + 2)
    }
    #[cached(cache = BY_PREFIX, prefix = T::NAME)]
    fn named<T: Named>(text: &str) -> usize {
        T::NAME.len() + text.len()
    }
    // The option `skip` excludes it from the key.
    #[cached(cache = NUMBERS, skip(make))]
    fn left_out<F: Fn() -> T, T: Into<u64>>(number: u64, make: F) -> u64 {
        number + make().into()
    }

    assert_eq!((length([1, 2]), length([1, 2])), (2, 2));
    let cache = SpinCache::new(LruCache::<u64, u128, 4>::new());
    assert_eq!((made(&cache, 1), made(&cache, 1)), (2, 2));
    assert_eq!((limited::<0>(5), limited::<1>(5)), (1, 2));
    assert_eq!((limited::<0>(5), limited::<1>(5)), (1, 2));
    assert_eq!((named::<u8>("ab"), named::<u16>("ab")), (4, 5));
    assert_eq!((named::<u8>("ab"), named::<u16>("ab")), (4, 5));
    assert_eq!(
        (left_out(1000, || 1u8), left_out(1000, || 2u8)),
        (1001, 1001)
    );
}

trait Named {
    const NAME: &'static str;
}

impl Named for u8 {
    const NAME: &'static str = "u8";
}

impl Named for u16 {
    const NAME: &'static str = "u16";
}

#[test]
fn key_distinguishes_hidden_generic_parameters() {
    use std::any::TypeId;

    static SCALED: SpinCache<LruCache<(u32, u32), u32, 8>> = SpinCache::new(LruCache::new());
    static BYTES: SpinCache<LruCache<(TypeId, usize), usize, 8>> = SpinCache::new(LruCache::new());

    #[cached(cache = SCALED, key = |number| (N, *number))]
    fn scaled<const N: u32>(number: u32) -> u32 {
        N * number
    }
    #[cached(cache = BYTES, key = |count| (TypeId::of::<T>(), *count))]
    fn bytes<T: 'static>(count: usize) -> usize {
        size_of::<T>() * count
    }

    for _ in 0..2 {
        assert_eq!((scaled::<2>(10), scaled::<3>(10)), (20, 30));
        assert_eq!((bytes::<u8>(10), bytes::<u64>(10)), (10, 80));
    }
}

#[test]
fn cache_may_be_an_argument() {
    use std::sync::Arc;

    struct Context {
        cache: Numbers,
        factor: u64,
    }

    #[cached(cache = context.cache)]
    fn by_field(context: &Context, number: u64) -> u64 {
        context.factor * number
    }
    #[cached(cache = cache)]
    fn by_value(cache: Arc<Numbers>, number: u64) -> u64 {
        cache.len().map_or(0, |len| len as u64) + number
    }
    #[cached(cache = context.cache, skip(context), key = |number| *number)]
    fn by_unique(context: &mut Context, number: u64) -> u64 {
        context.factor += 1;
        number
    }

    let mut context = Context {
        cache: SpinCache::new(LruCache::new()),
        factor: 3,
    };
    assert_eq!(by_field(&context, 2), 6);
    assert_eq!(context.cache.get(&2), Ok(Some(6)));
    assert_eq!(by_unique(&mut context, 5), 5);
    assert_eq!(by_unique(&mut context, 5), 5);
    assert_eq!(context.factor, 4);
    let cache = Arc::new(context.cache);
    assert_eq!(by_value(cache.clone(), 7), 9);
    assert_eq!(by_value(cache.clone(), 7), 9);
}

#[test]
fn early_return_and_question_mark_stay_in_the_function() {
    static CACHE: SpinCache<LruCache<Text<8>, i32, 8>> = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE, prefix = "")]
    fn parsed(text: &str) -> Result<i32, std::num::ParseIntError> {
        if text == "zero" {
            return Ok(0);
        }
        let number: i32 = text.parse()?;
        Ok(number)
    }

    assert_eq!(parsed("zero"), Ok(0));
    assert_eq!(parsed("12"), Ok(12));
    assert!(parsed("x").is_err());
    assert_eq!(CACHE.len(), Ok(2));
}
