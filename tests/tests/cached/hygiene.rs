//! Names, lints, attributes and crates that an expansion must leave alone.
#![deny(warnings, clippy::all)]

use ctu_core::{Cache as _, LruCache, SpinCache};

type Numbers = SpinCache<LruCache<u64, u64, 8>>;

/// Everything that an expansion names is named in full.
mod shadowed {
    #![allow(dead_code, non_camel_case_types)]

    use super::{LruCache, Numbers, SpinCache};

    pub(super) struct Option;
    pub(super) struct Result;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) trait Into {}
    pub(super) trait Clone {}
    mod core {}
    mod std {}
    mod cached {}

    static CACHE: Numbers = SpinCache::new(LruCache::new());
    static FLIGHTS: Numbers = SpinCache::new(LruCache::new());

    #[ctu_core::cached(cache = CACHE, key = |cache, key, looked, missed, returned, ttl, error, _flight| {
        cache + key + looked + missed + returned + ttl + error + _flight
    }, ttl = ::core::option::Option::None::<::core::time::Duration>)]
    #[allow(clippy::too_many_arguments, reason = "names of ours")]
    pub(super) fn sum(
        cache: u64,
        key: u64,
        looked: u64,
        missed: u64,
        returned: u64,
        ttl: u64,
        error: u64,
        _flight: u64,
    ) -> u64 {
        let argument_1 = cache + key + looked + missed;
        argument_1 + returned + ttl + error + _flight
    }

    #[ctu_core::cached(cache = FLIGHTS, single_flight)]
    pub(super) fn flown(mut argument_1: u64) -> u64 {
        argument_1 += 1;
        argument_1
    }
}

#[test]
fn generated_names_do_not_collide() {
    assert_eq!(shadowed::sum(1, 2, 3, 4, 5, 6, 7, 8), 36);
    assert!(shadowed::sum::cache_in(1, 2, 3, 4, 5, 6, 7, 8).unwrap());
    assert_eq!((shadowed::flown(3), shadowed::flown(3)), (4, 4));
}

/// A crate that is known by another name.
mod renamed {
    use ctu_core as small;

    static CACHE: super::Numbers = small::SpinCache::new(small::LruCache::new());

    #[small::cached(cache = CACHE, crate = small)]
    pub(super) fn double(number: u64) -> u64 {
        2 * number
    }

    #[small::cache_functions(cache = TEXTS, crate = super::small, triple = PREFIX, opts(key = |n| format!("{n}")))]
    pub(super) mod inner {
        use ctu_core::{LruCache, SpinCache};

        pub(super) const PREFIX: &str = "3.";

        static TEXTS: SpinCache<LruCache<String, u64, 8>> = SpinCache::new(LruCache::new());

        pub(in super::super) fn triple(number: u64) -> u64 {
            3 * number
        }
    }
}

#[test]
fn renamed_crate_works() {
    assert_eq!((renamed::double(2), renamed::double(2)), (4, 4));
    assert_eq!(
        (renamed::inner::triple(2), renamed::inner::triple(2)),
        (6, 6)
    );
}

type Prefixed = SpinCache<LruCache<(&'static str, u64), u64, 8>>;

static CACHE: Numbers = SpinCache::new(LruCache::new());
static PREFIXED: Prefixed = SpinCache::new(LruCache::new());

mod attributes {
    /// Has docs of its own.
    #[ctu_core::cached(cache = super::CACHE)]
    #[inline(never)]
    #[track_caller]
    #[expect(clippy::needless_return, reason = "kept")]
    pub(super) fn line(#[allow(unused_variables)] number: u64) -> u64 {
        return u64::from(std::panic::Location::caller().line());
    }

    #[ctu_core::cached(cache = self::super::CACHE)]
    #[deprecated = "for a test"]
    pub(super) fn r#old(number: u64) -> u64 {
        number
    }
}

/// In a group, where the compiler has not looked at the conditions yet.
#[ctu_core::cache_functions(cache = super::PREFIXED, kept = "k.", left_out = "l.")]
mod conditions {
    /// A function with attributes that only functions may have.
    #[cfg(test)]
    #[cfg_attr(
        test,
        inline(never),
        must_use,
        doc(hidden),
        allow(clippy::needless_return)
    )]
    #[cfg_attr(not(test), no_such_attribute)]
    pub(super) fn kept(number: u64) -> u64 {
        return number + 3;
    }

    #[cfg(not(test))]
    pub(super) fn left_out(number: DoesNotExist) -> u64 {
        number
    }
}

struct Source(Prefixed);

trait Numbered {
    fn number(&self, number: u64) -> u64;
}

// The attribute is for an impl of a trait, as `#[async_trait]` is: nothing but that has it.
#[ctu_core::cache_methods(cache = self.0, number = "n.")]
#[diagnostic::do_not_recommend]
impl Numbered for Source {
    fn number(&self, number: u64) -> u64 {
        number
    }
}

#[test]
fn attributes_of_the_function_are_kept() {
    let here = u64::from(line!()) + 1;
    assert_eq!(attributes::line(1000), here);
    assert_eq!(attributes::line(1000), here);
    assert_eq!(attributes::line::uncached(1000), here + 2);
    assert_eq!(attributes::line::refresh(1000), here + 3);
    #[expect(deprecated)]
    let old = attributes::old(7);
    assert_eq!(old, 7);
    assert!(attributes::old::cache_in(7).unwrap());

    assert_eq!((conditions::kept(20), conditions::kept(20)), (23, 23));
    let source = Source(SpinCache::new(LruCache::new()));
    assert_eq!((source.number(1), source.number(1)), (1, 1));
    assert!(source.number_cache_in(1).unwrap());
}

#[test]
fn raw_identifiers_work() {
    struct Words(Numbers);
    impl Words {
        #[ctu_core::cached(cache = self.0)]
        fn r#match(&self, r#in: u64) -> u64 {
            r#in
        }
    }
    let words = Words(SpinCache::new(LruCache::new()));
    assert_eq!(words.r#match(1), 1);
    assert!(words.match_cache_in(1).unwrap());
    assert_eq!(words.0.len(), Ok(1));
}

#[test]
fn attribute_works_inside_macro_rules() {
    macro_rules! cached_fn {
        ($name:ident, $cache:expr, $ty:ty, $prefix:literal, |$arg:ident| $body:expr) => {
            #[ctu_core::cached(cache = $cache, key = |$arg| ctu_core::json_key(&($prefix, $arg)))]
            fn $name($arg: $ty) -> u64 {
                $body
            }
        };
    }
    static TEXTS: SpinCache<LruCache<String, u64, 8>> = SpinCache::new(LruCache::new());
    cached_fn!(len, TEXTS, &str, "len.", |text| text.len() as u64);
    assert_eq!((len("abc"), len("abc")), (3, 3));
    assert!(len::cache_in("abc").unwrap());
}
