//! Caches of either kind: blocking and async.

use ctu_core::{AsyncCache, Cache, CacheError};
use std::time::Duration;

/// Says that something is a [`Cache`] already.
///
/// ```
/// use ctu_std::{AnyCache, ConcurrentCache, IsCache};
/// fn accepts(_: impl AnyCache<IsCache>) {}
/// accepts(ConcurrentCache::<u32, u32>::with_capacity(10));
/// ```
#[derive(Debug)]
pub enum IsCache {}

/// Says that something is an [`AsyncCache`] already.
///
/// ```
/// use ctu_std::{AnyCache, ConcurrentCache, IsAsync, Ready};
/// fn accepts(_: impl AnyCache<IsAsync>) {}
/// accepts(Ready(ConcurrentCache::<u32, u32>::with_capacity(10)));
/// ```
#[derive(Debug)]
pub enum IsAsync {}

/// A [`Cache`] or an [`AsyncCache`]. `Kind` tells [`IsCache`] from [`IsAsync`]; the compiler infers
/// it.
///
/// A wrapper with one name for both kinds, such as [`SingleFlightCache`](crate::SingleFlightCache),
/// takes its key and value types from this trait.
///
/// ```
/// use ctu_std::{AnyCache, IsAsync, IsCache, Ready, ConcurrentCache};
///
/// fn key_size<C: AnyCache<Kind, Key: Sized>, Kind>(_: &C) -> usize {
///     size_of::<C::Key>()
/// }
/// let blocking = ConcurrentCache::<u32, u32>::with_capacity(10);
/// assert_eq!(key_size::<_, IsCache>(&blocking), 4);
/// assert_eq!(key_size::<_, IsAsync>(&Ready(blocking)), 4);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a `Cache` nor an `AsyncCache`",
    label = "not a cache",
    note = "a store, such as an `LruCache`, needs a lock around it: `LockedCache::new(store)`"
)]
pub trait AnyCache<Kind> {
    /// The borrowed form of a key.
    type Key: ?Sized;
    /// The type of the values.
    type Value: Clone;
    /// The error type.
    type Error: CacheError;

    /// The default time-to-live, as [`Cache::default_ttl`].
    #[doc(hidden)]
    fn ttl_by_default(&self) -> Option<Duration>;
}

impl<C: Cache + ?Sized> AnyCache<IsCache> for C {
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    fn ttl_by_default(&self) -> Option<Duration> {
        self.default_ttl()
    }
}

impl<C: AsyncCache + ?Sized> AnyCache<IsAsync> for C {
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    fn ttl_by_default(&self) -> Option<Duration> {
        self.default_ttl()
    }
}
