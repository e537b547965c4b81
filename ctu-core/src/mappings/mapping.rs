use crate::error::{Capability, Error};
use core::borrow::Borrow;

/// A pure translation of keys and values, with no cache and no I/O of its own.
///
/// [`Mapped`](crate::Mapped) puts any mapping on any cache, blocking or async, so a mapping is
/// written, tested and fuzzed once. `K` and `V` are the key and value of the cache below.
///
/// An operation calls [`at`](Self::at) once and hands its result to whatever else it needs; what
/// depends on the key alone (a hash, a cipher key, an encoded key) is computed there and shared.
///
/// ```
/// use ctu_core::{Cache, Error, LruCache, Mapped, Mapping, SpinCache};
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
/// let cache = Mapped::with(Tenths, SpinCache::new(LruCache::<u8, i16, 4>::new()));
/// cache.insert(&1, 21.5)?;
/// assert_eq!(cache.get(&1)?, Some(21.5));
/// # Ok::<(), Error>(())
/// ```
pub trait Mapping<K: ?Sized, V> {
    /// What callers look up by.
    type Key: ?Sized;
    /// What callers store.
    type Value: Clone;
    /// Where a key lives in the cache below, and all that its value needs.
    type At: Borrow<K>;

    /// Whether every key of the cache below is this mapping's own. Where it is not, `clear` goes
    /// through the keys and removes those that [`origin`](Self::origin) recognises.
    const OWNS_ALL: bool = true;

    /// Translates a key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`], or [`Error::Encode`] where it has no form below.
    fn at(&self, key: &Self::Key) -> Result<Self::At, Error>;

    /// Translates a value on its way in.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`], or [`Error::Encode`] where it has no form below.
    fn encode(&self, at: &Self::At, value: Self::Value) -> Result<V, Error>;

    /// Translates a value on its way out. `None` is a miss: what was found is not what was stored.
    ///
    /// # Errors
    /// [`Error::Decode`] where the cache below holds something of another kind.
    fn decode(&self, at: &Self::At, value: V) -> Result<Option<Self::Value>, Error>;

    /// The key that a key of the cache below stands for; `None` where it is not of this mapping.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where keys cannot be told from what they became.
    fn origin<'k>(&self, key: &'k K) -> Result<Option<&'k Self::Key>, Error> {
        let _ = key;
        Err(Error::Unsupported(Capability::ListKeys))
    }
}
