//! Keys of parts: a hit makes none.

use ctu_core::{
    Cache, DebugCache, Error, LruCache, ManualClock, SpinCache, StatsCache, Text, TtlCache, cached,
    cached::OwnArg,
};
use ctu_std::{ConcurrentCache, DictCache, ShardedCache};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt::Debug,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    marker::PhantomData,
    rc::Rc,
    sync::{Arc, LazyLock},
    time::Duration,
};

thread_local! {
    /// How many parts were made on this thread.
    static MADE: Cell<u32> = const { Cell::new(0) };
}

/// An argument that counts conversions to a part of a key.
struct Name(&'static str);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Owned(String);

impl OwnArg<Owned> for Name {
    fn own(&self) -> Result<Owned, Error> {
        MADE.set(MADE.get() + 1);
        if self.0.len() > 8 {
            return Err(Error::KeyTooLong {
                len: self.0.len(),
                max: 8,
            });
        }
        Ok(Owned(self.0.into()))
    }
    fn hash_as<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
    fn is(&self, part: &Owned) -> bool {
        self.0 == part.0
    }
}

type Key = (Owned, u32);

/// How many keys a miss makes, and then a hit.
fn made<C: Cache<Key = Key, Value = usize>>(cache: C) -> (u32, u32) {
    #[cached(cache: C = cache, prefix = "")]
    fn length<C: Cache<Key = Key, Value = usize>>(cache: &C, name: Name, number: u32) -> usize {
        name.0.len() + number as usize
    }

    for (name, number) in [("one", 1), ("two", 1), ("one", 2)] {
        assert_eq!(length(&cache, Name(name), number), 3 + number as usize);
    }
    MADE.set(0);
    assert_eq!(length(&cache, Name("three"), 1), 6);
    let miss = MADE.replace(0);
    assert_eq!(length(&cache, Name("three"), 1), 6);
    assert_eq!(cache.get(&(Owned("three".into()), 1)).ok(), Some(Some(6)));
    (miss, MADE.replace(0))
}

#[test]
fn memory_cache_builds_a_key_only_on_a_miss() {
    type Small = LruCache<Key, usize, 8>;
    type Large = ctu_std::LruCache<Key, usize>;

    static CLOCK: ManualClock = ManualClock::new();
    let timed = TtlCache::<Key, usize, 8, _>::new(Duration::from_secs(9), &CLOCK);
    assert_eq!(made(SpinCache::new(Small::new())), (1, 0));
    assert_eq!(made(RefCell::new(Large::with_capacity(8))), (1, 0));
    assert_eq!(made(SpinCache::new(timed)), (1, 0));
    assert_eq!(made(SpinCache::new(DictCache::<Key, _>::new())), (1, 0));
    let sharded = ShardedCache::new(4, || Large::with_capacity(8));
    assert_eq!(made(sharded), (1, 0));
    assert_eq!(made(ConcurrentCache::<Key, _>::with_capacity(8)), (1, 0));
    let lazy: LazyLock<SpinCache<Small>> = LazyLock::new(|| SpinCache::new(Small::new()));
    assert_eq!(made(StatsCache::new(lazy)), (1, 0));
}

#[test]
fn other_caches_get_the_built_key() {
    type Small = SpinCache<LruCache<Key, usize, 8>>;

    assert_eq!(made(Arc::new(Small::new(LruCache::new()))), (2, 1));
    let boxed: Box<dyn Cache<Key = Key, Value = usize, Error = Error>> =
        Box::new(Small::new(LruCache::new()));
    assert_eq!(made(boxed), (2, 1));
    let logged = DebugCache::new(Small::new(LruCache::new()), "made", |_| ());
    assert_eq!(made(logged), (2, 1));
}

#[test]
fn lookup_by_parts_counts_and_expires_like_any_other() {
    static CLOCK: ManualClock = ManualClock::new();
    type Timed = TtlCache<(Text<8>, u32), u32, 2, &'static ManualClock>;

    #[cached(cache = cache)]
    fn sum(cache: &StatsCache<SpinCache<Timed>>, text: &str, number: u32) -> u32 {
        text.len() as u32 + number
    }

    let timed = Timed::new(Duration::from_secs(9), &CLOCK);
    let cache = StatsCache::new(SpinCache::new(timed));
    sum(&cache, "a", 1);
    sum(&cache, "b", 1);
    // The most recently used is "a", and so "b" has to leave.
    sum(&cache, "a", 1);
    sum(&cache, "c", 1);
    assert_eq!(cache.hit_rate(), 0.25);
    assert!(sum::cache_in(&cache, "a", 1).unwrap());
    assert!(!sum::cache_in(&cache, "b", 1).unwrap());
    CLOCK.advance(Duration::from_secs(9));
    sum(&cache, "a", 1);
    assert_eq!(cache.hit_rate(), 0.2);
}

#[test]
fn arguments_without_a_key_are_not_cached() {
    type Small = SpinCache<LruCache<Key, usize, 8>>;
    #[cached(cache = cache, on_error = return)]
    fn length(cache: &Small, name: Name, number: u32) -> Result<usize, Error> {
        panic!("{} {number}", name.0)
    }

    let cache = Small::new(LruCache::new());
    let too_long = Error::KeyTooLong { len: 9, max: 8 };
    assert_eq!(length(&cache, Name("123456789"), 1), Err(too_long));
}

/// A borrowed part hashes and compares like the owned part. Otherwise a lookup would miss.
#[test]
fn arguments_hash_and_compare_like_their_key() {
    fn stands<A: OwnArg<T> + ?Sized, T: Hash + Eq + Debug>(argument: &A, other: &A) {
        struct As<'a, A: ?Sized, T>(&'a A, PhantomData<T>);
        impl<A: OwnArg<T> + ?Sized, T: Hash> Hash for As<'_, A, T> {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash_as(state);
            }
        }
        let part = argument.own().unwrap();
        let hasher = RandomState::new();
        let hash = hasher.hash_one(As(argument, PhantomData::<T>));
        assert_eq!(hash, hasher.hash_one(&part));
        assert!(argument.is(&part) && !other.is(&part), "{part:?}");
    }
    stands::<str, Text<8>>("abc", "abd");
    stands::<str, String>("abc", "");
    stands::<str, Box<str>>("abc", "ab");
    stands::<str, Arc<str>>("abc", "ab");
    stands::<&str, String>(&"abc", &"ab");
    stands::<Option<&str>, Option<String>>(&Some("abc"), &None);
    stands::<Option<&str>, Option<Text<8>>>(&None, &Some(""));
    stands::<[u8], ctu_core::Bytes<4>>(b"abc", b"ab");
    stands::<[u8], Vec<u8>>(b"abc", b"ab");
    stands::<[u8], Box<[u8]>>(b"abc", b"ab");
    stands::<[u16], Vec<u16>>(&[1, 2], &[1]);
    stands::<[String], Arc<[String]>>(&["a".into()], &[]);
    stands::<str, Rc<str>>("abc", "ab");
    stands::<Cow<'_, str>, String>(&"abc".into(), &"ab".into());
    stands::<Cow<'_, str>, Text<8>>(&"abc".into(), &"ab".into());
    stands::<Cow<'_, [u16]>, Vec<u16>>(&Cow::Borrowed(&[1, 2]), &vec![2].into());
    stands::<u32, u32>(&1, &2);
    stands::<[u16; 2], [u16; 2]>(&[1, 2], &[1, 3]);
}
