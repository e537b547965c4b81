//! Caches on a server that keeps claims of computations.

use ctu_core::{AsyncCache, CacheError, Mapped, Mapping, Observed, Observer};
use std::{borrow::Borrow, future::Future, rc::Rc, sync::Arc, sync::LazyLock, time::Duration};

/// A cache on a server that keeps claims: of all nodes, one at a time may claim the computation of a key.
///
/// [`TwoLevelBuilder::single_flight_among_nodes`](crate::TwoLevelBuilder::single_flight_among_nodes) takes it as
/// the second level. [`RedisCache`](crate::RedisCache) is one, and so is each mapping on it.
///
/// ```no_run
/// use ctu_std::{Claims, RedisCache};
/// use std::time::Duration;
/// let jobs: RedisCache<str, u32> = RedisCache::builder("redis://127.0.0.1").build()?;
/// let lease = Duration::from_secs(10);
/// if jobs.claim("report", 1, lease)? {
///     // This node computes the report.
///     jobs.release("report", 1)?;
/// }
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "the server of `{Self}` keeps no claims",
    label = "not a cache with claims",
    note = "`RedisCache`, and mappings on it, are such caches"
)]
pub trait Claims {
    /// The borrowed form of a key.
    type Key: ?Sized;
    /// The type of the values.
    type Value;
    /// The error type.
    type Error: CacheError;

    /// Claims `key` for `holder`. Returns `false` if another holder has the claim. A claim ends by
    /// [`release`](Self::release), or after `lease`.
    ///
    /// # Errors
    /// Those of the cache. The key may be claimed.
    fn claim(&self, key: &Self::Key, holder: u64, lease: Duration) -> Result<bool, Self::Error>;

    /// Ends the claim of `key`, if `holder` has it.
    ///
    /// # Errors
    /// Those of the cache. The claim may last until its lease ends.
    fn release(&self, key: &Self::Key, holder: u64) -> Result<(), Self::Error>;
}

macro_rules! forward_claims {
    ($([$($generics:tt)*] $t:ty, $this:ident => $inner:expr;)*) => {$(
        impl<$($generics)*> Claims for $t {
            type Key = C::Key;
            type Value = C::Value;
            type Error = C::Error;

            fn claim(&self, key: &C::Key, holder: u64, lease: Duration) -> Result<bool, C::Error> {
                let $this = self;
                $inner.claim(key, holder, lease)
            }

            fn release(&self, key: &C::Key, holder: u64) -> Result<(), C::Error> {
                let $this = self;
                $inner.release(key, holder)
            }
        }
    )*};
}
forward_claims!(
    [C: Claims + ?Sized] &C, this => (**this);
    [C: Claims + ?Sized] Box<C>, this => (**this);
    [C: Claims + ?Sized] Rc<C>, this => (**this);
    [C: Claims + ?Sized] Arc<C>, this => (**this);
    [C: Claims] LazyLock<C>, this => (**this);
    [C: Claims, O] Observed<C, O>, this => this.get_ref();
);

impl<C: Claims, M: Mapping<C::Key, C::Value>> Claims for Mapped<C, M> {
    type Key = M::Key;
    type Value = M::Value;
    type Error = C::Error;

    fn claim(&self, key: &M::Key, holder: u64, lease: Duration) -> Result<bool, C::Error> {
        let at = self.mapping().at(key)?;
        self.get_ref().claim(at.borrow(), holder, lease)
    }

    fn release(&self, key: &M::Key, holder: u64) -> Result<(), C::Error> {
        let at = self.mapping().at(key)?;
        self.get_ref().release(at.borrow(), holder)
    }
}

/// [`Claims`] of an async cache.
///
/// [`TwoLevelBuilder::single_flight_among_nodes`](crate::TwoLevelBuilder::single_flight_among_nodes) takes it as
/// the second level. `AsyncRedisCache` is one, and so is each mapping on it.
#[diagnostic::on_unimplemented(
    message = "the server of `{Self}` keeps no claims",
    label = "not an async cache with claims",
    note = "`AsyncRedisCache`, and mappings on it, are such caches"
)]
pub trait AsyncClaims: AsyncCache {
    /// As [`Claims::claim`].
    ///
    /// # Errors
    /// Those of [`Claims::claim`].
    fn claim(
        &self,
        key: &Self::Key,
        holder: u64,
        lease: Duration,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// As [`Claims::release`].
    ///
    /// # Errors
    /// Those of [`Claims::release`].
    fn release(
        &self,
        key: &Self::Key,
        holder: u64,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<C> AsyncClaims for &C
where
    C: AsyncClaims<Key: Sync, Value: Send> + Sync,
{
    async fn claim(&self, key: &C::Key, holder: u64, lease: Duration) -> Result<bool, C::Error> {
        (**self).claim(key, holder, lease).await
    }

    async fn release(&self, key: &C::Key, holder: u64) -> Result<(), C::Error> {
        (**self).release(key, holder).await
    }
}

impl<C> AsyncClaims for Arc<C>
where
    C: AsyncClaims<Key: Sync, Value: Send> + Send + Sync,
{
    async fn claim(&self, key: &C::Key, holder: u64, lease: Duration) -> Result<bool, C::Error> {
        (**self).claim(key, holder, lease).await
    }

    async fn release(&self, key: &C::Key, holder: u64) -> Result<(), C::Error> {
        (**self).release(key, holder).await
    }
}

impl<C, O> AsyncClaims for Observed<C, O>
where
    C: AsyncClaims<Key: Sync, Value: Send> + Sync,
    O: Observer<C::Key, C::Value> + Sync,
{
    async fn claim(&self, key: &C::Key, holder: u64, lease: Duration) -> Result<bool, C::Error> {
        self.get_ref().claim(key, holder, lease).await
    }

    async fn release(&self, key: &C::Key, holder: u64) -> Result<(), C::Error> {
        self.get_ref().release(key, holder).await
    }
}

impl<C, M> AsyncClaims for Mapped<C, M>
where
    C: AsyncClaims<Value: Send> + Sync,
    M: Mapping<C::Key, C::Value, Key: Sync, Value: Send, At: Send + Sync> + Sync,
{
    async fn claim(&self, key: &M::Key, holder: u64, lease: Duration) -> Result<bool, C::Error> {
        let at = self.mapping().at(key)?;
        self.get_ref().claim(at.borrow(), holder, lease).await
    }

    async fn release(&self, key: &M::Key, holder: u64) -> Result<(), C::Error> {
        let at = self.mapping().at(key)?;
        self.get_ref().release(at.borrow(), holder).await
    }
}
