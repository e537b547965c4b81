//! Bytes as text, for caches of text.

use super::{
    mapped::Mapped,
    mapping::{Mapping, NO_INVERSE},
};
use crate::{encoding::base85, entries::TextBuffer, error::Error};
use core::marker::PhantomData;

/// A cache of bytes on a cache of text, in [`base85`]: the counterpart of `BytesCache` in
/// CacheToolsUtils.
///
/// The inner cache has keys `str` and values of a [`TextBuffer`]: `String` or `heapless::String`.
/// The values of this cache are byte buffers of the same capacity, of which four fifths are usable.
/// Without a heap:
///
/// ```
/// use ctu_core::{BytesCache, Cache, CacheExt, LruCache, SpinCache, Text};
///
/// let inner = SpinCache::new(LruCache::<Text<20>, Text<40>, 8>::new());
/// let cache = BytesCache::new(&inner);
/// cache.insert(b"key", b"value")?;
/// assert_eq!(cache.get(b"key")?.as_deref(), Some(&b"value"[..]));
/// assert_eq!(inner.get("Yh`%")?.as_deref(), Some("c42IFWd"));
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// During an operation a key is in a text buffer of the type of the values. If keys are longer than
/// values, choose a larger type: `BytesCache::<_, Text<40>>::with_key_text(inner)`.
///
/// # Errors
/// [`Error::Decode`] for a stored value that is not base85. `clear` and `len` are those of the
/// inner cache.
pub type BytesCache<C, K = LikeValue> = Mapped<C, Base85<K>>;

/// The mapping of [`BytesCache`].
///
/// ```
/// use ctu_core::{Base85, Cache, CacheExt, LruCache, Mapped, SpinCache, Text};
/// let texts = SpinCache::new(LruCache::<Text<20>, Text<40>, 8>::new());
/// let bytes = Mapped::with_mapping(&texts, Base85::new());
/// bytes.insert(&[0xff, 0x00], &b"\x01\x02"[..])?;
/// assert_eq!(bytes.get(&[0xff, 0x00])?.as_deref(), Some(&b"\x01\x02"[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Base85<K = LikeValue> {
    keys: PhantomData<fn() -> K>,
}

impl Base85 {
    /// The mapping, with keys in a text buffer of the type of the values.
    #[must_use]
    pub const fn new() -> Self {
        Self { keys: PhantomData }
    }
}

impl<K> Base85<K> {
    /// The mapping, with keys in a `K`.
    #[must_use]
    pub const fn with_key_text() -> Self {
        Self { keys: PhantomData }
    }
}

impl<C> BytesCache<C> {
    /// Wraps `inner`, a cache of text.
    pub const fn new(inner: C) -> Self {
        Self::with_mapping(inner, Base85::new())
    }
}

impl<C, K> BytesCache<C, K> {
    /// Wraps `inner`, a cache of text. Keys are encoded in a `K`.
    pub const fn with_key_text(inner: C) -> Self {
        Self::with_mapping(inner, Base85::with_key_text())
    }
}

/// The text buffer for the keys of a [`BytesCache`] with values in `T`: any [`TextBuffer`], or
/// [`LikeValue`].
///
/// ```
/// use ctu_core::{KeyText, LikeValue, Text};
/// fn text_of_keys<V, K: KeyText<V>>() -> &'static str {
///     core::any::type_name::<K::Text>()
/// }
/// assert_eq!(text_of_keys::<Text<64>, LikeValue>(), text_of_keys::<u8, Text<64>>());
/// ```
pub trait KeyText<T> {
    /// The text buffer of the keys.
    type Text: TextBuffer;
}

/// Keys are encoded in a text buffer of the type of the values.
///
/// ```
/// use ctu_core::{BytesCache, Cache, CacheExt, LikeValue, LruCache, SpinCache, Text};
/// let base = SpinCache::new(LruCache::<Text<40>, Text<40>, 8>::new());
/// let cache: BytesCache<_, LikeValue> = BytesCache::new(&base);
/// cache.insert(b"key", b"value")?;
/// assert!(base.contains("Yh`%")?);
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LikeValue;

impl<T: TextBuffer> KeyText<T> for LikeValue {
    type Text = T;
}

impl<T, K: TextBuffer> KeyText<T> for K {
    type Text = K;
}

impl<T, K> Mapping<str, T> for Base85<K>
where
    T: TextBuffer,
    K: KeyText<T>,
{
    type Key = [u8];
    type Value = T::Bytes;
    type At = K::Text;

    const NO_ORIGIN: Option<Error> = Some(NO_INVERSE);

    fn at(&self, key: &[u8]) -> Result<K::Text, Error> {
        base85::encode(key).map_err(|error| match error {
            Error::ValueTooLong { len, max } => Error::KeyTooLong { len, max },
            other => other,
        })
    }

    fn encode(&self, _: &K::Text, value: T::Bytes) -> Result<T, Error> {
        base85::encode(value.as_ref())
    }

    fn decode(&self, _: &K::Text, value: T) -> Result<Option<T::Bytes>, Error> {
        base85::decode(value.as_ref()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::{Bytes, Text};

    type Small = Text<10>;

    #[test]
    fn keys_and_values_become_text() {
        let mapping = Base85::new();
        let at = Mapping::<str, Small>::at(&mapping, b"key").unwrap();
        assert_eq!(at, "Yh`%");
        let value = Bytes::from_slice(b"value").unwrap();
        let text: Small = mapping.encode(&at, value.clone()).unwrap();
        assert_eq!(text, "c42IFWd");
        assert_eq!(mapping.decode(&at, text), Ok(Some(value)));
    }

    #[test]
    fn oversized_key_or_value_is_an_error() {
        let mapping = Base85::new();
        assert_eq!(
            Mapping::<str, Small>::at(&mapping, b"9 letters"),
            Err(Error::KeyTooLong { len: 12, max: 10 })
        );
        let at = Small::new();
        let value = Bytes::from_slice(b"9 letters").unwrap();
        assert_eq!(
            Mapping::<str, Small>::encode(&mapping, &at, value),
            Err(Error::ValueTooLong { len: 12, max: 10 })
        );
    }

    #[test]
    fn keys_can_be_longer_than_values() {
        let mapping = Base85::<Text<20>>::with_key_text();
        let at = Mapping::<str, Small>::at(&mapping, b"9 letters").unwrap();
        assert_eq!(at.len(), 12);
    }

    #[test]
    fn invalid_base85_is_an_error() {
        let text = Small::try_from("not, b85").unwrap();
        assert!(matches!(
            Base85::new().decode(&Small::new(), text),
            Err(Error::Decode(_))
        ));
    }
}
