use super::{AsyncCache, LocalAsyncCache};
use crate::caches::{
    cache::{Cache, Found},
    forward::forward_methods,
};
use core::time::Duration;

/// A blocking cache in memory as an async cache.
///
/// Its futures are ready at the first poll. A wait of the inner cache (for a lock, for the network)
/// blocks the executor: do not wrap a network cache.
///
/// ```
/// use ctu_core::{AsyncCache, AsyncCacheExt, LruCache, Ready, SpinCache};
///
/// async fn answer(cache: &impl AsyncCache<Key = u32, Value = u32>) -> bool {
///     cache.insert(&1, 42u32).await.is_ok()
/// }
/// let cache = Ready(SpinCache::new(LruCache::<u32, u32, 8>::new()));
/// let _future = answer(&cache);
/// ```
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

            forward_methods!([async fn] [] this => this.0);

            async fn retain<F>(&self, mut keep: F) -> Result<(), Self::Error>
            where
                F: FnMut(&Self::Key) -> bool $(+ $Send)?,
            {
                self.0.retain(&mut keep)
            }
        }
    };
}
ready_is_async!(AsyncCache, Send, Sync);
ready_is_async!(LocalAsyncCache);
