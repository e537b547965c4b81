//! The trait of mappings.

use crate::{
    caches::Found,
    error::{Capability, Error},
};
use core::{borrow::Borrow, time::Duration};

/// The error of a mapping without an inverse for keys.
pub(super) const NO_INVERSE: Error = Error::Unsupported(Capability::ListKeys);

/// A pure translation of keys and values, without a cache and without I/O.
///
/// [`Mapped`](crate::Mapped) puts any mapping on any cache, blocking or async, so a mapping is
/// written, tested and fuzzed once. `K` and `V` are the key and value of the inner cache.
///
/// An operation calls [`at`](Self::at) once and passes the result to the other functions:
/// everything that depends on the key alone (a hash, a cipher key, an encoded key) is computed
/// there, once.
///
/// ```
/// use ctu_core::{Cache, CacheExt, Error, LruCache, Mapped, Mapping, SpinCache};
///
/// /// Keeps degrees in tenths, in two bytes.
/// struct Tenths;
///
/// impl Mapping<u8, i16> for Tenths {
///     type Key = u8;
///     type Value = f32;
///     type At = u8;
///     fn at(&self, key: &u8) -> Result<u8, Error> {
///         Ok(*key)
///     }
///     fn encode(&self, _: &u8, value: f32) -> Result<i16, Error> {
///         Ok((value * 10.0) as i16)
///     }
///     fn decode(&self, _: &u8, value: i16) -> Result<Option<f32>, Error> {
///         Ok(Some(f32::from(value) / 10.0))
///     }
/// }
///
/// let cache = Mapped::with_mapping(SpinCache::new(LruCache::<u8, i16, 4>::new()), Tenths);
/// cache.insert(&1, 21.5)?;
/// assert_eq!(cache.get(&1)?, Some(21.5));
/// # Ok::<(), Error>(())
/// ```
pub trait Mapping<K: ?Sized, V> {
    /// The key of callers.
    type Key: ?Sized;
    /// The value of callers.
    type Value: Clone;
    /// The key of the inner cache, with the data that `encode` and `decode` need.
    type At: Borrow<K>;

    /// Whether every key of the inner cache belongs to this mapping. Otherwise `clear` iterates
    /// over the keys and removes those that [`origin`](Self::origin) recognises.
    const OWNS_ALL: bool = true;

    /// Whether a value has to be decoded to count as present. If so, `contains` decodes.
    const VERIFIES: bool = false;

    /// The error of `retain` and a partial `clear` if stored keys cannot be translated back. The
    /// inner cache is not called then. `None` calls [`origin`](Self::origin) for each key.
    const NO_ORIGIN: Option<Error> = None;

    /// Translates a key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`], or [`Error::Encode`] if it has no form in the inner cache.
    fn at(&self, key: &Self::Key) -> Result<Self::At, Error>;

    /// Translates a value for a write.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`], or [`Error::Encode`] if it has no form in the inner cache.
    fn encode(&self, at: &Self::At, value: Self::Value) -> Result<V, Error>;

    /// Translates a value of a read. `None` is a miss: the stored bytes are not those of a write.
    ///
    /// # Errors
    /// [`Error::Decode`] for a stored value of another kind.
    fn decode(&self, at: &Self::At, value: V) -> Result<Option<Self::Value>, Error>;

    /// Translates a value for a write with the time-to-live `ttl`; `None` is no limit.
    ///
    /// For a mapping with an expiry inside its values.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), and [`Error::TtlTooLong`].
    fn encode_for(
        &self,
        at: &Self::At,
        value: Self::Value,
        ttl: Option<Duration>,
    ) -> Result<V, Error> {
        let _ = ttl;
        self.encode(at, value)
    }

    /// Translates a value of a read, and its remaining time in the inner cache.
    ///
    /// For a mapping with an expiry inside its values.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    fn decode_with_ttl(
        &self,
        at: &Self::At,
        value: V,
        ttl: Option<Duration>,
    ) -> Result<Found<Self::Value>, Error> {
        Ok(self.decode(at, value)?.map(|value| (value, ttl)))
    }

    /// The key of callers for a key of the inner cache; `None` for a key of another mapping.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the translation of keys has no inverse.
    fn origin<'k>(&self, key: &'k K) -> Result<Option<&'k Self::Key>, Error> {
        let _ = key;
        Err(Self::NO_ORIGIN.unwrap_or(NO_INVERSE))
    }
}
