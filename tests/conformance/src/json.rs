//! JSON in the form of Python: `ToBytesCache`, `json_key`, `full_hash_key`.

use alloc::vec::Vec;
use ctu_core::json::{full_hash_key, json_key};
use ctu_core::{Cache, CacheExt, Error, SpinCache, ToBytesCache, heap::LruCache};

pub(crate) fn json_values_match_python() {
    let base = SpinCache::new(LruCache::<Vec<u8>, Vec<u8>>::with_capacity(4));
    let cache = ToBytesCache::<_, str, (Option<u32>, alloc::string::String, f64)>::new(&base);
    let value = (None, "é\n".into(), 2.5);
    assert_eq!(cache.insert_entry("text", value, None), Ok(()));
    let stored = base.get(b"\"text\"").ok().flatten();
    assert_eq!(stored.as_deref(), Some(&br#"[null,"\u00e9\n",2.5]"#[..]));
    assert_eq!(cache.get("text"), Ok(Some((None, "é\n".into(), 2.5))));
}

pub(crate) fn json_keys_of_calls_match_python() {
    assert_eq!(json_key(&("hello", 3)).as_deref(), Ok(r#"["hello",3]"#));
    assert_eq!(json_key(&()).as_deref(), Ok("[]"));
    let hash = full_hash_key(&("hello", 3));
    assert_eq!(hash.as_deref(), Ok("L<+6qDcffSE~98t28yVR"));
}

pub(crate) fn undecodable_value_is_an_error() {
    let base = SpinCache::new(LruCache::<Vec<u8>, Vec<u8>>::with_capacity(4));
    let cache = ToBytesCache::<_, u32, u32>::new(&base);
    for bytes in [&b"\"text\""[..], b"", b"1 2", b"{", b"\xff"] {
        assert_eq!(base.insert(b"1", bytes), Ok(()));
        assert!(matches!(cache.get(&1), Err(Error::Decode(_))));
    }
}
