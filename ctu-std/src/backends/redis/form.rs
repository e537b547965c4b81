//! The forms of keys and values on Redis.

use super::RedisError;
use crate::backends::str_key::StrKey;
use ctu_core::json::{self, DecodeError};
use serde::{Serialize, de::DeserializeOwned};
use std::borrow::{Borrow, Cow};

/// How a [`RedisCache`](crate::RedisCache) writes keys and values: [`AsJson`], [`Raw`] or [`Prefixed`].
///
/// ```
/// use ctu_std::{Form, RedisCache};
/// /// The number of entries, in each form of keys and values.
/// fn count<F: Form<str, String>>(cache: &RedisCache<str, String, F>) -> usize {
///     cache.keys().flatten().count()
/// }
/// ```
pub trait Form<K: ToOwned + ?Sized, V>: sealed::Sealed {
    /// The key on the server.
    #[doc(hidden)]
    fn key<'k>(&self, key: &'k K) -> Result<Cow<'k, [u8]>, RedisError>;

    /// The key that a key on the server can be read as.
    #[doc(hidden)]
    fn read_key(&self, stored: &[u8]) -> Option<K::Owned>;

    /// The key of this cache that is stored as `stored`. `None` where this cache writes the same key
    /// in another way: such an entry belongs to another program.
    #[doc(hidden)]
    fn own(&self, stored: &[u8]) -> Option<K::Owned> {
        let key = self.read_key(stored)?;
        let is_own = self
            .key(key.borrow())
            .is_ok_and(|written| *written == *stored);
        is_own.then_some(key)
    }

    /// The value on the server.
    #[doc(hidden)]
    fn encode(&self, value: V) -> Result<Vec<u8>, RedisError>;

    /// The value that a value on the server stands for.
    #[doc(hidden)]
    fn decode(&self, stored: Vec<u8>) -> Result<Option<V>, DecodeError>;

    /// The beginning of all keys of this cache; empty where all keys are its own.
    #[doc(hidden)]
    fn prefix(&self) -> &[u8] {
        b""
    }
}

/// Keys and values are JSON, as Python's `RedisCache` writes them.
///
/// A value that is empty on the server is a miss, as it is there.
///
/// ```
/// use ctu_std::{AsJson, RedisCache};
/// let cache: RedisCache<u32, Vec<String>, AsJson> = RedisCache::builder("redis://127.0.0.1").build()?;
/// # let _ = cache;
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AsJson;

/// Keys and values are bytes, as of Python's `RedisCache(raw=True)`: the base of an
/// [`EncryptedCache`](crate::EncryptedCache) is put on.
///
/// An empty value is a value here. Python takes it for a miss, since `b""` is false there.
///
/// ```
/// use ctu_std::{Raw, RedisCache};
/// let cache: RedisCache<[u8], Vec<u8>, Raw> = RedisCache::builder("redis://127.0.0.1").raw().build()?;
/// # let _ = cache;
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

/// Keys are a prefix and the [text](StrKey) of the key, values are JSON, as Python's
/// `PrefixedRedisCache` writes them.
///
/// ```
/// use ctu_std::{Prefixed, RedisCache};
/// let builder = RedisCache::builder("redis://127.0.0.1").prefix("app.");
/// let cache: RedisCache<u32, String, Prefixed> = builder.build()?;
/// # let _ = cache;
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
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

    fn read_key(&self, stored: &[u8]) -> Option<K::Owned> {
        json::from_slice(stored).ok()
    }

    fn encode(&self, value: V) -> Result<Vec<u8>, RedisError> {
        Ok(json::to_vec(&value)?)
    }

    fn decode(&self, stored: Vec<u8>) -> Result<Option<V>, DecodeError> {
        from_json(&stored)
    }
}

impl Form<[u8], Vec<u8>> for Raw {
    fn key<'k>(&self, key: &'k [u8]) -> Result<Cow<'k, [u8]>, RedisError> {
        Ok(key.into())
    }

    fn read_key(&self, stored: &[u8]) -> Option<Vec<u8>> {
        Some(stored.to_vec())
    }

    fn encode(&self, value: Vec<u8>) -> Result<Vec<u8>, RedisError> {
        Ok(value)
    }

    fn decode(&self, stored: Vec<u8>) -> Result<Option<Vec<u8>>, DecodeError> {
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

    fn read_key(&self, stored: &[u8]) -> Option<K::Owned> {
        let text = stored.strip_prefix(self.0.as_bytes())?;
        K::from_text(std::str::from_utf8(text).ok()?)
    }

    fn encode(&self, value: V) -> Result<Vec<u8>, RedisError> {
        Ok(json::to_vec(&value)?)
    }

    fn decode(&self, stored: Vec<u8>) -> Result<Option<V>, DecodeError> {
        from_json(&stored)
    }

    fn prefix(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn from_json<V: DeserializeOwned>(stored: &[u8]) -> Result<Option<V>, DecodeError> {
    if stored.is_empty() {
        return Ok(None);
    }
    json::decode(stored).map(Some)
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AsJson {}
    impl Sealed for super::Raw {}
    impl Sealed for super::Prefixed {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    /// The only stored form of `key` is its own one.
    fn only_form<K>(form: &impl Form<K, u8>, key: &K, foreign: &[&str])
    where
        K: ToOwned<Owned: Debug + PartialEq> + PartialEq<K::Owned> + Debug + ?Sized,
    {
        let stored = form.key(key).unwrap().into_owned();
        let own = form.own(&stored);
        assert!(own.is_some_and(|own| *key == own), "{key:?}");
        for foreign in foreign {
            assert_eq!(form.own(foreign.as_bytes()), None, "{foreign} of {key:?}");
        }
    }

    #[test]
    fn json_key_in_another_spelling_is_foreign() {
        only_form(
            &AsJson,
            &7_u32,
            &[" 7", "7 ", "7.0", "07", "7e0", "+7", "\"7\"", "7\n"],
        );
        only_form(&AsJson, &-7_i64, &["-7.0", "-07", "- 7"]);
        only_form(&AsJson, &7.0_f64, &["7", "7.00", "7e0", "0.7e1", "70e-1"]);
        only_form(
            &AsJson,
            &1e16_f64,
            &["1e16", "10000000000000000.0", "1E+16"],
        );
        only_form(&AsJson, &-0.0_f64, &["-0", "-0.00"]);
        only_form(&AsJson, &true, &["true ", " true", "True"]);
        only_form(
            &AsJson,
            "a/é",
            &[
                "\"a\\/\\u00e9\"",
                "\"a/é\"",
                "\"\\u0061/\\u00e9\"",
                "\"a/\\u00E9\"",
            ],
        );
        only_form(
            &AsJson,
            &(1, 2.0),
            &["[1, 2.0]", "[1,2]", "[1,2.0 ]", "[1,2.0,3]"],
        );
        only_form(&AsJson, &Some(7), &["7.0", "[7]"]);
        only_form(&AsJson, &None::<u8>, &["null ", "None"]);
        only_form(
            &AsJson,
            &['a', 'b'].to_vec(),
            &["[\"a\", \"b\"]", "[\"\\u0061\",\"b\"]"],
        );
    }

    #[test]
    fn prefixed_key_in_another_spelling_is_foreign() {
        let form = Prefixed("p.".into());
        only_form(&form, &7_u32, &["p.07", "p.+7", "p. 7", "p.7.0", "7"]);
        only_form(&form, &7.0_f64, &["p.7", "p.7.00", "p.7e0"]);
        only_form(&form, &true, &["p.true", "p.1"]);
        only_form(&form, &'a', &["p.ab", "p. a"]);
        only_form(&form, &b"a'"[..], &[r"p.b'a\''", "p.b\"\\x61'\"", "p.a'"]);
        only_form(&form, "a", &["a", "P.a"]);
    }

    #[test]
    fn loose_text_form_of_a_user_type_is_checked() {
        #[derive(Clone, Debug, PartialEq)]
        struct Sloppy(u8);
        impl StrKey for Sloppy {
            fn text(&self) -> Cow<'_, str> {
                Cow::Owned(self.0.to_string())
            }

            fn from_text(text: &str) -> Option<Self> {
                text.trim().parse().ok().map(Self)
            }
        }
        only_form(
            &Prefixed("p.".into()),
            &Sloppy(7),
            &["p. 7", "p.+7", "p.07"],
        );
    }

    #[test]
    fn every_byte_key_is_its_own() {
        let own = Form::<[u8], Vec<u8>>::own(&Raw, b" 7");
        assert_eq!(own.as_deref(), Some(&b" 7"[..]));
    }
}
