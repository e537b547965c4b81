use super::locked::{LockKind, SpinMutex};
use crate::error::Error;
use lock_api::Mutex;

/// A lock for [`LockedCache`](crate::LockedCache) that holds off interrupts: the one to pick where an interrupt and
/// the main program share a cache on one core.
///
/// Interrupts wait for as long as an operation takes, a clone of its value included. Which critical section is used
/// is for the program to say, as the `critical-section` crate tells; on one core of a Cortex-M it is a feature of
/// `cortex-m`.
///
/// ```
/// use ctu_core::{Bytes, Cache, CriticalSectionMutex, LockedCache, LruCache};
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

// A spin lock that is only ever taken in a critical section: it is free then, or held by the caller. So nobody spins,
// and it costs no `unsafe` to have one type of cache for all kinds of locks.
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
