//! Values encrypted, keys hashed: CacheToolsUtils' `EncryptedCache`, byte for byte.

mod check;
mod cipher;
mod derived;
#[cfg(all(test, feature = "aes"))]
mod tests;

pub use check::SecretCheck;
#[cfg(feature = "aes")]
pub use cipher::Aes128Cbc;
#[cfg(feature = "chacha20")]
pub use cipher::ChaCha20;
pub use cipher::{Cipher, Salsa20};
pub use derived::Derived;

use crate::{
    counter::Counter,
    entries::Buffer,
    error::Error,
    mappings::{mapped::Mapped, mapping::Mapping, secret::Secret},
};
use core::{fmt, marker::PhantomData, ops::RangeInclusive};
use sha3::{Digest, Sha3_256};
use subtle::{Choice, ConstantTimeEq};

/// Encrypts the values and hashes the keys of a cache of bytes with a secret, before they reach the
/// inner cache.
///
/// The format is that of `EncryptedCache` in Python's CacheToolsUtils 11.0, so both can share a
/// Redis or a Memcached. With `d = SHA3-512(key + secret)`, the key in the inner cache is
/// `d[..hsize]`. The value follows the first `csize` bytes of `SHA3-256(value)`, and both are
/// encrypted with a key and a nonce from `d` (see [`Salsa20`], `ChaCha20`, `Aes128Cbc`). An
/// operation costs one SHA3-512 of the key, and the cipher: 35,237 instructions a `get` of 64 bytes on
/// a Cortex-M3. A key of 40 bytes or more, which with a secret of 32 bytes takes a second block of the
/// hash, makes that 50,765, and a `csize` above 0, which hashes the value, 67,730.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, EncryptedCache, LruCache, SpinCache};
///
/// const SECRET: &[u8; 32] = b"thirty-two bytes that none knows";
///
/// let flash = SpinCache::new(LruCache::<Bytes<16>, Bytes<64>, 32>::new());
/// let vault = EncryptedCache::new(&flash, SECRET);
/// vault.insert(b"wifi/psk", b"correct horse")?;
/// assert_eq!(vault.get(b"wifi/psk")?.as_deref(), Some(&b"correct horse"[..]));
/// assert!(!flash.contains(b"wifi/psk")?);
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// A secret that is known only at run time is checked then, and settings are changed before first
/// use:
///
/// ```
/// use ctu_core::{Bytes, EncryptedCache, Error, LruCache, SpinCache};
///
/// let base = SpinCache::new(LruCache::<Bytes<32>, Bytes<80>, 32>::new());
/// let vault = EncryptedCache::try_new(&base, "from a file, 16 bytes or more")?.hsize(32)?.csize(16)?;
/// # drop(vault);
/// assert_eq!(
///     EncryptedCache::try_new(&base, "too short").err(),
///     Some(Error::SecretTooShort { len: 9, min: 16 }),
/// );
/// # Ok::<(), Error>(())
/// ```
///
/// # Protection
/// A reader of the cache below sees neither keys nor values, if the secret cannot be guessed.
///
/// # Limits
/// The format is fixed, and so are its limits:
/// * **A value that is rewritten under the same key has the same keystream.** The cipher's key and
///   nonce depend on the cache's key and secret alone. An attacker with two values of one key, from
///   Redis at two times or from a worn flash page, has the XOR of both. With AES-128-CBC the attacker
///   sees how many blocks at the beginning are the same. Put a version in the key where that matters.
/// * **Nothing is authenticated.** A writer to the cache below can flip chosen bits of a value, put
///   back an old one, exchange the values of two caches with one secret and one key, or remove one.
///   `csize` detects accidents: the checksum is an unkeyed hash.
/// * **AES-128-CBC is a padding oracle.** An attacker with write access to the cache below and
///   learns which of them are [`damaged`](Mapped::damaged) decrypts values without the secret, when
///   `csize` is 0. With a checksum both cases cost one hash of the value and are one answer; short
///   checksums weaken that. The stream ciphers have no padding.
/// * **The checksum is in the clear.** With `csize` above 0 an attacker can verify a guessed value.
/// * The lengths of values, equal entries at two times and the use of each entry are visible.
///
/// # One secret, one set of keys
/// Only the key above the encryption and the secret make the keystream. Two caches with one secret
/// therefore need different keys *above*: a prefix goes above the encryption. Prefixes below it
/// leave the keystreams equal, so the XOR of the values at equal keys is open and the entries of
/// the two can be exchanged. A prefix below only keeps encrypted entries apart from those of other
/// programs; then each such cache needs a secret of its own.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, EncryptedCache, LruCache, PrefixedCache, SpinCache};
///
/// const SECRET: &[u8; 32] = b"thirty-two bytes that none knows";
///
/// let flash = SpinCache::new(LruCache::<Bytes<16>, Bytes<64>, 32>::new());
/// let vault = EncryptedCache::new(&flash, SECRET);
/// let users = PrefixedCache::new(&vault, b"user.");
/// let orders = PrefixedCache::new(&vault, b"order.");
/// users.insert(b"1", b"Ada")?;
/// orders.insert(b"1", b"Tea")?;
/// assert_eq!(users.get(b"1")?.as_deref(), Some(&b"Ada"[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// # Damage
/// A value that fails the checks of `csize` or padding is a miss: `get` returns `Ok(None)`,
/// `contains` returns `false`, and [`damaged`](Mapped::damaged) counts it. So `contains` costs as
/// much as `get`. `get_or_insert_with` replaces the value. The first such value is reported by an
/// event of `tracing` (warning) and by `defmt` (error), if these features are on.
///
/// # A wrong secret
/// The secret determines the stored key of an entry. With another secret, every lookup uses a key
/// without an entry: **each is a plain miss, and neither `damaged` nor `csize` shows it.** The old
/// entries stay until they expire. [`check_secret`](EncryptedCache::check_secret) at the start of a
/// program distinguishes a wrong secret from an empty cache.
///
/// A wrong *setting* with the right secret has other effects:
/// * another cipher, or another `csize`: lookups find the entries. With `csize` above 0 all values are
///   damaged, counted and reported. With `csize` 0 the stream ciphers return noise without an error,
///   and AES-128-CBC detects 255 of 256 values by their padding.
/// * another `hsize`: each lookup is a plain miss, as with a wrong secret.
///
/// # Secrets
/// A [`Secret`] that the cache owns is wiped when it is dropped, and so is everything derived from
/// it; it is never printed. One that is lent (`try_new(inner, &bytes)`) is the lender's to wipe.
/// Values that `get` returned are the caller's.
pub type EncryptedCache<C, S = Secret<32>, X = Salsa20> = Mapped<C, Encryption<S, X>>;

/// The mapping of [`EncryptedCache`].
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, Encryption, LruCache, Mapped, SpinCache};
/// # fn secret() -> [u8; 32] { [9; 32] }
/// let base = SpinCache::new(LruCache::<Bytes<20>, Bytes<64>, 8>::new());
/// let cache = Mapped::with_mapping(&base, Encryption::new(&secret()));
/// cache.insert(b"key", b"value")?;
/// assert_eq!(cache.get(b"key")?.as_deref(), Some(&b"value"[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub struct Encryption<S, X = Salsa20> {
    secret: S,
    hsize: u8,
    csize: u8,
    damaged: Counter,
    cipher: PhantomData<fn() -> X>,
}

/// The shortest secret, in bytes.
const MIN_SECRET: usize = 16;
const HSIZE: RangeInclusive<usize> = 8..=32;
const CSIZE: RangeInclusive<usize> = 0..=32;

impl<const N: usize> Encryption<Secret<N>> {
    /// Encryption with a copy of `secret`. Compiles only for 16 bytes or more.
    pub const fn new(secret: &[u8; N]) -> Self {
        const {
            assert!(N >= MIN_SECRET, "a secret must have at least 16 bytes");
        }
        Self::unchecked(Secret::new(*secret))
    }
}

impl<S> Encryption<S> {
    const fn unchecked(secret: S) -> Self {
        Self {
            secret,
            hsize: 16,
            csize: 0,
            damaged: Counter::new(),
            cipher: PhantomData,
        }
    }
}

impl<S: AsRef<[u8]>> Encryption<S> {
    /// Encryption with `secret`: a [`Secret`], a `Zeroizing<Vec<u8>>`, a `&[u8]`.
    ///
    /// # Errors
    /// [`Error::SecretTooShort`] where it has less than 16 bytes.
    pub fn try_new(secret: S) -> Result<Self, Error> {
        match secret.as_ref().len() {
            len @ 0..MIN_SECRET => Err(Error::SecretTooShort {
                len,
                min: MIN_SECRET,
            }),
            _ => Ok(Self::unchecked(secret)),
        }
    }
}

impl<S, X> Encryption<S, X> {
    /// Stores at the first `hsize` bytes of the hash, 8 to 32, instead of 16. Two keys collide with
    /// a chance of one in 2^(8 × hsize).
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn hsize(mut self, hsize: usize) -> Result<Self, Error> {
        self.hsize = in_range("hsize", hsize, HSIZE)?;
        Ok(self)
    }

    /// Puts `csize` bytes of checksum, 0 to 32, before the value, instead of none.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn csize(mut self, csize: usize) -> Result<Self, Error> {
        self.csize = in_range("csize", csize, CSIZE)?;
        Ok(self)
    }

    /// Encrypts with another cipher than [`Salsa20`].
    pub fn cipher<Y: Cipher>(self, _: Y) -> Encryption<S, Y> {
        Encryption {
            secret: self.secret,
            hsize: self.hsize,
            csize: self.csize,
            damaged: self.damaged,
            cipher: PhantomData,
        }
    }

    /// How many values were found damaged and taken for misses.
    pub fn damaged(&self) -> usize {
        self.damaged.get()
    }
}

fn in_range(what: &'static str, got: usize, allowed: RangeInclusive<usize>) -> Result<u8, Error> {
    match u8::try_from(got) {
        Ok(size) if allowed.contains(&got) => Ok(size),
        _ => Err(Error::OutOfRange {
            what,
            got,
            min: *allowed.start(),
            max: *allowed.end(),
        }),
    }
}

impl<B, S, X> Mapping<[u8], B> for Encryption<S, X>
where
    B: Buffer + Clone,
    S: AsRef<[u8]>,
    X: Cipher,
{
    type Key = [u8];
    type Value = B;
    type At = Derived;

    const VERIFIES: bool = true;
    const NO_ORIGIN: Option<Error> = Some(Error::HashedKeys);

    #[inline]
    fn at(&self, key: &[u8]) -> Result<Derived, Error> {
        Ok(Derived::new(key, self.secret.as_ref(), self.hsize))
    }

    fn encode(&self, at: &Derived, mut value: B) -> Result<B, Error> {
        let len = value.as_ref().len();
        let csize = usize::from(self.csize);
        let room = csize.saturating_add(X::padding(len));
        // Reserves all room at once, so that a value that is too long fails before any change.
        value.append([0; MAX_ROOM].get(..room).ok_or(UNENCRYPTED)?)?;
        if csize == 0 {
            let done = X::encrypt(at.bytes(), value.as_mut(), len);
            return if done { Ok(value) } else { Err(UNENCRYPTED) };
        }
        let checksum = Sha3_256::digest(value.as_ref().get(..len).unwrap_or_default());
        let bytes = value.as_mut();
        if bytes.len().checked_sub(len) >= Some(csize) {
            bytes.copy_within(..len, csize);
        }
        if let Some((head, body)) = bytes.split_at_mut_checked(csize) {
            head.iter_mut()
                .zip(checksum)
                .for_each(|(to, from)| *to = from);
            if X::encrypt(at.bytes(), body, len) {
                return Ok(value);
            }
        }
        Err(UNENCRYPTED)
    }

    fn decode(&self, at: &Derived, mut value: B) -> Result<Option<B>, Error> {
        let csize = usize::from(self.csize);
        let Some(len) = open::<X, Sha3_256>(at, value.as_mut(), csize) else {
            if self.damaged.count() == 0 {
                tell_damaged();
            }
            return Ok(None);
        };
        value.truncate(len);
        Ok(Some(value))
    }
}

/// Logs the first damaged value by `tracing`. The macros of `defmt` would make every firmware with
/// an `EncryptedCache` link a logger.
#[cold]
fn tell_damaged() {
    #[cfg(all(feature = "tracing", target_has_atomic = "ptr"))]
    tracing::warn!(
        "an encrypted value is damaged, or was written with other settings: it is a miss"
    );
}

/// Decrypts `bytes` in place, with a checksum of `csize` bytes in front, and moves the value to the
/// beginning. Returns the value's length, or `None` for a damaged value.
///
/// The checksum is computed for good and bad padding alike: the work does not tell the one from the
/// other.
fn open<X: Cipher, D: Digest>(at: &Derived, bytes: &mut [u8], csize: usize) -> Option<usize> {
    let (head, body) = bytes.split_at_mut_checked(csize)?;
    let opened = X::decrypt(at.bytes(), body);
    if csize == 0 {
        return opened;
    }
    // The length that goes with the shortest padding, which a guess at the padding hits most often.
    let len = opened.unwrap_or(body.len().saturating_sub(1));
    let checksum = D::digest(body.get(..len).unwrap_or_default());
    let expected = checksum.get(..csize).unwrap_or_default();
    let is_intact = expected.ct_eq(head) & Choice::from(u8::from(opened.is_some()));
    if !bool::from(is_intact) {
        return None;
    }
    let end = csize.saturating_add(len);
    if end <= bytes.len() {
        bytes.copy_within(csize..end, 0);
    }
    Some(len)
}

/// Nothing is ever stored that was not encrypted.
const UNENCRYPTED: Error = Error::Encode("a value longer than its keystream");

/// The most that encryption adds to a value: a checksum and a block of padding.
const MAX_ROOM: usize = 32 + 16;

impl<S, X: Cipher> fmt::Debug for Encryption<S, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryption")
            .field("cipher", &X::NAME)
            .field("hsize", &self.hsize)
            .field("csize", &self.csize)
            .field("damaged", &self.damaged.get())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<S, X: Cipher> defmt::Format for Encryption<S, X> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Encryption {{ cipher: {}, hsize: {}, csize: {}, damaged: {}, .. }}",
            X::NAME,
            self.hsize,
            self.csize,
            self.damaged.get()
        );
    }
}

impl<C, const N: usize> EncryptedCache<C, Secret<N>> {
    /// Encrypts the entries of `inner` with a copy of `secret`. Compiles only for 16 bytes or more.
    pub const fn new(inner: C, secret: &[u8; N]) -> Self {
        Self::with_mapping(inner, Encryption::new(secret))
    }
}

impl<C, S: AsRef<[u8]>> EncryptedCache<C, S> {
    /// Encrypts the entries of `inner` with `secret`: a [`Secret`], a `Zeroizing<Vec<u8>>`, a
    /// `&[u8]`.
    ///
    /// # Errors
    /// [`Error::SecretTooShort`] if the secret has less than 16 bytes.
    pub fn try_new(inner: C, secret: S) -> Result<Self, Error> {
        Ok(Self::with_mapping(inner, Encryption::try_new(secret)?))
    }
}

impl<C, S, X> EncryptedCache<C, S, X> {
    /// As [`Encryption::hsize`].
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn hsize(self, hsize: usize) -> Result<Self, Error> {
        self.try_map(|encryption| encryption.hsize(hsize))
    }

    /// As [`Encryption::csize`].
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn csize(self, csize: usize) -> Result<Self, Error> {
        self.try_map(|encryption| encryption.csize(csize))
    }

    /// As [`Encryption::cipher`].
    pub fn cipher<Y: Cipher>(self, cipher: Y) -> EncryptedCache<C, S, Y> {
        self.map(|encryption| encryption.cipher(cipher))
    }

    /// As [`Encryption::damaged`].
    pub fn damaged(&self) -> usize {
        self.mapping().damaged()
    }
}
