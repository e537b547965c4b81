//! Values sealed: authenticated encryption that binds each value to its place.

mod aead;
mod entry;
mod hash;
mod monotonic;
mod name;
mod replay;
mod ring;
mod salt;
mod sealing;
mod suites;

pub use aead::{Aead, KeyedAead, Tag};
pub use monotonic::{MonotonicCounter, SoftCounter};
pub use name::{HashedAt, HashedNames, Location, Names, PlainAt, PlainNames};
pub use ring::{KeyRing, Keys, SealingKey};
pub use salt::{NoSalt, Salt};
pub use sealing::Sealing;
#[cfg(feature = "aes-gcm-siv")]
pub use suites::aes_gcm_siv::Aes256GcmSiv;
#[cfg(feature = "ascon")]
pub use suites::ascon::AsconAead128;
pub use suites::xchacha::XChaCha20Poly1305;

use crate::{
    error::Error,
    mappings::mapped::Mapped,
    wall_clock::{NoWallClock, WallClock},
};

/// A cache of bytes whose values are encrypted and authenticated, each for its place, before they
/// reach the cache below: a server, a flash chip.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, LruCache, PrefixedCache, SealedCache, SpinCache};
///
/// # fn device_secret() -> [u8; 32] { [9; 32] }
/// let flash = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 32>::new());
/// let secret = device_secret(); // from a fuse, a secure element, a key file: never a constant
/// let sealed = SealedCache::new(&flash, &secret)?;
/// let settings = PrefixedCache::new(&sealed, b"cfg.");
/// settings.insert(b"wifi/psk", b"correct horse")?;
/// assert_eq!(settings.get(b"wifi/psk")?.as_deref(), Some(&b"correct horse"[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// A value opens only as it was sealed: under its key, context, epoch, suite and secret, unexpired,
/// every bit unchanged. All else is a miss, and [`rejected`](Self::rejected) counts it; nothing
/// unverified reaches the caller, and its plaintext is wiped. All rejections look alike from the
/// outside and take alike.
///
/// Put a prefix *above* this cache: it is then part of the key, hidden and bound like it. A prefix
/// below is neither.
///
/// # Suites
/// `XChaCha20Poly1305` is the default. `Aes256GcmSiv` (feature `aes-gcm-siv`) is for processors with
/// AES instructions, and adds the fewest bytes. `AsconAead128` (feature `ascon`) has the smallest
/// stack. On a Cortex-M3, a get of 64 bytes takes 10,895 instructions with XChaCha20-Poly1305, 15,505
/// with Ascon-AEAD128 and 68,517 with AES-256-GCM-SIV. Other ciphers, cipher units and secure
/// elements implement [`Aead`](crate::Aead).
///
/// # Secrets
/// Keys are derived from a secret of at least 16 random bytes by HKDF; passwords need a password
/// hash first. Keys are wiped when they are dropped, and never printed. [`KeyRing`](crate::KeyRing)
/// rotates them.
///
/// # Expiry and replay
/// With a [`wall_clock`](Self::wall_clock), the time to live given to the entry, or that of the
/// cache below, is sealed with the value: an old entry that the server puts back after its time is
/// a miss. Without one, the cache below can put back any value that was ever stored under a key in
/// this epoch. A new [`epoch`](Self::set_epoch) makes all entries before it misses.
///
/// # Form
/// `ciphertext | expiry (4) | nonce | tag (16) | key id (1)`. The nonce is a keyed hash of the
/// value and everything bound to it, so no source of random numbers is needed, and none can break
/// the cipher; see [`salt`](Self::salt).
pub type SealedCache<C, R = KeyRing, P = HashedNames, W = NoWallClock, S = NoSalt> =
    Mapped<C, Sealing<R, P, W, S>>;

impl<C> SealedCache<C> {
    /// Seals with key 0 derived from `secret`, by the default suite, the values that go to `inner`.
    ///
    /// # Errors
    /// [`Error::SecretTooShort`] below 16 bytes.
    pub fn new(inner: C, secret: &[u8]) -> Result<Self, Error> {
        Ok(Self::with_keys(inner, KeyRing::new(secret)?))
    }
}

impl<C, R: Keys> SealedCache<C, R> {
    /// Seals with `keys` the values that go to `inner`: a [`KeyRing`](crate::KeyRing), or one lent.
    pub fn with_keys(inner: C, keys: R) -> Self {
        Self::with_mapping(inner, Sealing::new(keys))
    }
}

impl<C, R: Keys, P, W, S> SealedCache<C, R, P, W, S> {
    /// As [`Sealing::context`].
    #[must_use]
    pub fn context(self, context: &[u8]) -> Self {
        self.map(|sealing| sealing.context(context))
    }

    /// As [`Sealing::name_size`].
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn name_size(self, bytes: usize) -> Result<SealedCache<C, R, HashedNames, W, S>, Error> {
        self.try_map(|sealing| sealing.name_size(bytes))
    }

    /// As [`Sealing::plain_names`].
    #[must_use]
    pub fn plain_names(self) -> SealedCache<C, R, PlainNames, W, S> {
        self.map(Sealing::plain_names)
    }

    /// As [`Sealing::wall_clock`].
    #[must_use]
    pub fn wall_clock<T: WallClock>(self, clock: T) -> SealedCache<C, R, P, T, S> {
        self.map(|sealing| sealing.wall_clock(clock))
    }

    /// As [`Sealing::salt`].
    #[must_use]
    pub fn salt<T: Salt>(self, salt: T) -> SealedCache<C, R, P, W, T> {
        self.map(|sealing| sealing.salt(salt))
    }

    /// As [`Sealing::epoch`].
    #[must_use]
    pub fn epoch(self, epoch: u32) -> Self {
        self.map(|sealing| sealing.epoch(epoch))
    }

    /// As [`Sealing::set_epoch`].
    pub fn set_epoch(&self, epoch: u32) {
        self.mapping().set_epoch(epoch);
    }

    /// As [`Sealing::forget_all`].
    ///
    /// # Errors
    /// A failure of the counter.
    pub fn forget_all<M: MonotonicCounter>(&self, counter: &mut M) -> Result<(), M::Error> {
        self.mapping().forget_all(counter)
    }

    /// As [`Sealing::rejected`].
    pub fn rejected(&self) -> usize {
        self.mapping().rejected()
    }

    /// As [`Sealing::expired`].
    pub fn expired(&self) -> usize {
        self.mapping().expired()
    }

    /// As [`Sealing::unknown_key`].
    pub fn unknown_key(&self) -> usize {
        self.mapping().unknown_key()
    }
}
