//! One mapping works on any cache, blocking or async.

use crate::support::{Count, block_on};
use core::cell::RefCell;
use ctu_core::{Cache, CacheExt, Error, LruCache, Mapped, Mapping, Ready, SpinCache};

/// A user's mapping: tenths of degrees in two bytes, sensors by number. It counts its calls.
#[derive(Default)]
struct Tenths {
    keys: Count,
    values: Count,
}

impl Mapping<u8, i16> for &Tenths {
    type Key = str;
    type Value = f32;
    type At = u8;

    fn at(&self, key: &str) -> Result<u8, Error> {
        self.keys.one();
        key.parse().map_err(|_| Error::Encode("sensor's number"))
    }

    fn encode(&self, _: &u8, value: f32) -> Result<i16, Error> {
        self.values.one();
        let tenths = value * 10.0;
        if !(-10_000.0..=10_000.0).contains(&tenths) {
            return Err(Error::Encode("degrees out of range"));
        }
        Ok(tenths as i16)
    }

    fn decode(&self, _: &u8, value: i16) -> Result<Option<f32>, Error> {
        self.values.one();
        // Not an output of `encode`: corrupt, so a miss.
        Ok((-10_000..=10_000).contains(&value).then(|| f32::from(value) / 10.0))
    }
}

type Base = SpinCache<LruCache<u8, i16, 4>>;

pub(crate) fn user_mapping_converts_keys_and_values() {
    let tenths = Tenths::default();
    let base = Base::new(LruCache::new());
    let cache = Mapped::with_mapping(&base, &tenths);
    assert_eq!(cache.insert("7", 21.5), Ok(()));
    assert_eq!(base.get(&7), Ok(Some(215)));
    assert_eq!(cache.get("7"), Ok(Some(21.5)));
    assert_eq!((cache.contains("7"), cache.contains("8")), (Ok(true), Ok(false)));
    assert_eq!(cache.get_or_insert_with("8", || -4.0f32), Ok(-4.0));
    assert_eq!((cache.pop("8"), cache.remove("7")), (Ok(Some(-4.0)), Ok(true)));
    assert_eq!(base.len(), Ok(0));
}

pub(crate) fn each_operation_maps_its_key_once() {
    let tenths = Tenths::default();
    let cache = Mapped::with_mapping(Base::new(LruCache::new()), &tenths);
    let asked = |operation: &str, values: usize| {
        assert_eq!(tenths.keys.take(), 1, "{operation} maps its key once");
        assert_eq!(tenths.values.take(), values, "{operation} maps its value");
    };
    assert_eq!(cache.insert("1", 1.0), Ok(()));
    asked("insert", 1);
    assert_eq!(cache.get("1"), Ok(Some(1.0)));
    asked("get", 1);
    assert_eq!(cache.get("2"), Ok(None));
    asked("get of nothing", 0);
    assert_eq!(cache.contains("1"), Ok(true));
    asked("contains", 0);
    assert_eq!(cache.get_with_ttl("1"), Ok(Some((1.0, None))));
    asked("get_with_ttl", 1);
    assert_eq!(cache.get_or_insert_with("1", || 2.0f32), Ok(1.0));
    asked("get_or_insert_with of a hit", 1);
    assert_eq!(cache.get_or_insert_with("2", || 2.0f32), Ok(2.0));
    asked("get_or_insert_with of a miss", 2);
    assert_eq!(cache.remove("2"), Ok(true));
    asked("remove", 0);
    assert_eq!(cache.pop("1"), Ok(Some(1.0)));
    asked("pop", 1);
}

pub(crate) fn one_mapping_works_blocking_and_async() {
    use ctu_core::{AsyncCache, AsyncCacheExt};
    let tenths = Tenths::default();
    let base = Base::new(LruCache::new());
    let blocking = Mapped::with_mapping(&base, &tenths);
    let future = Mapped::with_mapping(Ready(&base), &tenths);
    assert_eq!(CacheExt::insert(&blocking, "1", 21.5), Ok(()));
    tenths.keys.take();
    // Each reads the entries of the other.
    assert_eq!(block_on(future.get("1")), Ok(Some(21.5)));
    assert_eq!(block_on(future.insert("2", -3.5f32)), Ok(()));
    assert_eq!(Cache::get(&blocking, "2"), Ok(Some(-3.5)));
    assert_eq!(block_on(future.contains("2")), Ok(true));
    assert_eq!(block_on(future.pop("2")), Ok(Some(-3.5)));
    assert_eq!(block_on(future.remove("2")), Ok(false));
    assert_eq!(tenths.keys.take(), 6);
    let made = block_on(future.get_or_insert_with("3", || async { 3.0f32 }));
    assert_eq!((made, block_on(future.len())), (Ok(3.0), Ok(2)));
    assert_eq!(block_on(future.clear()), Ok(()));
    assert_eq!(Cache::is_empty(&blocking), Ok(true));

    // Futures that a server may move between its threads.
    fn is_send<T: Send>(_: &T) {}
    is_send(&future.get("1"));
}

pub(crate) fn one_mapping_works_on_a_single_core_executor() {
    use ctu_core::{LocalAsyncCache, LocalAsyncCacheExt};
    let tenths = Tenths::default();
    // A `RefCell` is not for threads, and need not be.
    let base = RefCell::new(LruCache::<u8, i16, 4>::new());
    let future = Mapped::with_mapping(Ready(&base), &tenths);
    assert_eq!(block_on(future.insert("1", 21.5f32)), Ok(()));
    assert_eq!(block_on(future.get("1")), Ok(Some(21.5)));
    assert_eq!(Cache::get(&base, &1), Ok(Some(215)));
    let refused = block_on(future.insert("one", 1.0f32));
    assert_eq!(refused, Err(Error::Encode("sensor's number")));
}

pub(crate) fn rejected_operations_leave_the_cache_unchanged() {
    let tenths = Tenths::default();
    let base = Base::new(LruCache::new());
    let cache = Mapped::with_mapping(&base, &tenths);
    assert_eq!(cache.insert("1", 1.0), Ok(()));
    let refused = Err(Error::Encode("degrees out of range"));
    assert_eq!(cache.insert("1", 5_000.0), refused);
    assert_eq!(cache.insert("256", 1.0), Err(Error::Encode("sensor's number")));
    assert_eq!(cache.get("x"), Err(Error::Encode("sensor's number")));
    let made = cache.get_or_insert_with("2", || f32::NAN);
    assert_eq!(made, Err(Error::Encode("degrees out of range")));
    assert_eq!((cache.get("1"), cache.len()), (Ok(Some(1.0)), Ok(1)));
    // The mapping has no inverse for keys, so it cannot list them.
    let refused = cache.retain(&mut |_| true);
    assert!(matches!(refused, Err(Error::Unsupported(_))));
}

pub(crate) fn corrupt_value_is_overwritten() {
    let tenths = Tenths::default();
    let base = Base::new(LruCache::new());
    let cache = Mapped::with_mapping(&base, &tenths);
    assert_eq!(base.insert(&1, i16::MAX), Ok(()));
    assert_eq!(cache.get("1"), Ok(None));
    assert_eq!(cache.get_or_insert_with("1", || 1.5f32), Ok(1.5));
    assert_eq!(base.get(&1), Ok(Some(15)));
    assert_eq!(cache.get("1"), Ok(Some(1.5)));
}
