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
fn methods_of_a_trait_are_cached() {
    let item = Item {
        cache: Shared::new(LruCache::new()),
        runs: 0,
    };
    assert_eq!((item.lookup(1), item.lookup(1)), (101, 101));
    assert_eq!(item.cache.len(), Ok(1));
    assert!(item.lookup_cache_in(1).unwrap());
    assert_eq!(
        (item.lookup_uncached(1), item.lookup_refresh(2)),
        (101, 102)
    );
    assert!(item.lookup_cache_del(2).unwrap());
    assert!(!item.lookup_cache_in(2).unwrap());
}

mod far {
    /// A trait that is not in scope where it is implemented, with all that an impl may have to say.
    pub(super) trait Stored<'a, T> {
        type Found;
        const FACTOR: u32;
        fn stored(&mut self, of: &'a T, id: u32) -> Result<(Self::Found, u32), Vec<Self::Found>>;
        fn made(id: u32) -> Option<Self::Found>;
        fn plain(&self) -> u32;
    }
}

struct Wrapper<T, C> {
    of: T,
    cache: C,
}

static MADE: SpinCache<LruCache<(&str, u32), u32, 8>> = SpinCache::new(LruCache::new());

#[cache_methods(cache: C = self.cache, stored = "s.", opts(skip(of)))]
impl<'a, T: Clone, C> far::Stored<'a, T> for Wrapper<T, C>
where
    C: Cache<Key = (&'static str, u32), Value = (T, u32)>,
{
    type Found = T;
    const FACTOR: u32 = 10;

    #[inline]
    fn stored(&mut self, of: &'a T, id: u32) -> Result<(Self::Found, u32), Vec<Self::Found>> {
        self.of = of.clone();
        let found: Self::Found = of.clone();
        let all: Vec<Self::Found> = vec![found.clone()];
        match id.checked_mul(<Self as far::Stored<'a, T>>::FACTOR) {
            Some(id) => Ok((found, id)),
            None => Err(all),
        }
    }

    fn made(_: u32) -> Option<Self::Found> {
        None
    }

    fn plain(&self) -> u32 {
        7
    }
}

/// Of a type that is not ours, nothing can stand beside.
#[cache_methods(cache = MADE, opts(in_trait), made = "m.")]
impl far::Stored<'_, ()> for Vec<u32> {
    type Found = u32;
    const FACTOR: u32 = 0;

    fn stored(&mut self, _: &(), _: u32) -> Result<(u32, u32), Vec<u32>> {
        Err(self.clone())
    }

    fn made(id: u32) -> Option<Self::Found> {
        id.checked_sub(1)
    }

    fn plain(&self) -> u32 {
        0
    }
}

#[test]
fn methods_of_a_trait_with_every_item_are_cached() {
    use far::Stored;

    type Cached = SpinCache<LruCache<(&'static str, u32), (char, u32), 4>>;
    let mut wrapper = Wrapper {
        of: 'a',
        cache: Cached::new(LruCache::new()),
    };
    assert_eq!(wrapper.stored(&'b', 2), Ok(('b', 20)));
    assert_eq!(wrapper.stored(&'c', 2), Ok(('b', 20)));
    assert_eq!(wrapper.stored(&'d', u32::MAX), Err(vec!['d']));
    assert_eq!((wrapper.of, wrapper.plain()), ('d', 7));
    assert_eq!(wrapper.stored_cache_in(&'e', 2), Ok(true));
    assert_eq!(wrapper.stored_refresh(&'e', 2), Ok(('e', 20)));
    assert_eq!(wrapper.stored_uncached(&'f', 3), Ok(('f', 30)));
    assert_eq!(wrapper.stored_cache_del(&'g', 2), Ok(true));
    assert_eq!(Wrapper::<char, Cached>::made(1), None);

    assert_eq!((Vec::made(3), Vec::made(3)), (Some(2), Some(2)));
    assert_eq!(MADE.get(&("m.", 3)), Ok(Some(2)));
    let mut none = Vec::new();
    assert_eq!((none.stored(&(), 1), none.plain()), (Err(vec![]), 0));
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
fn functions_of_a_module_are_cached() {
    use functions::{other_func, some_func};

    assert_eq!(functions::third(1), 1);
    assert_eq!(other_func(&[1, 2]), 5);
    assert_eq!(functions::CACHE.len(), Ok(3));
    assert_eq!(functions::CACHE.get("other.[[1,2]]"), Ok(Some(5)));
    assert_eq!(some_func::cache_in(2), Ok(true));
    assert_eq!(some_func::cache_del(2), Ok(true));
    assert_eq!(functions::CACHE.get("f.[2]"), Ok(None));
}
