//! `BytesCache`: bytes on a cache of text, in base85 as Python writes it.

use ctu_core::{BytesCache, Cache, CacheExt, Error, LruCache, SpinCache, Text};

type Base = SpinCache<LruCache<Text<10>, Text<10>, 4>>;

pub(crate) fn bytes_cache_stores_base85() {
    let base = Base::new(LruCache::new());
    let cache = BytesCache::new(&base);
    // The output of Python's `b85encode`.
    for (bytes, text) in [
        (&b""[..], ""),
        (b"a", "VE"),
        (b"ab", "VPX"),
        (b"abc", "VPaz"),
        (b"abcd", "VPa!s"),
        (b"\x00\xff\x80\x7f\x01", "0RMo00R"),
    ] {
        assert_eq!(cache.insert(bytes, bytes), Ok(()));
        let stored = base.get(text).ok().flatten();
        assert_eq!(stored.as_deref(), Some(text));
        let found = cache.get(bytes).ok().flatten();
        assert_eq!(found.as_deref(), Some(bytes));
        assert_eq!(cache.remove(bytes), Ok(true));
    }
}

pub(crate) fn invalid_base85_is_an_error() {
    let base = Base::new(LruCache::new());
    let cache = BytesCache::new(&base);
    assert_eq!(base.insert("VE", "not base"), Ok(()));
    assert!(matches!(cache.get(b"a"), Err(Error::Decode(_))));
    assert_eq!(cache.insert(b"a", b"new"), Ok(()));
    assert!(cache.get(b"a").is_ok());
}

pub(crate) fn value_too_long_in_base85_is_an_error() {
    let base = Base::new(LruCache::new());
    let cache = BytesCache::new(&base);
    assert_eq!(cache.insert(b"8 bytes.", b"8 bytes."), Ok(()));
    let refused = cache.insert(b"key", b"9 bytes..");
    assert!(matches!(refused, Err(Error::ValueTooLong { .. })));
    let refused = cache.insert(b"9 bytes..", b"value");
    assert!(matches!(refused, Err(Error::KeyTooLong { .. })));
    assert_eq!(cache.len(), Ok(1));
}
