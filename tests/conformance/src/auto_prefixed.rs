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

pub(crate) fn separator_of_digits_is_an_error() {
    let base = SpinCache::new(LruCache::<Text<16>, u32, 2>::new());
    for (encoding, refused, allowed) in [
        (PrefixEncoding::B64, ["", "/", "="], "."),
        (PrefixEncoding::B64u, ["", "_x", "-"], "."),
        (PrefixEncoding::B32, ["", "A.", "7"], "1"),
        (PrefixEncoding::B32x, ["", "0", "V"], "W"),
        (PrefixEncoding::B16, ["", "F", "0."], "G"),
        (PrefixEncoding::A85, ["", ".", "z"], "~"),
        (PrefixEncoding::B85, ["", "~", "a."], "."),
    ] {
        let counter = PrefixCounter::new();
        let make = |separator| AutoPrefixedCache::counted(&base, &counter, encoding, separator);
        for separator in refused {
            assert_eq!(make(separator).err(), Some(Error::AmbiguousSeparator));
        }
        // A refused cache takes no number.
        let Ok(first) = make(allowed) else {
            panic!("the separator is no digit")
        };
        assert_eq!(first.insert("", 1), Ok(()));
        let mut key = Text::<16>::new();
        let pushed = key.push_str(&encoding.encode(0)).and_then(|()| key.push_str(allowed));
        assert!(pushed.is_ok());
        assert_eq!(base.contains(&key), Ok(true));
    }
}
