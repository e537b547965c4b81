//! `PrefixedCache`: many caches on one base.

use core::cell::RefCell;
use ctu_core::{Bytes, Cache, CacheExt, Capability, Error, MAX_INLINE_KEY, LruCache, PrefixedCache, SpinCache, Text};

type Base = SpinCache<LruCache<Bytes<16>, u32, 8>>;

pub(crate) fn prefixes_separate_caches_on_one_base() {
    static BASE: Base = Base::new(LruCache::new());
    let (ours, theirs) = (
        PrefixedCache::new(&BASE, b"foo."),
        PrefixedCache::new(&BASE, b"bar."),
    );
    assert_eq!(ours.insert(b"key", 1), Ok(()));
    assert_eq!(theirs.insert(b"key", 2), Ok(()));
    assert_eq!((ours.get(b"key"), theirs.get(b"key")), (Ok(Some(1)), Ok(Some(2))));
    assert_eq!(BASE.get(b"foo.key"), Ok(Some(1)));
    assert_eq!(ours.remove(b"key"), Ok(true));
    assert_eq!((ours.contains(b"key"), theirs.contains(b"key")), (Ok(false), Ok(true)));
    assert_eq!(theirs.pop(b"key"), Ok(Some(2)));
    assert_eq!(BASE.len(), Ok(0));
}

pub(crate) fn clear_removes_only_keys_with_the_prefix() {
    let base = Base::new(LruCache::new());
    let ours = PrefixedCache::new(&base, b"foo.");
    assert_eq!(base.insert(b"fo", 0), Ok(()));
    assert_eq!(base.insert(b"foo", 1), Ok(()));
    assert_eq!(base.insert(b"xfoo.", 2), Ok(()));
    assert_eq!(ours.insert(b"", 3), Ok(()));
    assert_eq!(ours.insert(b"a", 4), Ok(()));
    // The base counts the keys of all prefixes.
    assert_eq!(ours.len(), Err(Error::Unsupported(Capability::Len)));
    assert_eq!(base.len(), Ok(5));
    assert_eq!(ours.clear(), Ok(()));
    assert_eq!(base.len(), Ok(3));
    assert_eq!((ours.get(b""), ours.get(b"a")), (Ok(None), Ok(None)));
    assert_eq!(base.get(b"foo"), Ok(Some(1)));
}

pub(crate) fn retain_passes_keys_without_the_prefix() {
    let base = Base::new(LruCache::new());
    let ours = PrefixedCache::new(&base, b"foo.");
    assert_eq!(base.insert(b"other", 0), Ok(()));
    for key in [b"a", b"b", b"c"] {
        assert_eq!(ours.insert(key, 1), Ok(()));
    }
    assert_eq!(ours.retain(&mut |key| key == b"b"), Ok(()));
    assert_eq!(base.len(), Ok(2));
    assert_eq!((ours.contains(b"b"), base.contains(b"other")), (Ok(true), Ok(true)));
}

pub(crate) fn prefixes_nest() {
    let base = Base::new(LruCache::new());
    let outer = PrefixedCache::new(&base, b"a.");
    let inner = PrefixedCache::new(&outer, b"b.");
    assert_eq!(inner.insert(b"key", 1), Ok(()));
    assert_eq!(outer.insert(b"key", 2), Ok(()));
    // The prefix of the outermost wrapper comes last: it is prepended first.
    assert_eq!(base.get(b"a.b.key"), Ok(Some(1)));
    assert_eq!(inner.clear(), Ok(()));
    assert_eq!((inner.get(b"key"), outer.get(b"key")), (Ok(None), Ok(Some(2))));
}

pub(crate) fn text_keys_take_prefixes() {
    let base = RefCell::new(LruCache::<Text<16>, u32, 4>::new());
    let menu = PrefixedCache::new(&base, "menü.");
    assert_eq!(menu.insert("thé", 1), Ok(()));
    assert_eq!(base.get("menü.thé"), Ok(Some(1)));
    assert_eq!(menu.get("thé"), Ok(Some(1)));
    assert_eq!(menu.clear(), Ok(()));
    assert_eq!(base.len(), Ok(0));
}

pub(crate) fn prefix_and_key_too_long_together_is_an_error() {
    let base = Base::new(LruCache::new());
    let ours = PrefixedCache::new(&base, b"foo.");
    let refused = Err(Error::KeyTooLong { len: 17, max: 16 });
    assert_eq!(ours.insert(b"thirteen char", 1), refused);
    assert_eq!(ours.get(b"thirteen char"), Ok(None));
    assert_eq!(ours.insert(b"twelve chars", 1), Ok(()));
    // Longer than the stack buffer, with a heap and without.
    let long = [b'x'; MAX_INLINE_KEY];
    assert!(matches!(ours.insert(&long, 1), Err(Error::KeyTooLong { .. })));
    assert_eq!(base.len(), Ok(1));
}

pub(crate) fn empty_prefix_and_empty_key_are_valid() {
    let base = Base::new(LruCache::new());
    let all = PrefixedCache::new(&base, b"");
    assert_eq!(all.insert(b"", 1), Ok(()));
    assert_eq!(base.get(b""), Ok(Some(1)));
    assert_eq!(base.insert(b"key", 2), Ok(()));
    assert_eq!(all.get(b"key"), Ok(Some(2)));
    assert_eq!(all.clear(), Ok(()));
    assert_eq!(base.len(), Ok(0));
}
