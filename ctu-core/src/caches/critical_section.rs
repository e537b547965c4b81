//! A lock that disables interrupts.

use super::locked::{LockKind, SpinMutex};
use crate::error::Error;
use lock_api::Mutex;

/// A lock for [`LockedCache`](crate::LockedCache) that disables interrupts, for a cache that an
/// interrupt and the main program share on one core.
///
/// An interrupt waits for the time of one operation, including the clone of its value. The program
/// provides the critical section, as the crate `critical-section` describes; on one core of a
/// Cortex-M it is a feature of `cortex-m`.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, CriticalSectionMutex, LockedCache, LruCache};
///
/// static CACHE: LockedCache<CriticalSectionMutex, LruCache<Bytes<20>, Bytes<64>, 32>> =
///     LockedCache::new(LruCache::new());
///
/// CACHE.insert(b"key", b"value")?;
/// assert_eq!(CACHE.get(b"key")?.as_deref(), Some(&b"value"[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CriticalSectionMutex {}

// A spin lock that is taken in critical sections only: it is free, or held by the caller. So there
// is no spinning, and one type of cache serves all kinds of locks without `unsafe`.
impl LockKind for CriticalSectionMutex {
    type Raw = SpinMutex;

    #[inline]
    fn with<S, T>(lock: &Mutex<SpinMutex, S>, f: impl FnOnce(&mut S) -> T) -> Result<T, Error> {
        Self::try_with(lock, f)
    }

    #[inline]
    fn try_with<S, T>(lock: &Mutex<SpinMutex, S>, f: impl FnOnce(&mut S) -> T) -> Result<T, Error> {
        critical_section::with(|_| SpinMutex::try_with(lock, f))
    }
}
