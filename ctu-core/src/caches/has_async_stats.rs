//! The statistics of an async cache, through the wrappers above it.

use super::{HasStats, Ready};
use core::future::ready;

/// The statistics of an async cache: [`HasStats`](crate::HasStats) for caches that ask a server for
/// them. A wrapper such as [`StatsCache`](crate::StatsCache) has its own, others those of their inner cache.
///
/// ```
/// use ctu_core::{AsyncCache, HasAsyncStats, LruCache, Ready, SpinCache, Stats, StatsCache};
///
/// async fn report<C: HasAsyncStats<Stats = Stats>>(cache: &C) -> Result<(), C::Error> {
///     let stats = cache.stats_async().await?;
///     assert_eq!((stats.reads, stats.size), (0, Some(0)));
///     assert_eq!(cache.hit_rate_async().await?, 0.0);
///     Ok(())
/// }
/// # let cache = StatsCache::new(Ready(SpinCache::new(LruCache::<u32, u32, 8>::new())));
/// # let report = core::pin::pin!(report(&cache));
/// # let mut context = core::task::Context::from_waker(core::task::Waker::noop());
/// # assert!(report.poll(&mut context).is_ready());
/// ```
pub trait HasAsyncStats {
    /// The statistics.
    type Stats;
    /// The error of a cache that asks a server for them.
    type Error;

    /// As [`HasStats::stats`](crate::HasStats::stats).
    ///
    /// # Errors
    /// Those of the cache, such as an unreachable server.
    fn stats_async(&self) -> impl Future<Output = Result<Self::Stats, Self::Error>> + Send;

    /// As [`HasStats::hit_rate`](crate::HasStats::hit_rate).
    ///
    /// # Errors
    /// Those of [`stats_async`](Self::stats_async).
    fn hit_rate_async(&self) -> impl Future<Output = Result<f64, Self::Error>> + Send;
}

impl<C: HasStats<Stats: Send, Error: Send>> HasAsyncStats for Ready<C> {
    type Stats = C::Stats;
    type Error = C::Error;

    fn stats_async(&self) -> impl Future<Output = Result<C::Stats, C::Error>> + Send {
        ready(self.0.stats())
    }

    fn hit_rate_async(&self) -> impl Future<Output = Result<f64, C::Error>> + Send {
        ready(self.0.hit_rate())
    }
}

/// Implements [`HasAsyncStats`] by that of an inner cache.
macro_rules! forward_async_stats {
    ($(impl[$($generics:tt)*] for $t:ty, $C:ty, $this:ident => $inner:expr;)*) => {$(
        impl<$($generics)*> $crate::caches::HasAsyncStats for $t {
            type Stats = <$C as $crate::caches::HasAsyncStats>::Stats;
            type Error = <$C as $crate::caches::HasAsyncStats>::Error;

            fn stats_async(
                &self,
            ) -> impl Future<Output = Result<Self::Stats, Self::Error>> + Send {
                let $this = self;
                <$C as $crate::caches::HasAsyncStats>::stats_async($inner)
            }

            fn hit_rate_async(&self) -> impl Future<Output = Result<f64, Self::Error>> + Send {
                let $this = self;
                <$C as $crate::caches::HasAsyncStats>::hit_rate_async($inner)
            }
        }
    )*};
}
pub(crate) use forward_async_stats;

forward_async_stats!(impl[C: HasAsyncStats + ?Sized] for &C, C, this => *this;);
#[cfg(feature = "alloc")]
forward_async_stats! {
    impl[C: HasAsyncStats + ?Sized] for alloc::boxed::Box<C>, C, this => this;
    impl[C: HasAsyncStats + ?Sized] for alloc::rc::Rc<C>, C, this => this;
}
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
forward_async_stats!(impl[C: HasAsyncStats + ?Sized] for alloc::sync::Arc<C>, C, this => this;);
#[cfg(feature = "std")]
forward_async_stats!(impl[C: HasAsyncStats] for std::sync::LazyLock<C>, C, this => this;);
