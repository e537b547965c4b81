//! The ciphers, and which bytes of `d = SHA3-512(key + secret)` each takes.

use salsa20::cipher::{KeyIvInit, StreamCipher};

mod sealed {
    pub trait Sealed {}
}

/// A cipher of [`EncryptedCache`](crate::EncryptedCache): [`Salsa20`], `ChaCha20` (feature
/// `chacha20`) or `Aes128Cbc` (feature `aes`), and no other, since the format knows no other.
///
/// ```
/// use ctu_core::{Cipher, Salsa20};
/// assert_eq!((Salsa20::NAME, Salsa20::padding(64)), ("Salsa20", 0));
/// ```
pub trait Cipher: sealed::Sealed {
    /// Its name in CacheToolsUtils.
    const NAME: &'static str;

    /// How many bytes padding adds to a value of `len` bytes; at most 16.
    fn padding(len: usize) -> usize;

    /// Encrypts a value in place: the first `len` bytes of `bytes`, of which the others are for
    /// padding. Says whether it could.
    fn encrypt(derived: &[u8; 64], bytes: &mut [u8], len: usize) -> bool;

    /// Decrypts a value in place, and returns its length without padding; `None` where it cannot
    /// have been encrypted so.
    fn decrypt(derived: &[u8; 64], bytes: &mut [u8]) -> Option<usize>;
}

/// Part of the derived bytes, from `START`; where they are, so that there is no copy to wipe.
#[inline]
fn part<const START: usize, const LEN: usize>(derived: &[u8; 64]) -> Option<&[u8; LEN]> {
    const {
        assert!(START + LEN <= 64, "a part must lie in the derived bytes");
    }
    derived.split_at_checked(START)?.1.first_chunk()
}

/// A stream cipher with a key of 32 bytes, `d[32..64]`, and a nonce of 8, `d[24..32]`.
macro_rules! stream_cipher {
    ($(#[$doc:meta])* $Name:ident, $name:literal, $cipher:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub struct $Name;

        impl sealed::Sealed for $Name {}

        impl Cipher for $Name {
            const NAME: &'static str = $name;

            #[inline]
            fn padding(_: usize) -> usize {
                0
            }

            #[inline]
            fn encrypt(derived: &[u8; 64], bytes: &mut [u8], _: usize) -> bool {
                Self::decrypt(derived, bytes).is_some()
            }

            #[inline]
            fn decrypt(derived: &[u8; 64], bytes: &mut [u8]) -> Option<usize> {
                let (key, nonce) = (part::<32, 32>(derived)?, part::<24, 8>(derived)?);
                // Fails only where the keystream ends, beyond any value that fits in memory.
                <$cipher>::new(key.into(), nonce.into())
                    .try_apply_keystream(bytes)
                    .ok()?;
                Some(bytes.len())
            }
        }
    };
}

stream_cipher! {
    /// Salsa20 with 20 rounds: key `d[32..64]`, nonce `d[24..32]`. Adds nothing to a value.
    ///
    /// ```
    /// use ctu_core::{Bytes, Cache, CacheExt, EncryptedCache, LruCache, Salsa20, SpinCache};
    /// # fn secret() -> [u8; 32] { [7; 32] }
    /// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<64>, 8>::new());
    /// let vault: EncryptedCache<_, _, Salsa20> = EncryptedCache::try_new(&base, secret())?;
    /// vault.insert(b"key", b"value")?;
    /// assert_eq!(vault.get(b"key")?.as_deref(), Some(&b"value"[..]));
    /// # Ok::<(), ctu_core::Error>(())
    /// ```
    Salsa20, "Salsa20", salsa20::Salsa20
}

#[cfg(feature = "chacha20")]
stream_cipher! {
    /// ChaCha20 in its first form, with a nonce of 8 bytes: key `d[32..64]`, nonce `d[24..32]`.
    /// Adds nothing to a value.
    ///
    /// ```
    /// use ctu_core::{Bytes, Cache, CacheExt, ChaCha20, EncryptedCache, LruCache, SpinCache};
    /// # fn secret() -> [u8; 32] { [7; 32] }
    /// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<64>, 8>::new());
    /// let vault = EncryptedCache::try_new(&base, secret())?.cipher(ChaCha20);
    /// vault.insert(b"key", b"value")?;
    /// assert_eq!(vault.get(b"key")?.as_deref(), Some(&b"value"[..]));
    /// # Ok::<(), ctu_core::Error>(())
    /// ```
    ChaCha20, "ChaCha20", chacha20::ChaCha20Legacy
}

/// AES-128 in CBC mode: key `d[48..64]`, initialisation vector `d[32..48]`. Pads a value with 1 to
/// 16 bytes (PKCS#7).
///
/// ```
/// use ctu_core::{Aes128Cbc, Bytes, Cache, CacheExt, EncryptedCache, LruCache, SpinCache};
/// # fn secret() -> [u8; 32] { [7; 32] }
/// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<64>, 8>::new());
/// let vault = EncryptedCache::try_new(&base, secret())?.cipher(Aes128Cbc);
/// vault.insert(b"key", b"value")?;
/// assert_eq!(vault.get(b"key")?.as_deref(), Some(&b"value"[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[cfg(feature = "aes")]
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Aes128Cbc;

#[cfg(feature = "aes")]
impl sealed::Sealed for Aes128Cbc {}

#[cfg(feature = "aes")]
impl Cipher for Aes128Cbc {
    const NAME: &'static str = "AES-128-CBC";

    #[inline]
    fn padding(len: usize) -> usize {
        16 - len % 16
    }

    fn encrypt(derived: &[u8; 64], bytes: &mut [u8], len: usize) -> bool {
        use cbc::cipher::{BlockModeEncrypt, block_padding::Pkcs7};
        let (Some(key), Some(iv)) = (part::<48, 16>(derived), part::<32, 16>(derived)) else {
            return false;
        };
        // Fails only where `bytes` has no room for the padding, which the caller made.
        cbc::Encryptor::<aes::Aes128>::new(key.into(), iv.into())
            .encrypt_padded::<Pkcs7>(bytes, len)
            .is_ok()
    }

    fn decrypt(derived: &[u8; 64], bytes: &mut [u8]) -> Option<usize> {
        use cbc::cipher::{BlockModeDecrypt, block_padding::Pkcs7};
        let (key, iv) = (part::<48, 16>(derived)?, part::<32, 16>(derived)?);
        let value = cbc::Decryptor::<aes::Aes128>::new(key.into(), iv.into())
            .decrypt_padded::<Pkcs7>(bytes)
            .ok()?;
        Some(value.len())
    }
}
