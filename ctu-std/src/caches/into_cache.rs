use super::{
    kind::{IsAsync, IsCache},
    locked::LockedCache,
};
use ctu_core::{AsyncCache, Cache, Store};

/// A cache, or a store that becomes one behind a lock: the form in which a level is passed to a
/// [`TwoLevelCache`](crate::TwoLevelCache).
///
/// `Kind` is [`IsCache`], [`IsAsync`] or [`IsStore`]; the compiler infers it.
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
    /// The cache that it becomes: a [`Cache`], or an [`AsyncCache`] if it is one.
    type Cache;

    /// Makes the cache.
    fn into_cache(self) -> Self::Cache;
}

/// Says that something is a [`Store`], which needs a lock.
///
/// ```
/// use ctu_std::{IntoCache, IsStore, LruCache};
/// fn accepts(_: impl IntoCache<IsStore>) {}
/// accepts(LruCache::<String, u32>::with_capacity(10));
/// ```
#[derive(Debug)]
pub enum IsStore {}

impl<C: Cache> IntoCache<IsCache> for C {
    type Cache = C;

    fn into_cache(self) -> C {
        self
    }
}

impl<C: AsyncCache> IntoCache<IsAsync> for C {
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
