/// Bytes that are mixed into nonces, so that a value stored twice looks different.
///
/// Random bytes, or a counter that outlives a reset, or both. A source that repeats, or returns the
/// same bytes for good, harms nothing else: equal values under one key look equal then, as they do
/// with [`NoSalt`]. A closure will do:
///
/// ```
/// use core::cell::Cell;
/// use ctu_core::{Bytes, Cache, CacheExt, LruCache, SealedCache, SpinCache};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
///
/// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
/// let boot = Cell::new(7u128 << 64); // a count of boots, then one of writes
/// let cache = SealedCache::new(&base, &device_secret())?.salt(|| {
///     boot.set(boot.get() + 1);
///     boot.get().to_le_bytes()
/// });
/// cache.insert(b"key", b"value")?;
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub trait Salt {
    /// The next bytes.
    fn salt(&self) -> [u8; 16];
}

/// No salt: a value stored twice under one key is the same entry twice.
///
/// ```
/// use ctu_core::{NoSalt, Salt};
/// assert_eq!(NoSalt.salt(), [0; 16]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NoSalt;

impl Salt for NoSalt {
    #[inline]
    fn salt(&self) -> [u8; 16] {
        [0; 16]
    }
}

impl<F: Fn() -> [u8; 16]> Salt for F {
    #[inline]
    fn salt(&self) -> [u8; 16] {
        self()
    }
}
