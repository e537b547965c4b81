//! `AutoPrefixedCache`: caches with a number as prefix, in the format of CacheToolsUtils.

use ctu_core::{
    AutoPrefixedCache, Bytes, Cache, CacheExt, Error, LruCache, PrefixCounter, PrefixEncoding, SpinCache, Text,
};

pub(crate) fn auto_prefixes_number_the_caches() {
    static COUNTER: PrefixCounter = PrefixCounter::new();
    let base = SpinCache::new(LruCache::<Text<16>, u32, 8>::new());
    let make = || AutoPrefixedCache::counted(&base, &COUNTER, PrefixEncoding::B64, ".");
    let (Ok(first), Ok(second)) = (make(), make()) else {
        panic!("the separator is short")
    };
    assert_eq!(first.insert("key", 1), Ok(()));
    assert_eq!(second.insert("key", 2), Ok(()));
    assert_eq!(base.get("AA==.key"), Ok(Some(1)));
    assert_eq!(base.get("AQ==.key"), Ok(Some(2)));
    assert_eq!(first.clear(), Ok(()));
    assert_eq!((first.get("key"), second.get("key")), (Ok(None), Ok(Some(2))));

    // Numbers of the process counter differ from one another.
    let base = SpinCache::new(LruCache::<Bytes<16>, u32, 8>::new());
    let (one, other) = (AutoPrefixedCache::new(&base), AutoPrefixedCache::new(&base));
    assert_eq!(one.insert(b"key", 1), Ok(()));
    assert_eq!((one.get(b"key"), other.get(b"key")), (Ok(Some(1)), Ok(None)));
}

pub(crate) fn auto_prefixes_have_every_encoding() {
    for (encoding, text) in [
        (PrefixEncoding::B64, "AQ=="),
        (PrefixEncoding::B64u, "AQ=="),
        (PrefixEncoding::B32, "AE======"),
        (PrefixEncoding::B32x, "04======"),
        (PrefixEncoding::B16, "01"),
        (PrefixEncoding::A85, "!<"),
        (PrefixEncoding::B85, "0R"),
    ] {
        assert_eq!(encoding.encode(1), text);
    }
}

pub(crate) fn long_separator_is_an_error() {
    let counter = PrefixCounter::new();
    let base = SpinCache::new(LruCache::<Text<16>, u32, 2>::new());
    let made = AutoPrefixedCache::counted(&base, &counter, PrefixEncoding::B16, "seventeen letters");
    assert_eq!(made.err(), Some(Error::KeyTooLong { len: 17, max: 16 }));
}
