//! `ToBytesCache` in postcard: own types on a cache of bytes, without a heap.

use ctu_core::{Bytes, Cache, CacheExt, EncryptedCache, Error, LruCache, Postcard, SpinCache, ToBytesCache};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    celsius: f32,
    valid: bool,
}

type Base = SpinCache<LruCache<Bytes<16>, Bytes<8>, 4>>;
/// A sensor, identified by bus and address.
type Readings<'b> = ToBytesCache<&'b Base, (u8, u16), Reading, Postcard<4>>;

const READING: Reading = Reading {
    celsius: 21.5,
    valid: true,
};

pub(crate) fn postcard_stores_user_types() {
    let base = Base::new(LruCache::new());
    let cache = Readings::new(&base);
    assert_eq!(cache.insert(&(1, 0x48), READING), Ok(()));
    assert_eq!(cache.get(&(1, 0x48)), Ok(Some(READING)));
    assert_eq!(cache.get(&(2, 0x48)), Ok(None));
    // A byte, a varint; a float in four bytes, a byte.
    let stored = base.get(&[1, 0x48]).ok().flatten();
    assert_eq!(stored.as_deref(), Some(&[0, 0, 0xAC, 0x41, 1][..]));
    assert_eq!(cache.remove(&(1, 0x48)), Ok(true));
}

pub(crate) fn undecodable_value_is_an_error() {
    let base = Base::new(LruCache::new());
    let cache = Readings::new(&base);
    // Too short, an invalid boolean, and trailing bytes.
    for bytes in [&[0, 0, 0xAC][..], &[0, 0, 0xAC, 0x41, 7], &[0, 0, 0xAC, 0x41, 1, 1]] {
        assert_eq!(base.insert(&[1, 0x48], bytes), Ok(()));
        assert!(matches!(cache.get(&(1, 0x48)), Err(Error::Decode(_))));
    }
}

pub(crate) fn value_too_long_in_postcard_is_an_error() {
    let base = Base::new(LruCache::new());
    let cache = ToBytesCache::<_, u32, [u16; 6], Postcard<4>>::new(&base);
    assert_eq!(cache.insert(&1, [7; 6]), Ok(()));
    // Twelve bytes in a buffer of eight.
    let refused = Err(Error::ValueTooLong { len: 12, max: 8 });
    assert_eq!(cache.insert(&1, [0x80; 6]), refused);
    // A 32-bit varint takes five bytes in a buffer of four.
    let refused = cache.insert(&u32::MAX, [7; 6]);
    assert!(matches!(refused, Err(Error::KeyTooLong { max: 4, .. })));
    assert_eq!((cache.get(&1), cache.len()), (Ok(Some([7; 6])), Ok(1)));
}

pub(crate) fn postcard_composes_with_encryption() {
    let base = Base::new(LruCache::new());
    let vault = EncryptedCache::new(&base, b"sixteen bytes or more");
    let cache = ToBytesCache::<_, u8, Reading, Postcard<4>>::new(vault);
    assert_eq!(cache.insert(&1, READING), Ok(()));
    assert_eq!(cache.get(&1), Ok(Some(READING)));
    assert_eq!(base.contains(&[1]), Ok(false));
}
