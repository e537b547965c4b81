//! The caches that an `async fn` may use.

use crate::{
    caches::{AsyncCache, Cache, InMemory, LocalAsyncCache},
    error::CacheError,
};
use core::time::Duration;

/// A cache as an `async fn` uses it. `Mode` tells the kinds of caches apart; the compiler finds it out.
#[diagnostic::on_unimplemented(
    message = "an `async fn` cannot use `{Self}` as its cache",
    label = "neither an `AsyncCache` nor a `Cache` in memory",
    note = "a `Cache` that waits for a server or a disk would block the async runtime. Cache a function that is not async, and call that: `tokio::task::spawn_blocking(move || function(argument)).await`. Or write `blocking` to block nevertheless: `#[cached(cache = CACHE, blocking)]`",
    note = "a `Cache` of your own that never waits for a device is declared so: `impl InMemory for MyCache {{}}`",
    note = "a store needs a lock around it: `LockedCache::new(store)`; a `LocalAsyncCache` needs the switch `local`"
)]
pub trait AsyncBackend<Mode> {
    /// What an entry is looked up by.
    type Key: ?Sized;
    /// What is kept.
    type Value: Clone;
    /// Why an operation failed.
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

    /// As [`Cache::address`].
    fn address(&self) -> usize;
}

/// A [`Cache`].
#[derive(Debug)]
pub enum Blocking {}

/// An [`AsyncCache`].
#[derive(Debug)]
pub enum Awaited {}

/// A [`LocalAsyncCache`].
#[derive(Debug)]
pub enum Local {}

/// A [`Cache`] that may block the thread: the switch `blocking`.
#[derive(Clone, Copy, Debug)]
pub struct BlockingOf<'c, C: ?Sized>(pub &'c C);

/// A [`LocalAsyncCache`] that is used as one: many are an [`AsyncCache`] as well.
#[derive(Clone, Copy, Debug)]
pub struct LocalOf<'c, C: ?Sized>(pub &'c C);

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
            fn address(&self) -> usize {
                let $this = self;
                $Trait::address($cache)
            }
        }
    };
}
backend!([C: Cache + InMemory + ?Sized] Blocking, C, C: Cache, this => this,);
backend!([C: Cache + ?Sized] Blocking, BlockingOf<'_, C>, C: Cache, this => this.0,);
backend!([C: AsyncCache + ?Sized] Awaited, C, C: AsyncCache, this => this, .await);
backend!([C: LocalAsyncCache + ?Sized] Local, LocalOf<'_, C>, C: LocalAsyncCache, this => this.0, .await);
