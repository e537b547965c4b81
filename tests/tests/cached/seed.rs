//! The examples of the decorator in the documentation and the tests of Python's CacheToolsUtils.

use ctu_std::{
    Cache, LockedCache, LruCache, StatsCache, ToBytesCache, cache_functions, cache_methods, cached,
    heap::DictCache,
};
use std::sync::LazyLock;

type Dict<K, V> = StatsCache<LockedCache<DictCache<K, V>>>;

fn dict<K: ctu_std::StoredKey, V: Clone>() -> Dict<K, V> {
    StatsCache::new(LockedCache::new(DictCache::new()))
}

/// "Decorator cached" of the reference.
#[test]
fn reference_acme() -> Result<(), ctu_std::Error> {
    static CACHE: LazyLock<Dict<(String, u32), String>> = LazyLock::new(dict);

    #[cached(cache: Dict<(String, u32), String> = CACHE)]
    fn acme(what: &str, count: u32) -> String {
        what.repeat(count as usize)
    }

    assert_eq!(acme("hello", 3), "hellohellohello");
    assert!(acme::cache_in("hello", 3)?);
    assert_eq!(acme("hello", 3), "hellohellohello");
    acme::cache_del("hello", 3)?;
    assert!(!acme::cache_in("hello", 3)?);
    Ok(())
}

/// `test_cached`.
#[test]
fn cache_in_and_cache_del_work() {
    static CACHE: LazyLock<Dict<(String, usize), Option<char>>> = LazyLock::new(dict);

    #[cached(cache = CACHE)]
    fn at(s: &str, i: usize) -> Option<char> {
        s.chars().nth(i)
    }

    assert!(!at::cache_in("hello", 4).unwrap());
    assert_eq!(at("hello", 4), Some('o'));
    at("hello", 4);
    assert!(at::cache_in("hello", 4).unwrap());
    assert_eq!(CACHE.hit_rate(), 0.5);
    assert!(at::cache_del("hello", 4).unwrap());
    assert!(!at::cache_in("hello", 4).unwrap());
    assert!(!at::cache_del("hello", 4).unwrap());
}

/// The example of the README: three functions in one cache of bytes, told apart by prefixes.
#[test]
fn readme_repeat_banged_question() {
    type Bytes = Dict<Vec<u8>, Vec<u8>>;
    static BYTES: LazyLock<Bytes> = LazyLock::new(dict);
    static CACHE: LazyLock<ToBytesCache<&'static Bytes, str, String>> =
        LazyLock::new(|| ToBytesCache::new(&*BYTES));

    #[cached(cache = CACHE, prefix = "repeat.", key = ctu_std::json_key)]
    fn repeat(s: &str, n: usize) -> String {
        s.repeat(n)
    }

    #[cached(cache = CACHE, prefix = "banged.", key = ctu_std::json_key)]
    fn banged(s: &str, n: usize) -> String {
        repeat(s, n) + "!"
    }

    #[cached(cache = CACHE, prefix = "question.", key = ctu_std::json_key)]
    fn question(s: &str, n: usize) -> String {
        repeat(s, n) + "?"
    }

    assert_eq!(banged("aa", 3), "aaaaaa!");
    assert_eq!(BYTES.len(), Ok(2));
    assert_eq!(question("aa", 3), "aaaaaa?");
    assert_eq!(BYTES.len(), Ok(3));
    assert_eq!(repeat("aa", 3), "aaaaaa");
    assert_eq!(banged("aa", 3), "aaaaaa!");
    assert_eq!(BYTES.len(), Ok(3));
    assert!(BYTES.hit_rate() > 0.0);
    assert_eq!(
        CACHE.get(r#"banged.["aa",3]"#),
        Ok(Some("aaaaaa!".to_owned()))
    );
}

struct Stuff {
    cache: Dict<String, u64>,
}

#[cache_methods(cache = self.cache, opts(key = ctu_std::json_key), sum_n1 = "1.", sum_n2 = "2.")]
impl Stuff {
    fn sum_n2(&self, n: i64) -> u64 {
        if n < 1 {
            0
        } else {
            (n * n) as u64 + self.sum_n2(n - 1)
        }
    }

    fn sum_n1(&self, n: i64) -> u64 {
        if n < 0 {
            0
        } else {
            n as u64 + self.sum_n1(n - 1)
        }
    }
}

/// `test_methods`: the same entries, and the same rate of hits.
#[test]
fn methods_sum_of_squares_to_128() {
    let stuff = Stuff { cache: dict() };
    assert_eq!(stuff.sum_n2(128), 128 * 129 * 257 / 6);
    assert_eq!(stuff.sum_n1(128), 128 * 129 / 2);
    for i in 1..128 {
        stuff.sum_n2(i);
        stuff.sum_n1(i);
        stuff.sum_n2(i);
        stuff.sum_n1(i);
    }
    assert_eq!(stuff.cache.len(), Ok(259));
    // Python counts as many: 259 misses, and 4 hits in each of the 127 rounds.
    let (hits, reads) = (4.0 * 127.0, 259.0 + 4.0 * 127.0);
    assert_eq!(stuff.cache.hit_rate(), hits / reads);
    assert_eq!(stuff.cache.get("2.[2]"), Ok(Some(5)));
    assert!(stuff.sum_n1_cache_in(128).unwrap());
    assert!(!stuff.sum_n1_cache_in(129).unwrap());
}

#[cache_functions(cache = CACHE, sum_n2 = "2.")]
mod sums {
    use super::*;

    type Lru = LruCache<(&'static str, u64), u64>;

    pub(super) static CACHE: LazyLock<StatsCache<LockedCache<Lru>>> =
        LazyLock::new(|| StatsCache::new(LockedCache::new(LruCache::with_capacity(1024))));

    pub(super) fn sum_n2(n: u64) -> u64 {
        if n >= 1 { n * n + sum_n2(n - 1) } else { 0 }
    }
}

/// `test_functions`.
#[test]
fn functions_sum_of_squares_to_128() {
    sums::sum_n2(128);
    for i in 1..128 {
        assert_eq!(
            sums::sum_n2(i) + sums::sum_n2(i) + sums::sum_n2(i),
            i * (i + 1) * (2 * i + 1) / 2
        );
    }
    assert_eq!(sums::CACHE.len(), Ok(129));
    // Python counts as many: 129 misses, and 3 hits in each of the 127 rounds.
    let (hits, reads) = (3.0 * 127.0, 129.0 + 3.0 * 127.0);
    assert_eq!(sums::CACHE.hit_rate(), hits / reads);
    assert_eq!(sums::CACHE.get(&("2.", 2)), Ok(Some(5)));
}

/// `run_cached` of the seed's tests: fifty entries by `json_key`, looked up ten times each.
#[test]
fn keys_of_many_types_work() {
    static CACHE: LazyLock<Dict<String, i64>> = LazyLock::new(dict);

    #[cached(cache = CACHE, prefix = "f.")]
    fn fun(i: i64, s: Option<&str>, b: bool) -> i64 {
        i + s.map_or(-20, |s| 10 * s.len() as i64) + if b { 100 } else { 0 }
    }

    let mut sum = 0;
    for _ in 0..10 {
        for i in 0..5 {
            for s in [Some("a"), Some("bb"), Some("ccc"), Some(""), None] {
                for b in [false, true] {
                    sum += fun(i, s, b);
                }
            }
        }
    }
    assert_eq!(sum, 30_000);
    assert_eq!(CACHE.len(), Ok(50));
    assert_eq!(CACHE.get(r#"f.[3,"bb",true]"#), Ok(Some(123)));
    assert_eq!(CACHE.get(r#"f.[4,null,true]"#), Ok(Some(84)));
    assert_eq!(CACHE.get(r#"f.[0,"a",false]"#), Ok(Some(10)));
}
