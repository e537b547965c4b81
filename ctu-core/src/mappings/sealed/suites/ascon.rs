use super::rustcrypto::suite;
use crate::{
    error::Error,
    mappings::sealed::aead::{Aead, KeyedAead, Tag},
};
use ascon_aead128::aead::{AeadInOut, KeyInit};
use core::fmt;

suite! {
    /// Ascon-AEAD128 (NIST SP 800-232), for small processors. Adds 37 bytes to a value.
    ///
    /// The smallest code. It does without multiplications, whose time depends on the numbers on a
    /// Cortex-M3. The key has 128 bits.
    ///
    /// ```
    /// use ctu_core::{AsconAead128, Bytes, Cache, CacheExt, KeyRing, LruCache, SealedCache, SpinCache};
    /// # fn device_secret() -> [u8; 32] { [9; 32] }
    /// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
    /// let keys = KeyRing::<AsconAead128, 1>::derived(&device_secret(), 1, &device_secret())?;
    /// let cache = SealedCache::with_keys(&base, keys);
    /// cache.insert(b"key", b"value")?;
    /// assert_eq!(cache.get(b"key")?.as_deref(), Some(&b"value"[..]));
    /// # Ok::<(), ctu_core::Error>(())
    /// ```
    AsconAead128(ascon_aead128::AsconAead128), 16, 16, suite 3, "Ascon-AEAD128"
}
