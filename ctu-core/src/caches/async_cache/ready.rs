use super::{AsyncCache, LocalAsyncCache};
use crate::caches::{
    cache::{Cache, Found},
    forward::forward_methods,
};
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
