use super::locked::LockedCache;
use ctu_core::{Cache, Store};

/// A cache, or a store that a lock makes one: what a level of a [`TwoLevelCache`](crate::TwoLevelCache)
/// is made of.
///
/// `Kind` tells [`IsCache`] from [`IsStore`]; the compiler finds it out.
///
/// ```
/// use ctu_std::{Cache, CacheExt, IntoCache, LockedCache, LruCache};
///
/// let cache = LruCache::<String, u32>::with_capacity(100).into_cache();
/// cache.insert("one", 1)?;
/// # Ok::<(), ctu_std::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a cache nor a store that a lock makes one",
    label = "neither a cache nor such a store",
    note = "a hit clones its value: derive `Clone` for the type of the values, or keep them as `Arc<Type>`",
    note = "keys are text, bytes, numbers and the like, or of a type that implements `StoredKey`"
)]
pub trait IntoCache<Kind> {
    /// The cache that it becomes.
    type Cache: Cache;

    /// Makes the cache.
    fn into_cache(self) -> Self::Cache;
}

/// Says that something is a [`Cache`] already.
#[derive(Debug)]
pub enum IsCache {}

/// Says that something is a [`Store`], which needs a lock.
#[derive(Debug)]
pub enum IsStore {}

impl<C: Cache> IntoCache<IsCache> for C {
    type Cache = C;

    fn into_cache(self) -> C {
        self
    }
}

impl<S: Store<Value: Clone>> IntoCache<IsStore> for S {
    type Cache = LockedCache<S>;

    fn into_cache(self) -> LockedCache<S> {
        LockedCache::new(self)
    }
}
