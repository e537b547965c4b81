//! Types of keys and values, and the errors of those that do not fit.

use ctu_core::{Bytes, Cache, CacheExt, Error, LruCache, SpinCache, StoredKey, Text};

type Small = SpinCache<LruCache<Bytes<4>, Bytes<6>, 2>>;

fn full() -> Result<Small, Error> {
    let cache = Small::new(LruCache::new());
    cache.insert(b"old", b"1")?;
    cache.insert(b"new", b"2")?;
    Ok(cache)
}

/// Asserts that both entries are present in their old order.
fn is_unchanged(cache: &Small) -> bool {
    let as_before = cache.with(|store| {
        let entries = store.iter().map(|(key, value)| (&key[..], &value[..]));
        entries.eq([(&b"new"[..], &b"2"[..]), (&b"old"[..], &b"1"[..])])
    });
    as_before == Ok(true)
}

pub(crate) fn key_too_long_is_an_error() {
    let Ok(cache) = full() else {
        panic!("both entries fit")
    };
    let refused = Err(Error::KeyTooLong { len: 5, max: 4 });
    assert_eq!(cache.insert(b"abcde", b"3"), refused);
    assert_eq!(cache.try_insert(b"abcde", b"3"), refused);
    // A lookup of such a key is a miss, not an error.
    assert_eq!(cache.get(b"abcde"), Ok(None));
    assert_eq!(cache.contains(b"abcde"), Ok(false));
    assert_eq!(cache.remove(b"abcde"), Ok(false));
    assert!(is_unchanged(&cache));
}

pub(crate) fn value_too_long_is_an_error() {
    let Ok(cache) = full() else {
        panic!("both entries fit")
    };
    let refused = Err(Error::ValueTooLong { len: 7, max: 6 });
    assert_eq!(cache.insert(b"old", b"1234567"), refused);
    assert_eq!(cache.insert(b"next", b"1234567"), refused);
    assert_eq!(cache.try_insert(b"old", &b"1234567"[..]), refused);
    assert!(is_unchanged(&cache));
}

pub(crate) fn numbers_tuples_and_arrays_are_keys() {
    fn round_trip<K: StoredKey<Lookup: Sized>>(key: &K::Lookup, other: &K::Lookup) {
        let cache = SpinCache::new(LruCache::<K, u8, 2>::new());
        assert_eq!(cache.insert(key, 1), Ok(()));
        assert_eq!((cache.get(key), cache.get(other)), (Ok(Some(1)), Ok(None)));
    }
    round_trip::<u8>(&0, &255);
    round_trip::<u32>(&u32::MAX, &0);
    round_trip::<u64>(&(1 << 63), &1);
    round_trip::<i16>(&-1, &1);
    round_trip::<bool>(&false, &true);
    round_trip::<char>(&'é', &'e');
    round_trip::<(u8, u32)>(&(1, 2), &(2, 1));
    round_trip::<[u16; 3]>(&[1, 2, 3], &[3, 2, 1]);
    round_trip::<&'static str>(&"one", &"two");
}

/// A key of a user's type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sensor {
    bus: u8,
    address: u16,
}

impl StoredKey for Sensor {
    type Lookup = Self;
    fn store(lookup: &Self) -> Result<Self, Error> {
        Ok(lookup.clone())
    }
}

pub(crate) fn user_types_are_keys() {
    let cache = SpinCache::new(LruCache::<Sensor, i32, 4>::new());
    let sensor = Sensor { bus: 1, address: 0x48 };
    let other = Sensor { bus: 2, ..sensor };
    assert_eq!(cache.insert(&sensor, -40), Ok(()));
    assert_eq!((cache.get(&sensor), cache.get(&other)), (Ok(Some(-40)), Ok(None)));
}

pub(crate) fn text_is_a_key() {
    let cache = SpinCache::new(LruCache::<Text<8>, Text<8>, 4>::new());
    assert_eq!(cache.insert("naïve", "café"), Ok(()));
    assert_eq!(cache.get("naïve").map(|found| found.as_deref() == Some("café")), Ok(true));
    // Lengths are in bytes.
    let refused = Err(Error::KeyTooLong { len: 9, max: 8 });
    assert_eq!(cache.insert("ééééx", ""), refused);
}

pub(crate) fn slices_convert_to_values() {
    let cache = SpinCache::new(LruCache::<u32, Bytes<8>, 8>::new());
    let own = Bytes::try_from(&b"own"[..]).unwrap_or_default();
    assert_eq!(cache.insert(&1, own), Ok(()));
    assert_eq!(cache.insert(&2, b"array"), Ok(()));
    assert_eq!(cache.insert(&3, &b"slice"[..]), Ok(()));
    assert_eq!(cache.insert(&4, b""), Ok(()));
    assert_eq!(cache.insert(&5, b"12345678"), Ok(()));
    for (key, value) in [(1, "own"), (2, "array"), (3, "slice"), (4, ""), (5, "12345678")] {
        let found = cache.get(&key).ok().flatten();
        assert_eq!(found.as_deref(), Some(value.as_bytes()));
    }
}

pub(crate) fn errors_report_lengths() {
    use core::fmt::Write;
    let mut text = heapless::String::<64>::new();
    let error = Error::KeyTooLong { len: 21, max: 20 };
    assert!(write!(text, "{error}").is_ok());
    assert_eq!(text, "key of 21 bytes, at most 20 fit");
    // An error of the standard kind, without the standard library.
    let _: &dyn core::error::Error = &error;
}
