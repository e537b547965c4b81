use super::RedisError;
use crate::backends::str_key::StrKey;
use ctu_core::json;
use serde::{Serialize, de::DeserializeOwned};
use std::borrow::Cow;

/// How a [`RedisCache`](crate::RedisCache) writes keys and values: [`AsJson`], [`Raw`] or [`Prefixed`].
pub trait Form<K: ToOwned + ?Sized, V>: sealed::Sealed {
    /// The key on the server.
    #[doc(hidden)]
    fn key<'k>(&self, key: &'k K) -> Result<Cow<'k, [u8]>, RedisError>;

    /// The key that a key on the server stands for; `None` where it is not one of this cache.
    #[doc(hidden)]
    fn own(&self, stored: &[u8]) -> Option<K::Owned>;

    /// The value on the server.
    #[doc(hidden)]
    fn encode(&self, value: V) -> Result<Vec<u8>, RedisError>;

    /// The value that a value on the server stands for.
    #[doc(hidden)]
    fn decode(&self, stored: Vec<u8>) -> Result<Option<V>, RedisError>;

    /// What all keys of this cache begin with; empty where all keys are its own.
    #[doc(hidden)]
    fn prefix(&self) -> &[u8] {
        b""
    }
}

/// Keys and values are JSON, as Python's `RedisCache` writes them.
///
/// A value that is empty on the server is a miss, as it is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsJson;

/// Keys and values are bytes, as of Python's `RedisCache(raw=True)`: what an
/// [`EncryptedCache`](crate::EncryptedCache) is put on.
///
/// An empty value is a value here. Python takes it for a miss, since `b""` is false there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

/// Keys are a prefix and the [text](StrKey) of the key, values are JSON, as Python's
/// `PrefixedRedisCache` writes them.
#[derive(Clone, Debug, Default)]
pub struct Prefixed(pub(super) String);

impl<K, V> Form<K, V> for AsJson
where
    K: Serialize + ToOwned<Owned: DeserializeOwned> + ?Sized,
    V: Serialize + DeserializeOwned,
{
    fn key<'k>(&self, key: &'k K) -> Result<Cow<'k, [u8]>, RedisError> {
        Ok(json::to_vec(key)?.into())
    }

    fn own(&self, stored: &[u8]) -> Option<K::Owned> {
        json::from_slice(stored).ok()
    }

    fn encode(&self, value: V) -> Result<Vec<u8>, RedisError> {
        Ok(json::to_vec(&value)?)
    }

    fn decode(&self, stored: Vec<u8>) -> Result<Option<V>, RedisError> {
        from_json(&stored)
    }
}

impl Form<[u8], Vec<u8>> for Raw {
    fn key<'k>(&self, key: &'k [u8]) -> Result<Cow<'k, [u8]>, RedisError> {
        Ok(key.into())
    }

    fn own(&self, stored: &[u8]) -> Option<Vec<u8>> {
        Some(stored.to_vec())
    }

    fn encode(&self, value: Vec<u8>) -> Result<Vec<u8>, RedisError> {
        Ok(value)
    }

    fn decode(&self, stored: Vec<u8>) -> Result<Option<Vec<u8>>, RedisError> {
        Ok(Some(stored))
    }
}

impl<K, V> Form<K, V> for Prefixed
where
    K: StrKey + ?Sized,
    V: Serialize + DeserializeOwned,
{
    fn key<'k>(&self, key: &'k K) -> Result<Cow<'k, [u8]>, RedisError> {
        Ok([self.0.as_bytes(), key.text().as_bytes()].concat().into())
    }

    fn own(&self, stored: &[u8]) -> Option<K::Owned> {
        let text = stored.strip_prefix(self.0.as_bytes())?;
        K::from_text(std::str::from_utf8(text).ok()?)
    }

    fn encode(&self, value: V) -> Result<Vec<u8>, RedisError> {
        Ok(json::to_vec(&value)?)
    }

    fn decode(&self, stored: Vec<u8>) -> Result<Option<V>, RedisError> {
        from_json(&stored)
    }

    fn prefix(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn from_json<V: DeserializeOwned>(stored: &[u8]) -> Result<Option<V>, RedisError> {
    if stored.is_empty() {
        return Ok(None);
    }
    Ok(Some(json::from_slice(stored)?))
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AsJson {}
    impl Sealed for super::Raw {}
    impl Sealed for super::Prefixed {}
}
