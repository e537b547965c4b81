//! A prefix before every key.

use super::{mapped::Mapped, mapping::Mapping};
use crate::{
    caches::Cache,
    entries::{Bytes, Text},
    error::Error,
};
use core::borrow::Borrow;

/// A cache with a prefix on all its keys, so that many caches share one base.
///
/// Keys are `[u8]` or `str`, as in the inner cache. `clear` removes the keys with the prefix only.
/// `len` is [`Error::Unsupported`], since the inner cache counts the entries of all prefixes; in memory,
/// `retain` with a predicate that returns true visits each own key. Prefix and key are joined on the stack; if they exceed
/// [`MAX_INLINE_KEY`] bytes, on the heap with feature `alloc`, and it is an error without.
///
/// `clear` and `retain` need the keys of the cache below. Over hashed keys (`EncryptedCache`) they
/// are [`Error::HashedKeys`], over other keys without a way back [`Error::Unsupported`].
///
/// # Prefixes that begin other prefixes
/// `user` begins `user_admin`: the key `_admin1` of the one is the key `1` of the other, and
/// `clear` of the first removes the entries of the second. End each prefix with a separator that no
/// prefix contains elsewhere, such as `user.` and `user_admin.`. One cache does not know the
/// prefixes of others, so this is not checked here; [`AutoPrefixedCache`](crate::AutoPrefixedCache)
/// checks its separator.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, LruCache, PrefixedCache, SpinCache};
///
/// let base = SpinCache::new(LruCache::<Bytes<20>, u32, 32>::new());
/// let (foo, bar) = (PrefixedCache::new(&base, b"foo."), PrefixedCache::new(&base, b"bar."));
/// foo.insert(b"key", 1)?;
/// bar.insert(b"key", 2)?;
/// assert_eq!(foo.get(b"key")?, Some(1));
/// foo.clear()?;
/// assert_eq!((foo.get(b"key")?, bar.get(b"key")?), (None, Some(2)));
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub type PrefixedCache<'p, C> = Mapped<C, Prefix<&'p <C as Cache>::Key>>;

/// The maximum length of prefix and key together without a heap, in bytes.
pub const MAX_INLINE_KEY: usize = 128;

impl<'p, C: Cache> PrefixedCache<'p, C> {
    /// Prepends `prefix` to every key of `inner`.
    pub const fn new(inner: C, prefix: &'p C::Key) -> Self {
        Self::with_mapping(inner, Prefix::new(prefix))
    }
}

/// The mapping of [`PrefixedCache`]: `prefix + key`, and the value unchanged.
///
/// The prefix may be borrowed or owned: `Mapped::with_mapping(inner,
/// Prefix::new(String::from("foo.")))`.
///
/// ```
/// use ctu_core::{CacheExt, Cache, LruCache, Mapped, Prefix, SpinCache, Text};
/// let base = SpinCache::new(LruCache::<Text<20>, u32, 8>::new());
/// let tenant = format!("tenant{}.", 7);
/// let cache = Mapped::with_mapping(&base, Prefix::new(tenant.as_str()));
/// cache.insert("a", 1)?;
/// assert_eq!(base.get("tenant7.a")?, Some(1));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Prefix<P>(P);

impl<P> Prefix<P> {
    /// The mapping that prepends `prefix`.
    pub const fn new(prefix: P) -> Self {
        Self(prefix)
    }

    /// The prefix.
    pub const fn prefix(&self) -> &P {
        &self.0
    }
}

impl<K, V, P> Mapping<K, V> for Prefix<P>
where
    K: PrefixKey + ?Sized,
    V: Clone,
    P: AsPrefix<K>,
{
    type Key = K;
    type Value = V;
    type At = K::Joined;

    const OWNS_ALL: bool = false;

    #[inline]
    fn at(&self, key: &K) -> Result<K::Joined, Error> {
        key.prefixed(self.0.as_prefix())
    }

    #[inline]
    fn encode(&self, _: &K::Joined, value: V) -> Result<V, Error> {
        Ok(value)
    }

    #[inline]
    fn decode(&self, _: &K::Joined, value: V) -> Result<Option<V>, Error> {
        Ok(Some(value))
    }

    fn origin<'k>(&self, key: &'k K) -> Result<Option<&'k K>, Error> {
        Ok(key.stripped(self.0.as_prefix()))
    }
}

/// A prefix of keys `K`.
///
/// ```
/// use ctu_core::AsPrefix;
///
/// /// The prefix of a region.
/// struct Region(&'static str);
/// impl AsPrefix<str> for Region {
///     fn as_prefix(&self) -> &str {
///         self.0
///     }
/// }
/// assert_eq!(Region("eu.").as_prefix(), "eu.");
/// ```
pub trait AsPrefix<K: ?Sized> {
    /// The prefix.
    fn as_prefix(&self) -> &K;
}

impl<K: ?Sized> AsPrefix<K> for &K {
    #[inline]
    fn as_prefix(&self) -> &K {
        self
    }
}

#[cfg(feature = "alloc")]
impl AsPrefix<str> for alloc::string::String {
    fn as_prefix(&self) -> &str {
        self
    }
}

#[cfg(feature = "alloc")]
impl AsPrefix<[u8]> for alloc::vec::Vec<u8> {
    fn as_prefix(&self) -> &[u8] {
        self
    }
}

/// A key that takes a prefix: `[u8]` or `str`.
///
/// ```
/// use core::borrow::Borrow;
/// use ctu_core::PrefixKey;
/// let joined = "key".prefixed("app.")?;
/// let text: &str = joined.borrow();
/// assert_eq!(text, "app.key");
/// assert_eq!(text.stripped("app."), Some("key"));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a prefix goes before text or bytes, and a key of type `{Self}` is neither",
    label = "not `str` or `[u8]`"
)]
pub trait PrefixKey {
    /// A prefix and a key, joined.
    type Joined: Borrow<Self>;

    /// Joins `prefix` and this key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] if both exceed [`MAX_INLINE_KEY`] together and there is no heap.
    fn prefixed(&self, prefix: &Self) -> Result<Self::Joined, Error>;

    /// The rest of this key after `prefix`, if it begins with it.
    fn stripped<'k>(&'k self, prefix: &Self) -> Option<&'k Self>;
}

/// The buffer of prefix and key for one kind of key.
macro_rules! prefix_key {
    ($(#[$doc:meta])* $Joined:ident: $slice:ty, $inline:ident, $push:ident, $heap:ty, $heap_push:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub struct $Joined {
            inline: $inline<MAX_INLINE_KEY>,
            /// The fallback if `inline` is too small for both.
            #[cfg(feature = "alloc")]
            heap: Option<$heap>,
        }

        impl Borrow<$slice> for $Joined {
            #[inline]
            fn borrow(&self) -> &$slice {
                #[cfg(feature = "alloc")]
                if let Some(key) = &self.heap {
                    return key;
                }
                &self.inline
            }
        }

        impl PrefixKey for $slice {
            type Joined = $Joined;

            #[inline]
            fn prefixed(&self, prefix: &Self) -> Result<$Joined, Error> {
                let mut inline = $inline::new();
                if inline.$push(prefix).is_ok() && inline.$push(self).is_ok() {
                    return Ok($Joined {
                        inline,
                        #[cfg(feature = "alloc")]
                        heap: None,
                    });
                }
                let len = prefix.len().saturating_add(self.len());
                #[cfg(feature = "alloc")]
                {
                    let mut heap = <$heap>::with_capacity(len);
                    heap.$heap_push(prefix);
                    heap.$heap_push(self);
                    let heap = Some(heap);
                    Ok($Joined { inline, heap })
                }
                #[cfg(not(feature = "alloc"))]
                Err(Error::KeyTooLong { len, max: MAX_INLINE_KEY })
            }

            #[inline]
            fn stripped<'k>(&'k self, prefix: &Self) -> Option<&'k Self> {
                self.strip_prefix(prefix)
            }
        }
    };
}

prefix_key! {
    /// A prefix and a key of bytes.
    PrefixedBytes: [u8], Bytes, extend_from_slice, alloc::vec::Vec<u8>, extend_from_slice
}
prefix_key! {
    /// A prefix and a key of text.
    PrefixedText: str, Text, push_str, alloc::string::String, push_str
}
