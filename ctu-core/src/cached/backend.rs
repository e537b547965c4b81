//! The caches that an `async fn` may use.

use crate::{
    caches::{AsyncCache, Cache, CacheId, InMemory, LocalAsyncCache},
    error::CacheError,
};
use core::time::Duration;

/// The operations that an `async fn` needs from its cache. The compiler infers `Mode`, the kind of
/// the cache.
#[diagnostic::on_unimplemented(
    message = "an `async fn` cannot use `{Self}` as its cache",
    label = "neither an `AsyncCache` nor a `Cache` in memory",
    note = "a `Cache` that waits for a server or a disk would block the async runtime. Cache a function that is not async, and call that: `tokio::task::spawn_blocking(move || function(argument)).await`. Or write `blocking` to block nevertheless: `#[cached(cache = CACHE, blocking)]`",
    note = "declare your own `Cache` that never waits for a device: `impl InMemory for MyCache {{}}`",
    note = "a store needs a lock around it: `LockedCache::new(store)`; a `LocalAsyncCache` needs the option `local`"
)]
pub trait AsyncBackend<Mode> {
    /// The borrowed key of a lookup.
    type Key: ?Sized;
    /// The value of an entry.
    type Value: Clone;
    /// The error of an operation.
    type Error: CacheError;

    /// As [`Cache::get`].
    fn get(
        &self,
        key: &Self::Key,
    ) -> impl Future<Output = Result<Option<Self::Value>, Self::Error>>;

    /// As [`Cache::insert_entry`].
    fn insert_entry(
        &self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<(), Self::Error>>;

    /// As [`Cache::remove`].
    fn remove(&self, key: &Self::Key) -> impl Future<Output = Result<bool, Self::Error>>;

    /// As [`Cache::contains`].
    fn contains(&self, key: &Self::Key) -> impl Future<Output = Result<bool, Self::Error>>;

    /// As [`Cache::id`].
    fn id(&self) -> CacheId;
}

/// The mode of a [`Cache`].
#[derive(Debug)]
pub enum Blocking {}

/// The mode of an [`AsyncCache`].
#[derive(Debug)]
pub enum Awaited {}

/// The mode of a [`LocalAsyncCache`].
#[derive(Debug)]
pub enum Local {}

/// Marks a [`Cache`] that may block the thread. The option `blocking` creates it.
#[derive(Clone, Copy, Debug)]
pub struct BlockingOf<'c, C: ?Sized>(pub &'c C);

/// Selects [`LocalAsyncCache`] for a type that may also implement [`AsyncCache`].
#[derive(Clone, Copy, Debug)]
pub struct LocalOf<'c, C: ?Sized>(pub &'c C);

impl<C: InMemory + ?Sized> InMemory for BlockingOf<'_, C> {}
impl<C: InMemory + ?Sized> InMemory for LocalOf<'_, C> {}

macro_rules! backend {
    ([$($generics:tt)*] $Mode:ident, $t:ty, $C:ident: $Trait:ident, $this:ident => $cache:expr, $($await:tt)*) => {
        impl<$($generics)*> AsyncBackend<$Mode> for $t {
            type Key = $C::Key;
            type Value = $C::Value;
            type Error = $C::Error;

            async fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
                let $this = self;
                $Trait::get($cache, key) $($await)*
            }
            async fn insert_entry(
                &self,
                key: &Self::Key,
                value: Self::Value,
                ttl: Option<Duration>,
            ) -> Result<(), Self::Error> {
                let $this = self;
                $Trait::insert_entry($cache, key, value, ttl) $($await)*
            }
            async fn remove(&self, key: &Self::Key) -> Result<bool, Self::Error> {
                let $this = self;
                $Trait::remove($cache, key) $($await)*
            }
            async fn contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
                let $this = self;
                $Trait::contains($cache, key) $($await)*
            }
            fn id(&self) -> CacheId {
                let $this = self;
                $Trait::id($cache)
            }
        }
    };
}
backend!([C: Cache + InMemory + ?Sized] Blocking, C, C: Cache, this => this,);
backend!([C: Cache + ?Sized] Blocking, BlockingOf<'_, C>, C: Cache, this => this.0,);
backend!([C: AsyncCache + ?Sized] Awaited, C, C: AsyncCache, this => this, .await);
backend!([C: LocalAsyncCache + ?Sized] Local, LocalOf<'_, C>, C: LocalAsyncCache, this => this.0, .await);
