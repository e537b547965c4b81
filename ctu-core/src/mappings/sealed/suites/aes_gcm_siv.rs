use super::rustcrypto::suite;
use crate::{
    error::Error,
    mappings::sealed::aead::{Aead, KeyedAead, Tag},
};
use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use core::fmt;

suite! {
    /// AES-256-GCM-SIV (RFC 8452), for processors with AES instructions. Adds 26 bytes to a value.
    ///
    /// Withstands a repeated nonce, so an entry stores 5 bytes of it; the other 7 come from the
    /// location. Slow in software, where the crate's checks can also panic as far as the linker
    /// can tell.
    ///
    /// ```
    /// use ctu_core::{Aes256GcmSiv, Bytes, Cache, CacheExt, KeyRing, LruCache, SealedCache, SpinCache};
    /// # fn device_secret() -> [u8; 32] { [9; 32] }
    /// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
    /// let keys = KeyRing::<Aes256GcmSiv, 1>::derived(&device_secret(), 1, &device_secret())?;
    /// let cache = SealedCache::with_keys(&base, keys);
    /// cache.insert(b"key", b"value")?;
    /// assert_eq!(cache.get(b"key")?.as_deref(), Some(&b"value"[..]));
    /// # Ok::<(), ctu_core::Error>(())
    /// ```
    Aes256GcmSiv(aes_gcm_siv::Aes256GcmSiv), 32, 12, suite 2, "AES-256-GCM-SIV", stored nonce 5
}
