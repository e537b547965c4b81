use crate::{
    entries::Buffer,
    error::Error,
    mappings::{mapped::Mapped, mapping::Mapping},
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

/// A cache of keys `K` and values `V` on one of bytes, each written in the format `F`.
///
/// In [`Json`], the default, it is Python's `ToBytesCache`, byte for byte. `Postcard` is shorter,
/// needs no heap, and is for programs in Rust alone.
///
#[cfg_attr(feature = "json", doc = "```")]
#[cfg_attr(not(feature = "json"), doc = "```ignore")]
/// use ctu_core::{Cache, LruCache, SpinCache, ToBytesCache};
/// use serde_json::{Value, json};
///
/// let inner = SpinCache::new(LruCache::<Vec<u8>, Vec<u8>, 8>::new());
/// let cache = ToBytesCache::<str, Value, _>::new(&inner);
/// cache.insert("k", json!({"b": 1, "a": 2.5}))?;
/// assert_eq!(cache.get("k")?, Some(json!({"a": 2.5, "b": 1})));
/// assert_eq!(inner.get(b"\"k\"")?.as_deref(), Some(&br#"{"a":2.5,"b":1}"#[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// # Errors
/// What the inner cache holds and does not decode is [`Error::Decode`], not a miss: it is not of this
/// program, or of another version of it. `clear` and `len` are those of the inner cache.
pub type ToBytesCache<K, V, C, F = Json> = Mapped<ToBytes<K, V, F>, C>;

/// The mapping of [`ToBytesCache`].
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

impl<K: ?Sized, V, F, C> Mapped<ToBytes<K, V, F>, C> {
    /// Puts keys `K` and values `V` on `inner`, whose keys are `[u8]` and whose values any
    /// [`Buffer`].
    pub const fn new(inner: C) -> Self {
        Self::with(ToBytes::new(), inner)
    }
}

// Not derived: whatever the types, this holds none of them.
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

/// How [`ToBytesCache`] writes keys and values: [`Json`], `Postcard` (feature `postcard`), or one of your own.
///
/// # For who implements it
/// Equal keys must become equal bytes, and unequal ones unequal bytes, in every version of a program
/// that shares the cache.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a format that this build of ctu-core has",
    note = "`Json` needs the feature `json`, `Postcard` the feature `postcard`"
)]
pub trait Format {
    /// What an encoded key is kept in for the time of an operation.
    type Key: Borrow<[u8]>;

    /// Writes a key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] when it does not fit, and [`Error::Encode`] where it has no form.
    fn key<K: ?Sized + Serialize>(key: &K) -> Result<Self::Key, Error>;

    /// Writes a value.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] when it does not fit, and [`Error::Encode`] where it has no form.
    fn value<V: Serialize, B: Buffer>(value: &V) -> Result<B, Error>;

    /// Reads a value.
    ///
    /// # Errors
    /// [`Error::Decode`] where it is not one, or has bytes left over.
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
