use super::{AsyncCache, LocalAsyncCache};
use crate::caches::cache::{Cache, Found};
use core::time::Duration;

/// A blocking cache that answers at once, as an async one: for caches in memory.
///
/// Its futures are ready when first polled, and whatever the inner cache waits for (a lock, the
/// network) blocks the executor; do not wrap a network cache in it.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ready<C>(
    /// The blocking cache.
    pub C,
);

macro_rules! ready_is_async {
    ($Trait:ident $(, $Send:ident, $Sync:ident)?) => {
        impl<C: Cache $(+ $Sync)?> $Trait for Ready<C>
        $(where
            C::Key: $Sync,
            C::Value: $Send,
            C::Error: $Send,)?
        {
            type Key = C::Key;
            type Value = C::Value;
            type Error = C::Error;

            async fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
                self.0.get(key)
            }
            async fn put(
                &self,
                key: &Self::Key,
                value: Self::Value,
                ttl: Option<Duration>,
            ) -> Result<(), Self::Error> {
                self.0.put(key, value, ttl)
            }
            async fn remove(&self, key: &Self::Key) -> Result<bool, Self::Error> {
                self.0.remove(key)
            }
            async fn clear(&self) -> Result<(), Self::Error> {
                self.0.clear()
            }
            async fn len(&self) -> Result<usize, Self::Error> {
                self.0.len()
            }
            async fn is_empty(&self) -> Result<bool, Self::Error> {
                self.0.is_empty()
            }
            async fn contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
                self.0.contains(key)
            }
            async fn get_with_ttl(
                &self,
                key: &Self::Key,
            ) -> Result<Found<Self::Value>, Self::Error> {
                self.0.get_with_ttl(key)
            }
            fn default_ttl(&self) -> Option<Duration> {
                self.0.default_ttl()
            }
            fn address(&self) -> usize {
                self.0.address()
            }
            async fn pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
                self.0.pop(key)
            }
            async fn retain<F>(&self, mut keep: F) -> Result<(), Self::Error>
            where
                F: FnMut(&Self::Key) -> bool $(+ $Send)?,
            {
                self.0.retain(&mut keep)
            }

            #[cfg(feature = "alloc")]
            async fn get_many(
                &self,
                keys: &[&Self::Key],
            ) -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error> {
                self.0.get_many(keys)
            }

            #[cfg(feature = "alloc")]
            async fn get_many_with_ttl(
                &self,
                keys: &[&Self::Key],
            ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
                self.0.get_many_with_ttl(keys)
            }

            #[cfg(feature = "alloc")]
            async fn put_many(
                &self,
                entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
                ttl: Option<Duration>,
            ) -> Result<(), Self::Error> {
                self.0.put_many(entries, ttl)
            }

            #[cfg(feature = "alloc")]
            async fn remove_many(&self, keys: &[&Self::Key]) -> Result<usize, Self::Error> {
                self.0.remove_many(keys)
            }
        }
    };
}
ready_is_async!(AsyncCache, Send, Sync);
ready_is_async!(LocalAsyncCache);
