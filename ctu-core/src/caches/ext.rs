//! The methods for users of a cache, in terms of the methods of its trait.

use super::{AsyncCache, Cache, LocalAsyncCache};
use crate::{
    entries::IntoValue,
    error::{Capability, Error},
};
use core::time::Duration;

/// The methods for users of a [`Cache`]. Every cache has them, `dyn Cache` included.
///
/// An implementation cannot override them, so a wrapper has nothing to forward.
///
/// ```
/// use ctu_core::{LruCache, SpinCache, prelude::*};
///
/// let cache = SpinCache::new(LruCache::<u32, u32, 8>::new());
/// cache.insert(&1, 10u32)?;
/// assert_eq!(cache.get_or_insert_with(&2, || 20u32)?, 20);
/// assert_eq!(cache.len()?, 2);
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub trait CacheExt: Cache {
    /// Stores `value` at `key` for the default time-to-live.
    ///
    /// # Errors
    /// Those of [`insert_entry`](Cache::insert_entry).
    fn insert(
        &self,
        key: &Self::Key,
        value: impl IntoValue<Self::Value>,
    ) -> Result<(), Self::Error> {
        self.insert_entry(key, value.into_value()?, None)
    }

    /// Stores `value` at `key` for `ttl`.
    ///
    /// # Errors
    /// Those of [`insert_entry`](Cache::insert_entry), and [`Error::TtlUnsupported`] in a cache
    /// without expiry.
    fn insert_with_ttl(
        &self,
        key: &Self::Key,
        value: impl IntoValue<Self::Value>,
        ttl: Duration,
    ) -> Result<(), Self::Error> {
        self.insert_entry(key, value.into_value()?, Some(ttl))
    }

    /// Returns the value at `key`; on a miss, stores and returns the value of `make`.
    ///
    /// Without a [single flight](Cache::has_single_flight), several threads may run `make` for one
    /// key at the same time: each gets its own value, and the last write stays. `TwoLevelCache` of
    /// `ctu-std` has a single flight, and `SingleFlightCache` adds one to any cache.
    ///
    /// # Errors
    /// Those of [`get`](Cache::get), before `make` runs, and of
    /// [`insert_entry`](Cache::insert_entry), after it ran.
    fn get_or_insert_with<T, F>(&self, key: &Self::Key, make: F) -> Result<Self::Value, Self::Error>
    where
        T: IntoValue<Self::Value>,
        F: FnOnce() -> T,
    {
        match self.get_or_try_insert_with(key, || Ok(make()))? {
            Ok(value) => Ok(value),
            Err::<_, core::convert::Infallible>(never) => match never {},
        }
    }

    /// Returns the value at `key`; on a miss, calls `make` and stores its value if it is `Ok`.
    ///
    /// The outer error is that of the cache, the inner one that of `make`.
    ///
    /// # Errors
    /// Those of [`get_or_insert_with`](Self::get_or_insert_with).
    fn get_or_try_insert_with<T, E, F>(
        &self,
        key: &Self::Key,
        make: F,
    ) -> Result<Result<Self::Value, E>, Self::Error>
    where
        T: IntoValue<Self::Value>,
        F: FnOnce() -> Result<T, E>,
    {
        let mut make = Some(make);
        let mut failed = None;
        let found = self.get_or_compute(key, &mut || match make.take().map(|make| make()) {
            Some(Ok(value)) => value.into_value().map(Some),
            Some(Err(error)) => {
                failed = Some(error);
                Ok(None)
            }
            None => Ok(None),
        })?;
        match (found, failed) {
            (Some(value), _) => Ok(Ok(value)),
            (None, Some(error)) => Ok(Err(error)),
            (None, None) => Err(Error::Unsupported(Capability::GetOrInsert).into()),
        }
    }
}

impl<C: Cache + ?Sized> CacheExt for C {}

/// Defines the methods for users of one async trait.
macro_rules! async_cache_ext {
    (
        $(#[$doc:meta])*
        $Ext:ident: $Trait:ident $(, $Send:ident)?
    ) => {
        $(#[$doc])*
        pub trait $Ext: $Trait {
            /// As [`CacheExt::insert`].
            fn insert<T>(
                &self,
                key: &Self::Key,
                value: T,
            ) -> impl Future<Output = Result<(), Self::Error>> $(+ $Send)?
            where
                T: IntoValue<Self::Value> $(+ $Send)?,
            {
                async { self.insert_entry(key, value.into_value()?, None).await }
            }

            /// As [`CacheExt::insert_with_ttl`].
            fn insert_with_ttl<T>(
                &self,
                key: &Self::Key,
                value: T,
                ttl: Duration,
            ) -> impl Future<Output = Result<(), Self::Error>> $(+ $Send)?
            where
                T: IntoValue<Self::Value> $(+ $Send)?,
            {
                async move { self.insert_entry(key, value.into_value()?, Some(ttl)).await }
            }

            /// As [`CacheExt::get_or_insert_with`]. `make` returns a
            /// future. A second call of `make` replaces a corrupt value.
            fn get_or_insert_with<F, Fut>(
                &self,
                key: &Self::Key,
                mut make: F,
            ) -> impl Future<Output = Result<Self::Value, Self::Error>> $(+ $Send)?
            where
                F: FnMut() -> Fut $(+ $Send)?,
                Fut: Future<Output: IntoValue<Self::Value> $(+ $Send)?> $(+ $Send)?,
            {
                async move {
                    let found = self
                        .get_or_compute(key, || {
                            let made = make();
                            async { made.await.into_value().map(Some) }
                        })
                        .await?;
                    found.ok_or_else(|| Error::Unsupported(Capability::GetOrInsert).into())
                }
            }

            /// As [`CacheExt::get_or_try_insert_with`]. `make` returns a future. A second call of
            /// `make` replaces a corrupt value.
            ///
            /// ```
            #[doc = concat!("use ctu_core::{", stringify!($Trait), ", ", stringify!($Ext), "};")]
            ///
            /// async fn page<C>(cache: &C, key: &str) -> Result<String, std::io::Error>
            /// where
            #[doc = concat!("    C: ", stringify!($Trait), "<Key = str, Value = String>,")]
            /// {
            ///     let read = || async { std::fs::read_to_string("page.html") };
            ///     match cache.get_or_try_insert_with(key, read).await {
            ///         Ok(page) => page,
            ///         Err(_the_cache_failed) => read().await,
            ///     }
            /// }
            /// ```
            fn get_or_try_insert_with<T, E, F, Fut>(
                &self,
                key: &Self::Key,
                mut make: F,
            ) -> impl Future<Output = Result<Result<Self::Value, E>, Self::Error>> $(+ $Send)?
            where
                T: IntoValue<Self::Value> $(+ $Send)?,
                $(E: $Send,)?
                F: FnMut() -> Fut $(+ $Send)?,
                Fut: Future<Output = Result<T, E>> $(+ $Send)?,
            {
                async move {
                    // The futures of `make` share it, and no future of an `FnMut` borrows from it
                    // mutably.
                    let failed = spin::Mutex::<Option<E>>::new(None);
                    let found = self
                        .get_or_compute(key, || {
                            let (made, failed) = (make(), &failed);
                            async move {
                                match made.await {
                                    Ok(value) => value.into_value().map(Some),
                                    Err(error) => {
                                        *failed.lock() = Some(error);
                                        Ok(None)
                                    }
                                }
                            }
                        })
                        .await?;
                    match (found, failed.into_inner()) {
                        (Some(value), _) => Ok(Ok(value)),
                        (None, Some(error)) => Ok(Err(error)),
                        (None, None) => Err(Error::Unsupported(Capability::GetOrInsert).into()),
                    }
                }
            }
        }

        impl<C: $Trait> $Ext for C {}
    };
}

async_cache_ext! {
    /// [`CacheExt`] for an [`AsyncCache`]: every future is `Send`.
    AsyncCacheExt: AsyncCache, Send
}

async_cache_ext! {
    /// [`CacheExt`] for a [`LocalAsyncCache`].
    LocalAsyncCacheExt: LocalAsyncCache
}
