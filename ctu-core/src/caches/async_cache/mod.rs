//! The async traits: one text for the two kinds of futures.

mod pointers;
mod ready;

pub use ready::Ready;

use crate::{
    caches::{CacheId, cache::Found},
    error::{CacheError, Capability, Error},
};
use core::time::Duration;

/// Defines one async trait. There are two, since stable Rust cannot express "this future is `Send`
/// if its parts are" for a method of a trait: with the bound the trait excludes single-core
/// executors, without it generic code that spawns. One macro defines both, so they cannot drift,
/// and each wrapper implements both with one macro.
macro_rules! async_cache {
    (
        $(#[$doc:meta])*
        $Trait:ident $(: $Sync:ident, $Send:ident)?
    ) => {
        $(#[$doc])*
        pub trait $Trait $(: $Sync)? {
            /// The borrowed form of a key.
            type Key: ?Sized $(+ $Sync)?;
            /// The type of the values.
            type Value: Clone $(+ $Send)?;
            /// The error type. It also holds the errors of mappings on this cache.
            type Error: CacheError $(+ $Send)?;

            /// As [`Cache::get`](crate::Cache::get).
            fn get(
                &self,
                key: &Self::Key,
            ) -> impl Future<Output = Result<Option<Self::Value>, Self::Error>> $(+ $Send)?;

            /// As [`Cache::insert_entry`](crate::Cache::insert_entry).
            fn insert_entry(
                &self,
                key: &Self::Key,
                value: Self::Value,
                ttl: Option<Duration>,
            ) -> impl Future<Output = Result<(), Self::Error>> $(+ $Send)?;

            /// As [`Cache::remove`](crate::Cache::remove).
            fn remove(
                &self,
                key: &Self::Key,
            ) -> impl Future<Output = Result<bool, Self::Error>> $(+ $Send)?;

            /// As [`Cache::clear`](crate::Cache::clear).
            fn clear(&self) -> impl Future<Output = Result<(), Self::Error>> $(+ $Send)?;

            /// As [`Cache::len`](crate::Cache::len).
            fn len(&self) -> impl Future<Output = Result<usize, Self::Error>> $(+ $Send)?;

            /// As [`Cache::is_empty`](crate::Cache::is_empty).
            fn is_empty(&self) -> impl Future<Output = Result<bool, Self::Error>> $(+ $Send)? {
                async { Ok(self.len().await? == 0) }
            }

            /// As [`Cache::contains`](crate::Cache::contains).
            fn contains(
                &self,
                key: &Self::Key,
            ) -> impl Future<Output = Result<bool, Self::Error>> $(+ $Send)? {
                async { Ok(self.get(key).await?.is_some()) }
            }

            /// As [`Cache::get_with_ttl`](crate::Cache::get_with_ttl).
            fn get_with_ttl(
                &self,
                key: &Self::Key,
            ) -> impl Future<Output = Result<Found<Self::Value>, Self::Error>> $(+ $Send)?
            {
                async { Ok(self.get(key).await?.map(|value| (value, None))) }
            }

            /// As [`Cache::default_ttl`](crate::Cache::default_ttl).
            fn default_ttl(&self) -> Option<Duration> {
                None
            }

            /// As [`Cache::id`](crate::Cache::id).
            #[doc(hidden)]
            fn id(&self) -> CacheId {
                CacheId::of(self)
            }

            /// As [`Cache::pop`](crate::Cache::pop).
            fn pop(
                &self,
                key: &Self::Key,
            ) -> impl Future<Output = Result<Option<Self::Value>, Self::Error>> $(+ $Send)? {
                async {
                    let value = self.get(key).await?;
                    if value.is_some() {
                        self.remove(key).await?;
                    }
                    Ok(value)
                }
            }

            /// As [`Cache::retain`](crate::Cache::retain).
            fn retain<F>(
                &self,
                keep: F,
            ) -> impl Future<Output = Result<(), Self::Error>> $(+ $Send)?
            where
                F: FnMut(&Self::Key) -> bool $(+ $Send)?,
            {
                let _ = keep;
                async { Err(Error::Unsupported(Capability::ListKeys).into()) }
            }

            /// As [`Cache::get_or_compute`](crate::Cache::get_or_compute).
            fn get_or_compute<F, Fut>(
                &self,
                key: &Self::Key,
                mut make: F,
            ) -> impl Future<Output = Result<Option<Self::Value>, Self::Error>> $(+ $Send)?
            where
                F: FnMut() -> Fut $(+ $Send)?,
                Fut: Future<Output = Result<Option<Self::Value>, Error>> $(+ $Send)?,
            {
                async move {
                    if let Some(value) = self.get(key).await? {
                        return Ok(Some(value));
                    }
                    let Some(value) = make().await? else {
                        return Ok(None);
                    };
                    self.insert_entry(key, value.clone(), None).await?;
                    Ok(Some(value))
                }
            }

            /// As [`Cache::has_single_flight`](crate::Cache::has_single_flight).
            fn has_single_flight(&self) -> bool {
                false
            }

            /// As [`Cache::get_many`](crate::Cache::get_many).
            #[cfg(feature = "alloc")]
            fn get_many(
                &self,
                keys: &[&Self::Key],
            ) -> impl Future<Output = Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error>>
            $(+ $Send)? {
                async move {
                    let mut values = alloc::vec::Vec::with_capacity(keys.len());
                    for key in keys {
                        values.push(self.get(key).await?);
                    }
                    Ok(values)
                }
            }

            /// As [`Cache::get_many_with_ttl`](crate::Cache::get_many_with_ttl).
            #[cfg(feature = "alloc")]
            fn get_many_with_ttl(
                &self,
                keys: &[&Self::Key],
            ) -> impl Future<
                Output = Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error>,
            > $(+ $Send)? {
                async move {
                    let mut values = alloc::vec::Vec::with_capacity(keys.len());
                    for key in keys {
                        values.push(self.get_with_ttl(key).await?);
                    }
                    Ok(values)
                }
            }

            /// As [`Cache::insert_many`](crate::Cache::insert_many).
            #[cfg(feature = "alloc")]
            fn insert_many(
                &self,
                entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
                ttl: Option<Duration>,
            ) -> impl Future<Output = Result<(), Self::Error>> $(+ $Send)? {
                async move {
                    for (key, value) in entries {
                        self.insert_entry(key, value, ttl).await?;
                    }
                    Ok(())
                }
            }

            /// As [`Cache::remove_many`](crate::Cache::remove_many).
            #[cfg(feature = "alloc")]
            fn remove_many(
                &self,
                keys: &[&Self::Key],
            ) -> impl Future<Output = Result<usize, Self::Error>> $(+ $Send)? {
                async move {
                    let mut removed = 0;
                    for key in keys {
                        removed += usize::from(self.remove(key).await?);
                    }
                    Ok(removed)
                }
            }
        }
    };
}

async_cache! {
    /// [`Cache`](crate::Cache) for executors that move futures between threads: every future is
    /// `Send`.
    ///
    /// For servers: generic code over an `AsyncCache` can be spawned on any runtime.
    /// [`LocalAsyncCache`] is the same for one thread or one core. Neither depends on an executor.
    ///
    /// ```
    /// use ctu_core::{AsyncCache, AsyncCacheExt};
    ///
    /// fn spawn(future: impl Future + Send + 'static) {
    /// #   let _ = future;
    /// }
    ///
    /// fn warm_up<C>(cache: C)
    /// where
    ///     C: AsyncCache<Key = str, Value = u32> + Send + 'static,
    /// {
    ///     spawn(async move { cache.insert("answer", 42u32).await.is_ok() });
    /// }
    /// ```
    AsyncCache: Sync, Send
}

async_cache! {
    /// [`Cache`](crate::Cache) for executors of one thread or one core: futures need not be `Send`.
    ///
    /// For firmware, and for code that shares an `Rc`. See [`AsyncCache`] for servers.
    LocalAsyncCache
}
