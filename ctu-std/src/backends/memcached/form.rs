//! The forms of keys and values on Memcached.

use super::{JsonSerde, MemValue};
use crate::backends::str_key::StrKey;
use ctu_core::{
    Error,
    json::{self, DecodeError},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::borrow::Cow;

/// How a [`MemCached`](crate::MemCached) writes keys and values: [`AsPython`] or [`Raw`].
///
/// ```
/// use ctu_std::{CacheExt, Cache, MemCached, MemCachedError, memcached::Form};
/// /// Stores a greeting, in each form of keys and values.
/// fn greet<F: Form<str, String>>(cache: &MemCached<str, String, F>) -> Result<(), MemCachedError> {
///     cache.insert("greeting", "hello")
/// }
/// ```
pub trait Form<K: ?Sized, V>: sealed::Sealed {
    /// The key as text, before base85.
    #[doc(hidden)]
    fn key<'k>(&self, key: &'k K) -> Cow<'k, str>;

    /// The data and flags on the server.
    #[doc(hidden)]
    fn encode(&self, value: V) -> Result<(Vec<u8>, u32), Error>;

    /// The value that data and flags on the server stand for.
    #[doc(hidden)]
    fn decode(&self, data: Vec<u8>, flags: u32) -> Result<V, DecodeError>;
}

/// Keys are any [text](StrKey), values of any type that has a form in JSON, as Python's `MemCached`
/// with its `JsonSerde` writes them: text has the flags of text, all other values those of JSON.
///
/// Values that are to be Python's `bytes`, or anything that a Python program may have stored, are a
/// [`MemValue`].
///
/// ```
/// use ctu_std::{MemCached, memcached::AsPython};
/// let cache: MemCached<str, String, AsPython> = MemCached::builder("127.0.0.1:11211").build()?;
/// # drop(cache);
/// # Ok::<(), ctu_std::MemCachedError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AsPython;

/// Keys and values are bytes, as `EncryptedCache` on a `MemCached` has them in Python: keys are
/// written as Python shows them (`b'..'`), values have the flags of bytes.
///
/// ```
/// use ctu_std::{EncryptedCache, MemCached, RawMemCached};
/// let base: RawMemCached = MemCached::builder("127.0.0.1:11211").raw().build()?;
/// let cache = EncryptedCache::try_new(base, [7; 32])?;
/// # drop(cache);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

impl<K, V> Form<K, V> for AsPython
where
    K: StrKey + ?Sized,
    V: Serialize + DeserializeOwned,
{
    fn key<'k>(&self, key: &'k K) -> Cow<'k, str> {
        key.text()
    }

    fn encode(&self, value: V) -> Result<(Vec<u8>, u32), Error> {
        let encoded = json::to_vec(&value)?;
        if encoded.starts_with(b"\"") {
            let text: String = json::from_slice(&encoded)?;
            return Ok((text.into_bytes(), JsonSerde::TEXT));
        }
        Ok((encoded, JsonSerde::JSON))
    }

    fn decode(&self, data: Vec<u8>, flags: u32) -> Result<V, DecodeError> {
        // Without a stop at `Value`, which not every number gets through.
        if flags == JsonSerde::JSON {
            return json::decode(&data);
        }
        match JsonSerde::deserialize(data, flags)? {
            MemValue::Text(text) => Ok(serde_json::from_value(Value::String(text))?),
            _ => Err(Error::Decode("text or JSON, not bytes").into()),
        }
    }
}

impl<K: StrKey + ?Sized> Form<K, MemValue> for AsPython {
    fn key<'k>(&self, key: &'k K) -> Cow<'k, str> {
        key.text()
    }

    fn encode(&self, value: MemValue) -> Result<(Vec<u8>, u32), Error> {
        JsonSerde::serialize(value)
    }

    fn decode(&self, data: Vec<u8>, flags: u32) -> Result<MemValue, DecodeError> {
        Ok(JsonSerde::deserialize(data, flags)?)
    }
}

impl Form<[u8], Vec<u8>> for Raw {
    fn key<'k>(&self, key: &'k [u8]) -> Cow<'k, str> {
        key.text()
    }

    fn encode(&self, value: Vec<u8>) -> Result<(Vec<u8>, u32), Error> {
        Ok((value, JsonSerde::BYTES))
    }

    fn decode(&self, data: Vec<u8>, flags: u32) -> Result<Vec<u8>, DecodeError> {
        match flags {
            JsonSerde::BYTES => Ok(data),
            _ => Err(Error::Decode("flags 1 (bytes)").into()),
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AsPython {}
    impl Sealed for super::Raw {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored<V>(value: V) -> (String, u32)
    where
        AsPython: Form<str, V>,
    {
        let (data, flags) = Form::<str, V>::encode(&AsPython, value).unwrap();
        (String::from_utf8(data).unwrap(), flags)
    }

    fn found<V>(data: &str, flags: u32) -> Result<V, Error>
    where
        AsPython: Form<str, V>,
    {
        Ok(Form::<str, V>::decode(&AsPython, data.into(), flags)?)
    }

    #[test]
    fn value_flags_match_python() {
        assert_eq!(stored("é\"\n".to_owned()), ("é\"\n".into(), 2));
        assert_eq!(stored('x'), ("x".into(), 2));
        assert_eq!(stored(Some(1.5)), ("1.5".into(), 3));
        assert_eq!(stored(vec!["a".to_owned()]), (r#"["a"]"#.into(), 3));
        assert_eq!(stored(MemValue::from(&b"a"[..])), ("a".into(), 1));
        assert_eq!(found("é\"\n", 2), Ok("é\"\n".to_owned()));
        assert_eq!(found("x", 2), Ok(Some('x')));
        assert_eq!(found("null", 3), Ok(None::<char>));
        assert_eq!(found("12", 3), Ok(12_u128));
    }

    #[test]
    fn value_of_another_type_is_rejected() {
        for (data, flags) in [("1", 0), ("1", 1), ("1", 2), ("x", 3), ("1", 4)] {
            let read = found::<u32>(data, flags);
            assert!(matches!(read, Err(Error::Decode(_))), "{data} {flags}");
        }
    }
}
