//! Names of sealed entries in the inner cache: keyed hashes or the keys.

use super::hash::{BLOCK, KeyedHash, copy};
use crate::{
    error::Error,
    mappings::prefixed::{PrefixKey, PrefixedBytes},
};
use core::{borrow::Borrow, fmt};
use zeroize::Zeroize;

/// The place of an entry: a keyed hash of context and key, bound into the entry.
///
/// Wiped when it is dropped, and never printed: from it follow the names of an entry.
///
/// ```
/// use core::borrow::Borrow;
/// use ctu_core::{KeyRing, Mapping, Sealing, XChaCha20Poly1305};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
/// let sealing = Sealing::new(KeyRing::<XChaCha20Poly1305, 1>::new(&device_secret())?);
/// let at = Mapping::<[u8], Vec<u8>>::at(&sealing, b"key")?;
/// assert_eq!(format!("{:?}", at.as_ref()), "Location(..)");
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub struct Location(pub(super) [u8; 32]);

impl Location {
    /// BLAKE2s-256 of the length of `key` (8 bytes, little endian), `key`, and zeros up to a full
    /// block, with the key of a context.
    #[inline]
    pub(super) fn new(context: &KeyedHash, key: &[u8]) -> Self {
        let mut head = [0; BLOCK];
        let (length, room) = head.split_at_mut(8);
        copy(length, &(key.len() as u64).to_le_bytes());
        copy(room, key);
        let rest = key.get(room.len()..).unwrap_or_default();
        let hash = context.of(&head, rest);
        head.zeroize();
        Self(hash)
    }
}

impl Drop for Location {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Location(..)")
    }
}

mod sealed {
    pub trait Sealed {}
}

/// The names of entries in the cache below: [`HashedNames`] or [`PlainNames`].
///
/// ```
/// use ctu_core::{HashedNames, Names, PlainNames};
/// // With hashes for names, `retain` and `keys` are errors.
/// assert!(HashedNames::NO_ORIGIN.is_some() && PlainNames::NO_ORIGIN.is_none());
/// ```
pub trait Names: sealed::Sealed {
    /// A name, and the location that it stands for.
    type At: Borrow<[u8]> + AsRef<Location>;

    /// The error of `retain` if names cannot be translated back into keys.
    const NO_ORIGIN: Option<Error> = None;

    /// The name of `key`, which lives at `location`.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] where there is no room for the name.
    fn name(&self, key: &[u8], location: Location) -> Result<Self::At, Error>;

    /// The key with `name`.
    ///
    /// # Errors
    /// [`Error::HashedKeys`] if names are hashes.
    fn key<'n>(&self, name: &'n [u8]) -> Result<Option<&'n [u8]>, Error>;
}

/// Names that tell nothing: the first bytes of a keyed hash of context and key.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, LruCache, SealedCache, SpinCache};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
/// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
/// let cache = SealedCache::new(&base, &device_secret())?;
/// cache.insert(b"key", b"value")?;
/// assert!(!base.contains(b"key")?);
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct HashedNames {
    size: u8,
}

impl HashedNames {
    pub(super) const fn new(size: u8) -> Self {
        Self { size }
    }
}

impl sealed::Sealed for HashedNames {}

impl Names for HashedNames {
    type At = HashedAt;

    const NO_ORIGIN: Option<Error> = Some(Error::HashedKeys);

    #[inline]
    fn name(&self, _: &[u8], location: Location) -> Result<HashedAt, Error> {
        let size = self.size;
        Ok(HashedAt { location, size })
    }

    fn key<'n>(&self, _: &'n [u8]) -> Result<Option<&'n [u8]>, Error> {
        Err(Error::HashedKeys)
    }
}

/// A hashed name, and its location.
///
/// ```
/// use core::borrow::Borrow;
/// use ctu_core::{KeyRing, Mapping, Sealing, XChaCha20Poly1305};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
/// let sealing = Sealing::new(KeyRing::<XChaCha20Poly1305, 1>::new(&device_secret())?);
/// let at = Mapping::<[u8], Vec<u8>>::at(&sealing, b"key")?;
/// let name: &[u8] = at.borrow();
/// assert_eq!(name.len(), 16);
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Debug)]
pub struct HashedAt {
    location: Location,
    size: u8,
}

impl Borrow<[u8]> for HashedAt {
    #[inline]
    fn borrow(&self) -> &[u8] {
        let hash = &self.location.0;
        hash.get(..usize::from(self.size)).unwrap_or(hash)
    }
}

impl AsRef<Location> for HashedAt {
    #[inline]
    fn as_ref(&self) -> &Location {
        &self.location
    }
}

/// Names that are the keys themselves, readable at the server.
///
/// Keys of at most [`MAX_INLINE_KEY`](crate::MAX_INLINE_KEY) bytes, unless feature `alloc` is on.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, LruCache, SealedCache, SpinCache};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
/// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
/// let cache = SealedCache::new(&base, &device_secret())?.plain_names();
/// cache.insert(b"key", b"value")?;
/// assert!(base.contains(b"key")?);
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PlainNames;

impl sealed::Sealed for PlainNames {}

impl Names for PlainNames {
    type At = PlainAt;

    #[inline]
    fn name(&self, key: &[u8], location: Location) -> Result<PlainAt, Error> {
        let name = key.prefixed(&[])?;
        Ok(PlainAt { location, name })
    }

    fn key<'n>(&self, name: &'n [u8]) -> Result<Option<&'n [u8]>, Error> {
        Ok(Some(name))
    }
}

/// A key as it is, and its location.
///
/// ```
/// use core::borrow::Borrow;
/// use ctu_core::{KeyRing, Mapping, Sealing, XChaCha20Poly1305};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
/// let sealing = Sealing::new(KeyRing::<XChaCha20Poly1305, 1>::new(&device_secret())?).plain_names();
/// let at = Mapping::<[u8], Vec<u8>>::at(&sealing, b"key")?;
/// let name: &[u8] = at.borrow();
/// assert_eq!(name, b"key");
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Debug)]
pub struct PlainAt {
    location: Location,
    name: PrefixedBytes,
}

impl Borrow<[u8]> for PlainAt {
    #[inline]
    fn borrow(&self) -> &[u8] {
        self.name.borrow()
    }
}

impl AsRef<Location> for PlainAt {
    #[inline]
    fn as_ref(&self) -> &Location {
        &self.location
    }
}
