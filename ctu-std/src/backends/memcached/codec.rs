//! Keys and values as CacheToolsUtils' `MemCached`, `PrefixedMemCached` and `JsonSerde` write them.

use ctu_core::{Error, IntoValue, base85, json};
use serde_json::Value;

/// The longest key that Memcached takes, in bytes.
pub const KEY_MAX: usize = 250;

/// The key that Memcached gets: `prefix`, then the base85 of `key`. Without a prefix it is that of
/// Python's `MemCached`, with one that of `PrefixedMemCached`.
///
/// Python takes any type and encodes its `str()`; a number here is written out by the caller.
///
/// ```
/// use ctu_std::memcached::encode_key;
///
/// assert_eq!(encode_key("pic.", "Hello World!")?, b"pic.NM&qnZy;B1a%^NF");
/// assert!(encode_key("", &"x".repeat(201)).is_err());
/// # Ok::<(), ctu_std::Error>(())
/// ```
///
/// # Errors
/// [`Error::KeyTooLong`] over [`KEY_MAX`] bytes, the prefix counted; [`Error::Encode`] for a prefix
/// with blanks or control characters, which would end the key, and could begin another command.
pub fn encode_key(prefix: &str, key: &str) -> Result<Vec<u8>, Error> {
    check_prefix(prefix)?;
    let mut encoded = Vec::new();
    push_key(&mut encoded, prefix, key)?;
    Ok(encoded)
}

/// Appends the same to `keys`. The prefix is a good one.
pub(super) fn push_key(keys: &mut Vec<u8>, prefix: &str, key: &str) -> Result<(), Error> {
    let len = prefix.len().saturating_add(base85::encoded_len(key.len()));
    if len > KEY_MAX {
        return Err(Error::KeyTooLong { len, max: KEY_MAX });
    }
    keys.reserve(len);
    keys.extend_from_slice(prefix.as_bytes());
    // By groups, so that no text need be made of it on the way.
    for group in key.as_bytes().chunks(4) {
        keys.extend_from_slice(&base85::encode_group(group)[..=group.len()]);
    }
    Ok(())
}

/// Refuses a prefix that would end the key.
pub(super) fn check_prefix(prefix: &str) -> Result<(), Error> {
    let blank = |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_control();
    if prefix.bytes().any(blank) {
        return Err(Error::Encode("a prefix with blanks or control characters"));
    }
    Ok(())
}

/// A value in Memcached, of one of the three kinds that [`JsonSerde`] tells apart.
///
/// ```
/// use ctu_std::memcached::MemValue;
/// assert_eq!(MemValue::from("text".to_owned()), MemValue::Text("text".into()));
/// assert_eq!(MemValue::from(vec![1]), MemValue::Bytes(vec![1]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum MemValue {
    /// Python's `bytes`.
    Bytes(Vec<u8>),
    /// Python's `str`.
    Text(String),
    /// Anything else. Text in here is written as [`Text`](Self::Text), as Python has one type for both.
    Json(Value),
}

impl From<Vec<u8>> for MemValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&[u8]> for MemValue {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<String> for MemValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for MemValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

macro_rules! may_be_inserted {
    ($($t:ty),*) => {$(
        impl IntoValue<MemValue> for $t {
            fn into_value(self) -> Result<MemValue, Error> {
                Ok(self.into())
            }
        }
    )*};
}
may_be_inserted!(Vec<u8>, &[u8], String, &str, Value);

impl From<Value> for MemValue {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            value => Self::Json(value),
        }
    }
}

/// How CacheToolsUtils' class of this name stores values: bytes and text as they are, the rest as
/// JSON, told apart by the flags.
///
/// ```
/// use ctu_std::memcached::{JsonSerde, MemValue};
/// use serde_json::json;
///
/// let (data, flags) = JsonSerde::serialize(MemValue::Json(json!({"b": 1, "a": 2.5})))?;
/// assert_eq!((data.as_slice(), flags), (&br#"{"a":2.5,"b":1}"#[..], 3));
/// assert_eq!(JsonSerde::deserialize(b"text".to_vec(), 2)?, MemValue::from("text"));
/// # Ok::<(), ctu_std::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonSerde;

impl JsonSerde {
    /// The flags of bytes.
    pub const BYTES: u32 = 1;
    /// The flags of text.
    pub const TEXT: u32 = 2;
    /// The flags of JSON.
    pub const JSON: u32 = 3;

    /// The data and flags that Memcached gets. Bytes and text are moved, not copied.
    ///
    /// # Errors
    /// [`Error::Encode`] for JSON nested too deep.
    pub fn serialize(value: MemValue) -> Result<(Vec<u8>, u32), Error> {
        Ok(match value {
            MemValue::Bytes(bytes) => (bytes, Self::BYTES),
            MemValue::Text(text) | MemValue::Json(Value::String(text)) => {
                (text.into_bytes(), Self::TEXT)
            }
            MemValue::Json(value) => (json::to_vec(&value)?, Self::JSON),
        })
    }

    /// The value that `data` and `flags` of Memcached stand for.
    ///
    /// # Errors
    /// [`Error::Decode`] for other flags, for text that is not UTF-8 and for JSON that is none.
    pub fn deserialize(data: Vec<u8>, flags: u32) -> Result<MemValue, Error> {
        match flags {
            Self::BYTES => Ok(MemValue::Bytes(data)),
            Self::TEXT => match String::from_utf8(data) {
                Ok(text) => Ok(MemValue::Text(text)),
                Err(_) => Err(Error::Decode("text in UTF-8")),
            },
            // Python's `str` never has these flags; where it is found, it is the same value.
            Self::JSON => Ok(MemValue::from(Value::from(json::from_slice::<json::Data>(
                &data,
            )?))),
            _ => Err(Error::Decode("flags 1 (bytes), 2 (text) or 3 (JSON)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn key_is_encoded_after_its_prefix() {
        assert_eq!(encode_key("", "a").as_deref(), Ok(&b"VE"[..]));
        assert_eq!(encode_key("pic.", "").as_deref(), Ok(&b"pic."[..]));
    }

    #[test]
    fn key_length_is_bounded_like_memcached() {
        assert_eq!(
            encode_key("", &"x".repeat(200)).map(|key| key.len()),
            Ok(250)
        );
        let long = Err(Error::KeyTooLong { len: 251, max: 250 });
        assert_eq!(encode_key("p", &"x".repeat(200)), long);
    }

    #[test]
    fn prefix_with_a_separator_is_rejected() {
        for prefix in ["a b", "a\r\nflush_all\r\n", "\0", "\x7f"] {
            assert!(
                matches!(encode_key(prefix, "k"), Err(Error::Encode(_))),
                "{prefix:?}"
            );
        }
    }

    #[test]
    fn every_value_type_round_trips() {
        for value in [
            MemValue::from(&b"\0\xff"[..]),
            MemValue::from("text"),
            MemValue::from(json!(null)),
            MemValue::from(json!([1, "a", {"b": 2.5}])),
        ] {
            let (data, flags) = JsonSerde::serialize(value.clone()).unwrap();
            assert_eq!(JsonSerde::deserialize(data, flags), Ok(value));
        }
        let text = JsonSerde::serialize(MemValue::Json(json!("text")));
        assert_eq!(text, Ok((b"text".to_vec(), JsonSerde::TEXT)));
    }

    #[test]
    fn corrupt_or_foreign_value_is_rejected() {
        for (data, flags) in [(&b"1"[..], 0), (b"1", 4), (b"\xff", 2), (b"{", 3), (b"", 3)] {
            let read = JsonSerde::deserialize(data.to_vec(), flags);
            assert!(
                matches!(read, Err(Error::Decode(_))),
                "{data:?} {flags}: {read:?}"
            );
        }
    }
}
