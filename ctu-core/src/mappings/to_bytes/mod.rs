//! Typed keys and values as bytes, in a format of choice.

use crate::{
    entries::Buffer,
    error::Error,
    mappings::{
        mapped::Mapped,
        mapping::{Mapping, NO_INVERSE},
    },
};
use core::{borrow::Borrow, fmt, marker::PhantomData};
use serde::{Serialize, de::DeserializeOwned};

mod json;
#[cfg(feature = "postcard")]
mod postcard;
#[cfg(test)]
mod tests;

pub use json::Json;
#[cfg(feature = "postcard")]
pub use postcard::Postcard;

/// A cache of keys `K` and values `V` on a cache of bytes, in the format `F`.
///
/// The default [`Json`] matches `ToBytesCache` of CacheToolsUtils byte for byte. `Postcard` is
/// shorter, needs no heap, and serves programs in Rust only.
///
#[cfg_attr(feature = "json", doc = "```")]
#[cfg_attr(not(feature = "json"), doc = "```ignore")]
/// use ctu_core::{Cache, CacheExt, LruCache, SpinCache, ToBytesCache};
/// use serde_json::{Value, json};
///
/// let inner = SpinCache::new(LruCache::<Vec<u8>, Vec<u8>, 8>::new());
/// let cache = ToBytesCache::<_, str, Value>::new(&inner);
/// cache.insert("k", json!({"b": 1, "a": 2.5}))?;
/// assert_eq!(cache.get("k")?, Some(json!({"a": 2.5, "b": 1})));
/// assert_eq!(inner.get(b"\"k\"")?.as_deref(), Some(&br#"{"a":2.5,"b":1}"#[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Decode`] for a stored value that does not decode, which is not a miss: another program, or
/// another version of this one, stored it. `clear` and `len` are those of the inner cache.
pub type ToBytesCache<C, K, V, F = Json> = Mapped<C, ToBytes<K, V, F>>;

/// The mapping of [`ToBytesCache`].
///
#[cfg_attr(feature = "postcard", doc = "```")]
#[cfg_attr(not(feature = "postcard"), doc = "```ignore")]
/// use ctu_core::{Mapping, Postcard, ToBytes};
/// let mapping = ToBytes::<u32, bool, Postcard>::new();
/// let at = Mapping::<[u8], Vec<u8>>::at(&mapping, &7)?;
/// assert_eq!(Mapping::<[u8], Vec<u8>>::encode(&mapping, &at, true)?, [1]);
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub struct ToBytes<K: ?Sized, V, F = Json> {
    key: PhantomData<fn(&K)>,
    value: PhantomData<fn() -> V>,
    format: PhantomData<fn() -> F>,
}

impl<K: ?Sized, V, F> ToBytes<K, V, F> {
    /// The mapping from `K` and `V` to bytes in the format `F`.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            key: PhantomData,
            value: PhantomData,
            format: PhantomData,
        }
    }
}

impl<C, K: ?Sized, V, F> Mapped<C, ToBytes<K, V, F>> {
    /// Wraps `inner`, a cache with keys `[u8]` and values of any [`Buffer`].
    pub const fn new(inner: C) -> Self {
        Self::with_mapping(inner, ToBytes::new())
    }
}

// Not derived: the bounds of a derive would apply to types that this does not hold.
impl<K: ?Sized, V, F> Clone for ToBytes<K, V, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: ?Sized, V, F> Copy for ToBytes<K, V, F> {}

impl<K: ?Sized, V, F> Default for ToBytes<K, V, F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: ?Sized, V, F> fmt::Debug for ToBytes<K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToBytes")
    }
}

#[cfg(feature = "defmt")]
impl<K: ?Sized, V, F> defmt::Format for ToBytes<K, V, F> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "ToBytes");
    }
}

/// The format of a [`ToBytesCache`]: [`Json`], `Postcard` (feature `postcard`), or a user's own.
///
/// # For implementers
/// Equal keys must encode to equal bytes, and unequal keys to unequal bytes, in every version of a
/// program that shares the cache.
///
#[cfg_attr(feature = "json", doc = "```")]
#[cfg_attr(not(feature = "json"), doc = "```ignore")]
/// use ctu_core::{Format, Json};
/// let value: Vec<u8> = Json::value(&[1, 2])?;
/// assert_eq!(value, b"[1,2]");
/// assert_eq!(Json::read::<(u8, u8)>(&value), Ok((1, 2)));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a format that this build of ctu-core has",
    note = "`Json` needs the feature `json`, `Postcard` the feature `postcard`"
)]
pub trait Format {
    /// The buffer of an encoded key during an operation.
    type Key: Borrow<[u8]>;

    /// Encodes a key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] if it does not fit, and [`Error::Encode`] if it has no encoding.
    fn key<K: ?Sized + Serialize>(key: &K) -> Result<Self::Key, Error>;

    /// Encodes a value.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] if it does not fit, and [`Error::Encode`] if it has no encoding.
    fn value<V: Serialize, B: Buffer>(value: &V) -> Result<B, Error>;

    /// Decodes a value.
    ///
    /// # Errors
    /// [`Error::Decode`] for malformed bytes and for trailing bytes.
    fn read<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, Error>;
}

impl<K, V, F, B> Mapping<[u8], B> for ToBytes<K, V, F>
where
    K: ?Sized + Serialize,
    V: Serialize + DeserializeOwned + Clone,
    F: Format,
    B: Buffer,
{
    type Key = K;
    type Value = V;
    type At = F::Key;

    const NO_ORIGIN: Option<Error> = Some(NO_INVERSE);

    fn at(&self, key: &K) -> Result<F::Key, Error> {
        F::key(key)
    }

    fn encode(&self, _: &F::Key, value: V) -> Result<B, Error> {
        F::value(&value)
    }

    fn decode(&self, _: &F::Key, value: B) -> Result<Option<V>, Error> {
        F::read(value.as_ref()).map(Some)
    }
}
