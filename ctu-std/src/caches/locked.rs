/// A store for threads to share, behind a lock that waits in the operating system.
///
/// ```
/// use ctu_std::{Cache, CacheExt, LockedCache, LruCache};
///
/// let cache = LockedCache::new(LruCache::<String, u32>::with_capacity(100));
/// cache.insert("one", 1)?;
/// assert_eq!(cache.get("one")?, Some(1));
/// # Ok::<(), ctu_std::Error>(())
/// ```
pub type LockedCache<S> = ctu_core::LockedCache<parking_lot::RawMutex, S>;
