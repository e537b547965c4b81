//! One cache for several functions.

use ctu_core::{Cache, LruCache, SpinCache, Text, cache_functions, cache_methods};

type Shared = SpinCache<LruCache<(Text<8>, u32), u32, 32>>;

struct Item<C> {
    cache: C,
    runs: u32,
}

#[cache_methods(cache: C = self.cache, get_data = "1.", get_some = "2.", open = "3.")]
impl<C: Cache<Key = (Text<8>, u32), Value = u32>> Item<C> {
    const STEP: u32 = 10;

    fn get_data(&self, id: u32) -> u32 {
        id + Self::STEP
    }

    fn get_some(&mut self, id: u32) -> u32 {
        self.runs += 1;
        id * 2
    }

    pub(crate) fn open(&self, id: u32) -> Result<u32, String> {
        id.checked_sub(1).ok_or_else(|| "none".into())
    }

    /// Not in the group.
    fn other(&self) -> u32 {
        7
    }
}

#[test]
fn methods() {
    let cache: Shared = SpinCache::new(LruCache::new());
    let mut item = Item {
        cache: &cache,
        runs: 0,
    };
    assert_eq!(
        (item.get_data(1), item.get_some(1), item.get_some(1)),
        (11, 2, 2)
    );
    assert_eq!((item.runs, item.other()), (1, 7));
    assert_eq!((item.open(0), item.open(5)), (Err("none".into()), Ok(4)));
    let key = |prefix: &str, id| (Text::try_from(prefix).unwrap(), id);
    assert_eq!(cache.get(&key("1.", 1)), Ok(Some(11)));
    assert_eq!(cache.get(&key("2.", 1)), Ok(Some(2)));
    assert_eq!(cache.len(), Ok(3));
    assert_eq!(item.get_data_cache_del(1), Ok(true));
    assert_eq!(item.get_some_cache_in(1), Ok(true));
}

trait Lookup {
    type Found;
    fn lookup(&self, id: u32) -> Self::Found;
}

#[cache_methods(cache = self.cache, lookup = "l.")]
impl Lookup for Item<Shared> {
    type Found = u32;
    fn lookup(&self, id: u32) -> Self::Found {
        id + 100
    }
}

#[test]
fn methods_of_a_trait() {
    let item = Item {
        cache: Shared::new(LruCache::new()),
        runs: 0,
    };
    assert_eq!((item.lookup(1), item.lookup(1)), (101, 101));
    assert_eq!(item.cache.len(), Ok(1));
}

#[cache_functions(
    cache: SpinCache<LruCache<String, u32, 16>> = CACHE,
    opts(key = ctu_core::json_key),
    some_func = "f.",
    other_func = PREFIX,
)]
mod functions {
    use ctu_core::{LruCache, SpinCache};

    const PREFIX: &str = "other.";

    pub(super) static CACHE: SpinCache<LruCache<String, u32, 16>> = SpinCache::new(LruCache::new());

    pub(super) fn some_func(a: u32) -> u32 {
        a + 1
    }

    pub(super) fn other_func(a: &[u32]) -> u32 {
        a.iter().copied().map(some_func).sum()
    }

    pub(super) fn third(a: u32) -> u32 {
        a
    }
}

#[test]
fn functions_of_a_module() {
    use functions::{other_func, some_func};

    assert_eq!(functions::third(1), 1);
    assert_eq!(other_func(&[1, 2]), 5);
    assert_eq!(functions::CACHE.len(), Ok(3));
    assert_eq!(functions::CACHE.get("other.[[1,2]]"), Ok(Some(5)));
    assert_eq!(some_func::cache_in(2), Ok(true));
    assert_eq!(some_func::cache_del(2), Ok(true));
    assert_eq!(functions::CACHE.get("f.[2]"), Ok(None));
}
