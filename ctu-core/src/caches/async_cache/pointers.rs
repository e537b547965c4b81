//! References and shared pointers to caches are caches.

use super::{AsyncCache, LocalAsyncCache};
use crate::{caches::cache::Found, error::Error};
use core::time::Duration;

macro_rules! pointer_is_async {
    ($Trait:ident $(+ $Bound:ident)*, $t:ty $(, $Send:ident)?) => {
        pointer_is_async!([C: $Trait $(+ $Bound)* + ?Sized] $Trait, $t $(, $Send)?);
    };
    ([$($generics:tt)*] $Trait:ident, $t:ty $(, $Send:ident)?) => {
        impl<$($generics)*> $Trait for $t {
            type Key = C::Key;
            type Value = C::Value;
            type Error = C::Error;

            async fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
                (**self).get(key).await
            }
            async fn put(
                &self,
                key: &Self::Key,
                value: Self::Value,
                ttl: Option<Duration>,
            ) -> Result<(), Self::Error> {
                (**self).put(key, value, ttl).await
            }
            async fn remove(&self, key: &Self::Key) -> Result<bool, Self::Error> {
                (**self).remove(key).await
            }
            async fn clear(&self) -> Result<(), Self::Error> {
                (**self).clear().await
            }
            async fn len(&self) -> Result<usize, Self::Error> {
                (**self).len().await
            }
            async fn is_empty(&self) -> Result<bool, Self::Error> {
                (**self).is_empty().await
            }
            async fn contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
                (**self).contains(key).await
            }
            async fn get_with_ttl(
                &self,
                key: &Self::Key,
            ) -> Result<Found<Self::Value>, Self::Error> {
                (**self).get_with_ttl(key).await
            }
            fn default_ttl(&self) -> Option<Duration> {
                (**self).default_ttl()
            }
            fn address(&self) -> usize {
                (**self).address()
            }
            async fn pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
                (**self).pop(key).await
            }
            async fn retain<F>(&self, keep: F) -> Result<(), Self::Error>
            where
                F: FnMut(&Self::Key) -> bool $(+ $Send)?,
            {
                (**self).retain(keep).await
            }
            async fn get_or_compute<F, Fut>(
                &self,
                key: &Self::Key,
                make: F,
            ) -> Result<Option<Self::Value>, Self::Error>
            where
                F: FnMut() -> Fut $(+ $Send)?,
                Fut: Future<Output = Result<Option<Self::Value>, Error>> $(+ $Send)?,
            {
                (**self).get_or_compute(key, make).await
            }
            #[cfg(feature = "alloc")]
            async fn get_many(
                &self,
                keys: &[&Self::Key],
            ) -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error> {
                (**self).get_many(keys).await
            }
            #[cfg(feature = "alloc")]
            async fn get_many_with_ttl(
                &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
                (**self).get_many_with_ttl(keys).await
            }
            #[cfg(feature = "alloc")]
            async fn put_many(
                &self,
                entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
                ttl: Option<Duration>,
            ) -> Result<(), Self::Error> {
                (**self).put_many(entries, ttl).await
            }
            #[cfg(feature = "alloc")]
            async fn remove_many(&self, keys: &[&Self::Key]) -> Result<usize, Self::Error> {
                (**self).remove_many(keys).await
            }
        }
    };
}
pointer_is_async!(AsyncCache, &C, Send);
pointer_is_async!(LocalAsyncCache, &C);
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
pointer_is_async!(AsyncCache + Send, alloc::sync::Arc<C>, Send);
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
pointer_is_async!(LocalAsyncCache, alloc::sync::Arc<C>);
#[cfg(feature = "alloc")]
pointer_is_async!(AsyncCache + Send, alloc::boxed::Box<C>, Send);
#[cfg(feature = "alloc")]
pointer_is_async!(LocalAsyncCache, alloc::boxed::Box<C>);
#[cfg(feature = "alloc")]
pointer_is_async!(LocalAsyncCache, alloc::rc::Rc<C>);

#[cfg(feature = "std")]
pointer_is_async!([C: AsyncCache + Send] AsyncCache, std::sync::LazyLock<C>, Send);
#[cfg(feature = "std")]
pointer_is_async!([C: LocalAsyncCache] LocalAsyncCache, std::sync::LazyLock<C>);
