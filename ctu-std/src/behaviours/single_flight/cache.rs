//! `SingleFlightCache`.

use super::{flights::SingleFlight, writes::Writes};
use crate::caches::{AnyCache, IsCache};
use ctu_core::{HasAsyncStats, HasStats, InMemory};
use std::{fmt, hash::Hash, marker::PhantomData, time::Duration};

/// A cache that computes a value once, however many threads or tasks request it.
///
/// In most caches, callers of [`get_or_insert_with`](crate::CacheExt::get_or_insert_with) that miss the
/// same key at the same time each compute its value. Here one of them computes, and the others wait for
/// its result.
///
/// ```
/// use ctu_std::{Cache, CacheExt, ConcurrentCache, SingleFlightCache};
/// use std::{sync::atomic::{AtomicU32, Ordering::Relaxed}, thread};
///
/// let cache = SingleFlightCache::new(ConcurrentCache::<String, u32>::with_capacity(100));
/// let computed = AtomicU32::new(0);
/// thread::scope(|scope| {
///     for _ in 0..8 {
///         scope.spawn(|| cache.get_or_insert_with("answer", || computed.fetch_add(1, Relaxed) + 42));
///     }
/// });
/// assert_eq!(cache.get("answer")?, Some(42));
/// assert_eq!(computed.into_inner(), 1);
/// # Ok::<(), ctu_std::Error>(())
/// ```
///
/// # Async
/// Around an [`AsyncCache`](crate::AsyncCache) it is an `AsyncCache`, on any runtime. The compiler infers
/// the second type parameter; a type that is written out has it: `SingleFlightCache<C, IsAsync>`.
///
/// ```
/// use ctu_std::{AsyncCacheExt, Ready, ConcurrentCache, SingleFlightCache};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ctu_std::Error> {
/// let cache = SingleFlightCache::new(Ready(ConcurrentCache::<u32, u32>::with_capacity(100)));
/// let (one, other) = tokio::join!(
///     cache.get_or_insert_with(&1, || async { 10u32 }),
///     cache.get_or_insert_with(&1, || async { unreachable!("the first call computes") as u32 }),
/// );
/// assert_eq!((one?, other?), (10, 10));
/// # Ok(())
/// # }
/// ```
///
/// A future may be dropped at any await. A waiter that is dropped leaves nothing behind. If the future that
/// computes is dropped, the caller that has waited longest computes. A future that is neither polled nor
/// dropped holds up the callers that wait for it, up to the wait limit.
///
/// # Use
/// For values that cost much more than a lookup, and that many callers may request at once. A
/// [`TwoLevelCache`](crate::TwoLevelCache) has a single flight already. Callers share the computations
/// by sharing this wrapper: two wrappers around one cache do not know of each other, nor of direct
/// writes to that cache.
///
/// # Cost
/// A lookup goes straight to the inner cache: a hit takes no lock of the wrapper. A computation looks the
/// key up again, since another computation may have ended since the miss; over a server that is one more
/// round trip for a miss. A write takes short locks and copies its keys. A shared result is cloned and
/// dropped under a lock: the `Clone` and `Drop` of a value must not use this cache.
///
/// # Failures
/// If the computation fails, panics or returns nothing, the caller that has waited longest computes next.
/// The callers try one after another: where a slow computation fails for all, the last of `n` waits `n`
/// times as long. Limit the time of a computation. If the inner cache cannot store the value, the caller
/// that computed it gets the error, and the waiting callers get the value.
///
/// A computation may request other keys, and its own, which it then computes within itself; that result is
/// returned and not stored.
///
/// # Wait limit
/// A caller waits for at most 10 seconds ([`with_wait_limit`](Self::with_wait_limit)). Then it computes the
/// value beside the other caller, and the first result is stored and goes to all. This ends the wait of
/// computations for each other: each for the other's key, or one for a thread or task that it started
/// and that requests the same key.
///
/// # Writes during a computation
/// A caller that comes after a write or removal gets no value that was computed before it. The result of
/// a computation during which its key was written is not stored: it goes to the callers that came
/// before. A write never waits for a computation, but for a result of the same key that is being stored.
pub struct SingleFlightCache<C: AnyCache<Kind, Key: ToOwned>, Kind = IsCache> {
    pub(super) inner: C,
    pub(super) flights: SingleFlight<C::Key, C::Value>,
    pub(super) writes: Writes<C::Key>,
    kind: PhantomData<fn() -> Kind>,
}

impl<C: AnyCache<Kind, Key: ToOwned> + InMemory, Kind> InMemory for SingleFlightCache<C, Kind> {}

impl<C: AnyCache<Kind, Key: ToOwned> + HasStats, Kind> HasStats for SingleFlightCache<C, Kind> {
    type Stats = <C as HasStats>::Stats;
    type Error = <C as HasStats>::Error;

    fn stats(&self) -> Result<Self::Stats, Self::Error> {
        self.inner.stats()
    }

    fn hit_rate(&self) -> Result<f64, Self::Error> {
        self.inner.hit_rate()
    }
}

impl<C, Kind> HasAsyncStats for SingleFlightCache<C, Kind>
where
    C: AnyCache<Kind, Key: ToOwned> + HasAsyncStats,
{
    type Stats = <C as HasAsyncStats>::Stats;
    type Error = <C as HasAsyncStats>::Error;

    fn stats_async(&self) -> impl Future<Output = Result<Self::Stats, Self::Error>> + Send {
        self.inner.stats_async()
    }

    fn hit_rate_async(&self) -> impl Future<Output = Result<f64, Self::Error>> + Send {
        self.inner.hit_rate_async()
    }
}

impl<C: AnyCache<Kind, Key: Hash + Eq + ToOwned>, Kind> SingleFlightCache<C, Kind> {
    /// One computation a key among the callers of this wrapper. `inner` stores the results.
    pub fn new(inner: C) -> Self {
        Self {
            inner,
            flights: SingleFlight::new(),
            writes: Writes::new(),
            kind: PhantomData,
        }
    }

    /// Sets the longest wait for another caller's computation. [`Duration::ZERO`] is no wait,
    /// [`Duration::MAX`] no limit. The default is 10 seconds.
    ///
    /// Choose more than the usual time of a computation: callers that reach the limit compute the same
    /// value at once.
    ///
    /// ```
    /// use ctu_std::{ConcurrentCache, SingleFlightCache};
    /// use std::time::Duration;
    ///
    /// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
    /// let cache = SingleFlightCache::new(cache).with_wait_limit(Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn with_wait_limit(mut self, limit: Duration) -> Self {
        self.flights.set_wait_limit(limit);
        self
    }

    /// The inner cache. A direct write to it does not affect computations under way.
    pub const fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The inner cache.
    pub fn into_inner(self) -> C {
        self.inner
    }
}

impl<C: AnyCache<Kind, Key: ToOwned> + fmt::Debug, Kind> fmt::Debug for SingleFlightCache<C, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlightCache")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
