//! Keys of sealed entries: one writes, several read.

use super::{
    aead::{Aead, KeyedAead},
    hash::{KeyedHash, copy, derive},
    suites::xchacha::XChaCha20Poly1305,
};
use crate::{
    error::{Error, SealError},
    mappings::secret::Secret,
};
use core::fmt;
use heapless::Vec;
use zeroize::Zeroizing;

/// The shortest secret that keys are derived from, in bytes.
const MIN_SECRET: usize = 16;

/// The keys of a [`SealedCache`](crate::SealedCache): one writes, all read.
///
/// [`KeyRing`] is the usual one. `&K`, `Rc<K>` and `Arc<K>` lend keys to several caches.
///
/// ```no_run
/// use ctu_core::{KeyRing, Keys};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
/// let ring = KeyRing::new(&device_secret())?;
/// assert_eq!(ring.writer().0, 0);
/// assert!(ring.reader(0).is_some());
/// assert!(ring.reader(1).is_none());
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub trait Keys {
    /// The suite of the keys.
    type Aead: Aead;

    /// The key that the names of entries are derived from. It outlives the other keys: with
    /// another one, no entry is found.
    fn names(&self) -> &[u8; 32];

    /// The key that seals new entries, and its id.
    fn writer(&self) -> (u8, &SealingKey<Self::Aead>);

    /// The key with `id`, if it may still open entries.
    fn reader(&self, id: u8) -> Option<&SealingKey<Self::Aead>>;
}

macro_rules! pointer_is_keys {
    ($($t:ty),*) => {$(
        impl<K: Keys + ?Sized> Keys for $t {
            type Aead = K::Aead;
            fn names(&self) -> &[u8; 32] {
                (**self).names()
            }
            fn writer(&self) -> (u8, &SealingKey<K::Aead>) {
                (**self).writer()
            }
            fn reader(&self, id: u8) -> Option<&SealingKey<K::Aead>> {
                (**self).reader(id)
            }
        }
    )*};
}
pointer_is_keys!(&K);
#[cfg(feature = "alloc")]
pointer_is_keys!(alloc::boxed::Box<K>, alloc::rc::Rc<K>);
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
pointer_is_keys!(alloc::sync::Arc<K>);

/// One key of a [`KeyRing`]: the cipher that holds it, and the key that nonces are derived with.
///
/// ```
/// use ctu_core::{KeyRing, SealingKey, XChaCha20Poly1305};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
/// let secret = device_secret();
/// let key = SealingKey::<XChaCha20Poly1305>::derived(3, &secret)?;
/// let ring = KeyRing::<_, 1>::with_key(&secret, 3, key)?;
/// # let _ = ring;
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub struct SealingKey<X> {
    pub(super) aead: X,
    pub(super) nonces: KeyedHash,
}

impl<X: KeyedAead> SealingKey<X> {
    /// The key number `id` that HKDF derives from `secret`.
    ///
    /// # Errors
    /// [`Error::SecretTooShort`] below 16 bytes.
    pub fn derived(id: u8, secret: &[u8]) -> Result<Self, Error> {
        const {
            assert!(size_of::<X::Key>() <= 32, "a key has at most 32 bytes");
        }
        long_enough(secret)?;
        let mut key = Zeroizing::new(X::Key::default());
        let derived = purpose(secret, &[b"seal", &[X::SUITE, id]]);
        copy(key.as_mut(), derived.bytes());
        Ok(Self {
            aead: X::new(&key),
            nonces: KeyedHash::new(purpose(secret, &[b"nonce", &[X::SUITE, id]]).bytes()),
        })
    }
}

impl<X: Aead> SealingKey<X> {
    /// A key that `aead` holds, in a cipher unit or a secure element. Nonces are derived with
    /// `secret`, which opens nothing: a reader of it can only confirm a guessed value.
    ///
    /// # Errors
    /// [`Error::SecretTooShort`] below 16 bytes.
    pub fn held_by(aead: X, secret: &[u8]) -> Result<Self, Error> {
        long_enough(secret)?;
        Ok(Self {
            aead,
            nonces: KeyedHash::new(purpose(secret, &[b"held nonce", &[X::SUITE]]).bytes()),
        })
    }
}

impl<X> fmt::Debug for SealingKey<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

#[cfg(feature = "defmt")]
impl<X> defmt::Format for SealingKey<X> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "SealingKey(..)");
    }
}

fn long_enough(secret: &[u8]) -> Result<(), Error> {
    match secret.len() {
        len @ 0..MIN_SECRET => Err(Error::SecretTooShort {
            len,
            min: MIN_SECRET,
        }),
        _ => Ok(()),
    }
}

/// The key of 32 bytes that HKDF derives from `secret` for the purpose `info`.
pub(super) fn purpose(secret: &[u8], info: &[&[u8]]) -> Secret<32> {
    let mut key = Secret::new([0; 32]);
    derive(secret, info, key.bytes_mut());
    key
}

/// The key that writes, and up to `N` others that read, with an id of one byte each.
///
/// To rotate a key, take three steps; in each, the nodes of a fleet follow in any order without a
/// miss: [`add`](Self::add) the new key everywhere, then [`write_with`](Self::write_with) it
/// everywhere, then [`retire`](Self::retire) the old key, whose entries are misses from then on.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, KeyRing, LruCache, SealedCache, SpinCache};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
///
/// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
/// let secret = device_secret();
///
/// let old = SealedCache::with_keys(&base, KeyRing::new(&secret)?); // key 0
/// old.insert(b"wifi/psk", b"correct horse")?;
///
/// let mut ring = KeyRing::new(&secret)?;
/// ring.add(1, &secret)?;
/// ring.write_with(1)?;
/// let new = SealedCache::with_keys(&base, &ring);
/// assert_eq!(new.get(b"wifi/psk")?.as_deref(), Some(&b"correct horse"[..]));
///
/// ring.retire(0)?;
/// let retired = SealedCache::with_keys(&base, &ring);
/// assert_eq!(retired.get(b"wifi/psk")?, None);
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// Keys are wiped when they are retired or dropped, and never printed. A look-up of a key takes
/// O(`N`).
pub struct KeyRing<X = XChaCha20Poly1305, const N: usize = 1> {
    names: Secret<32>,
    writer: (u8, SealingKey<X>),
    readers: Vec<(u8, SealingKey<X>), N>,
}

impl KeyRing {
    /// A ring of the default suite and size, with key 0 and the names derived from `secret`.
    ///
    /// # Errors
    /// [`Error::SecretTooShort`] below 16 bytes.
    pub fn new(secret: &[u8]) -> Result<Self, Error> {
        Self::derived(secret, 0, secret)
    }
}

impl<X: KeyedAead, const N: usize> KeyRing<X, N> {
    /// A ring that finds entries by names derived from `names`, and writes with key `id` derived
    /// from `secret`.
    ///
    /// `names` stays the same for good; `secret` may be another one or the same.
    ///
    /// # Errors
    /// [`Error::SecretTooShort`] below 16 bytes.
    pub fn derived(names: &[u8], id: u8, secret: &[u8]) -> Result<Self, Error> {
        Self::with_key(names, id, SealingKey::derived(id, secret)?)
    }

    /// Adds key `id`, derived from `secret`, to the keys that read.
    ///
    /// # Errors
    /// [`Error::SecretTooShort`] below 16 bytes, and as [`add_key`](Self::add_key).
    pub fn add(&mut self, id: u8, secret: &[u8]) -> Result<(), Error> {
        self.add_key(id, SealingKey::derived(id, secret)?)
    }
}

impl<X: Aead, const N: usize> KeyRing<X, N> {
    /// A ring that finds entries by names derived from `names`, and writes with `key`.
    ///
    /// # Errors
    /// [`Error::SecretTooShort`] below 16 bytes.
    pub fn with_key(names: &[u8], id: u8, key: SealingKey<X>) -> Result<Self, Error> {
        long_enough(names)?;
        Ok(Self {
            names: purpose(names, &[b"names"]),
            writer: (id, key),
            readers: Vec::new(),
        })
    }

    /// Adds `key` to the keys that read.
    ///
    /// # Errors
    /// [`SealError::DuplicateKey`] where the ring has a key with this id, [`Error::OutOfRange`] where it
    /// has `N` keys beside the writer. The ring is unchanged.
    pub fn add_key(&mut self, id: u8, key: SealingKey<X>) -> Result<(), Error> {
        if self.reader(id).is_some() {
            return Err(Error::Seal(SealError::DuplicateKey { id }));
        }
        let full = Error::OutOfRange {
            what: "number of keys beside the writer",
            got: N.saturating_add(1),
            min: 0,
            max: N,
        };
        self.readers.push((id, key)).map_err(|_| full)
    }

    /// Seals new entries with key `id`; the key before stays one that reads.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`] where the ring has no key with this id. The ring is unchanged.
    pub fn write_with(&mut self, id: u8) -> Result<(), Error> {
        if self.writer.0 == id {
            return Ok(());
        }
        match self.readers.iter_mut().find(|reader| reader.0 == id) {
            Some(reader) => {
                core::mem::swap(reader, &mut self.writer);
                Ok(())
            }
            None => Err(Error::Seal(SealError::UnknownKey { id })),
        }
    }

    /// Wipes key `id`, and opens none of its entries from now on.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`] where no key that reads has this id, [`SealError::KeyInUse`] for the
    /// key that writes. The ring is unchanged.
    pub fn retire(&mut self, id: u8) -> Result<(), Error> {
        if self.writer.0 == id {
            return Err(Error::Seal(SealError::KeyInUse { id }));
        }
        let unknown = Error::Seal(SealError::UnknownKey { id });
        // A swap and a drop in place: a move of the last key would leave its bytes in its slot.
        let (last, others) = self.readers.split_last_mut().ok_or(unknown)?;
        if last.0 != id {
            let retired = others.iter_mut().find(|reader| reader.0 == id);
            core::mem::swap(retired.ok_or(unknown)?, last);
        }
        let left = others.len();
        self.readers.truncate(left);
        Ok(())
    }
}

impl<X: Aead, const N: usize> Keys for KeyRing<X, N> {
    type Aead = X;

    #[inline]
    fn names(&self) -> &[u8; 32] {
        self.names.bytes()
    }

    #[inline]
    fn writer(&self) -> (u8, &SealingKey<X>) {
        (self.writer.0, &self.writer.1)
    }

    #[inline]
    fn reader(&self, id: u8) -> Option<&SealingKey<X>> {
        let mut keys = core::iter::once(&self.writer).chain(&self.readers);
        keys.find(|key| key.0 == id).map(|key| &key.1)
    }
}

impl<X: Aead, const N: usize> fmt::Debug for KeyRing<X, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("suite", &X::NAME)
            .field("writer", &self.writer.0)
            .field("readers", &self.readers.len())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<X: Aead, const N: usize> defmt::Format for KeyRing<X, N> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "KeyRing {{ suite: {=str}, writer: {=u8}, readers: {=usize}, .. }}",
            X::NAME,
            self.writer.0,
            self.readers.len()
        );
    }
}
