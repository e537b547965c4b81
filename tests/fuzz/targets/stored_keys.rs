#![no_main]
//! Stored forms of keys: a key that is read from a stored text has that very text, so no cache takes
//! a foreign spelling for its own; and every key comes back from its text.

use ctu_std::{AsJson, Form, StrKey, memcached::encode_key};
use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};
use std::borrow::Borrow;

fn check<K: StrKey + ?Sized>(text: &str) {
    if let Some(key) = K::from_text(text) {
        assert_eq!(<K::Owned as Borrow<K>>::borrow(&key).text(), text);
    }
}

/// The same for keys as JSON in Redis.
fn check_json<K>(stored: &[u8])
where
    K: Serialize + DeserializeOwned + Clone,
    AsJson: Form<K, u8>,
    K: ToOwned<Owned = K>,
{
    if let Some(key) = Form::<K, u8>::own(&AsJson, stored) {
        assert_eq!(Form::<K, u8>::key(&AsJson, &key).as_deref(), Ok(stored));
    }
}

fuzz_target!(|bytes: &[u8]| {
    check_json::<u32>(bytes);
    check_json::<String>(bytes);
    check_json::<(i8, String)>(bytes);
    check_json::<f64>(bytes);
    let text = bytes.text();
    assert_eq!(<[u8]>::from_text(&text).as_deref(), Some(bytes));
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    check::<str>(text);
    check::<String>(text);
    check::<[u8]>(text);
    check::<bool>(text);
    check::<u8>(text);
    check::<i64>(text);
    check::<u128>(text);
    let (prefix, key) = text.split_at(text.floor_char_boundary(text.len() / 3));
    if let Ok(encoded) = encode_key(prefix, key) {
        assert!(encoded.len() <= 250 && !encoded.iter().any(u8::is_ascii_whitespace));
        assert!(encoded.starts_with(prefix.as_bytes()));
    }
});
