//! One computation a key among the tasks of one executor, without a heap.

mod places;

use crate::{
    caches::{Found, InMemory, LocalAsyncCache},
    error::Error,
};
use core::{
    cell::RefCell,
    fmt,
    future::poll_fn,
    hash::{BuildHasher, Hash},
    pin::pin,
    time::Duration,
};
use places::{Place, Places, Turn};
use rustc_hash::FxBuildHasher;

/// A [`LocalAsyncCache`] that computes a value once, however many tasks of one executor request it.
///
/// `CALLERS` is the number of tasks that may compute or wait at the same time: a place takes about five
/// words. A further task computes its value beside the others.
///
/// ```
/// use core::cell::RefCell;
/// use ctu_core::{LocalAsyncCache, LocalAsyncCacheExt, LocalSingleFlightCache, LruCache, Ready};
///
/// async fn temperature() -> Result<u32, &'static str> {
/// #   Ok(21)
/// #   /*
///     sensor.read().await
/// #   */
/// }
///
/// async fn tasks() {
///     let store = RefCell::new(LruCache::<u8, u32, 8>::new());
///     let cache = LocalSingleFlightCache::<_, 4>::new(Ready(&store));
///     // Each task of the executor that shares the cache:
///     let found = cache.get_or_try_insert_with(&1, temperature).await;
///     assert_eq!(found, Ok(Ok(21)));
/// }
/// # let mut tasks = core::pin::pin!(tasks());
/// # let mut context = core::task::Context::from_waker(core::task::Waker::noop());
/// # assert!(tasks.as_mut().poll(&mut context).is_ready());
/// ```
///
/// The program `embassy` of `ctu-embedded-example` shares one among tasks of embassy.
///
/// # Failures
/// If the computation fails or its future is dropped, the task that has waited longest computes. A value
/// that the inner cache cannot store is returned to the task that computed it; the next task computes.
/// A task that is dropped leaves nothing behind. A computation that never ends holds up the tasks that
/// wait: limit its time.
///
/// A computation that requests its own key computes it within itself, and does not store that result.
///
/// # Writes during a computation
/// The result of a computation during which its key was written is not stored.
pub struct LocalSingleFlightCache<C, const CALLERS: usize> {
    inner: C,
    places: Places<CALLERS>,
}

impl<C, const CALLERS: usize> LocalSingleFlightCache<C, CALLERS> {
    /// One computation a key among the tasks that share this wrapper. `inner` stores the results.
    pub const fn new(inner: C) -> Self {
        Self {
            inner,
            places: Places::new(),
        }
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

fn hash_of<K: Hash + ?Sized>(key: &K) -> u64 {
    FxBuildHasher.hash_one(key)
}

impl<C: LocalAsyncCache<Key: Hash>, const CALLERS: usize> LocalSingleFlightCache<C, CALLERS> {
    /// Computes, stores the result, and releases the callers that wait.
    async fn lead<F, Fut>(
        &self,
        key: &C::Key,
        mut make: F,
        place: Option<Place<'_, CALLERS>>,
    ) -> Result<Option<C::Value>, C::Error>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Option<C::Value>, Error>>,
    {
        // The futures of `make` share it.
        let made = RefCell::new(None);
        let is_outdated = || place.as_ref().is_some_and(Place::is_outdated);
        let found = {
            let mut computed = pin!(self.inner.get_or_compute(key, || {
                let (future, made, is_outdated) = (make(), &made, &is_outdated);
                async move {
                    let value = future.await?;
                    made.replace(value.clone());
                    Ok(value.filter(|_| !is_outdated()))
                }
            }));
            poll_fn(|context| {
                if let Some(place) = &place {
                    place.set_polled(true);
                }
                let polled = computed.as_mut().poll(context);
                if let Some(place) = &place {
                    place.set_polled(false);
                }
                polled
            })
            .await?
        };
        let (stored, outdated) = (found.is_some(), is_outdated());
        if stored && outdated {
            // The older result may be stored over a newer value.
            self.inner.remove(key).await?;
        }
        if let Some(place) = place
            && stored
        {
            place.finish();
        }
        Ok(made.into_inner().or(found))
    }
}

impl<C: LocalAsyncCache<Key: Hash>, const CALLERS: usize> LocalAsyncCache
    for LocalSingleFlightCache<C, CALLERS>
{
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    async fn get(&self, key: &C::Key) -> Result<Option<C::Value>, C::Error> {
        self.inner.get(key).await
    }

    async fn insert_entry(
        &self,
        key: &C::Key,
        value: C::Value,
        ttl: Option<Duration>,
    ) -> Result<(), C::Error> {
        let _written = Written::one(self, key);
        self.inner.insert_entry(key, value, ttl).await
    }

    async fn remove(&self, key: &C::Key) -> Result<bool, C::Error> {
        let _written = Written::one(self, key);
        self.inner.remove(key).await
    }

    async fn clear(&self) -> Result<(), C::Error> {
        let _written = Written::all(self);
        self.inner.clear().await
    }

    async fn len(&self) -> Result<usize, C::Error> {
        self.inner.len().await
    }

    async fn is_empty(&self) -> Result<bool, C::Error> {
        self.inner.is_empty().await
    }

    async fn contains(&self, key: &C::Key) -> Result<bool, C::Error> {
        self.inner.contains(key).await
    }

    async fn get_with_ttl(&self, key: &C::Key) -> Result<Found<C::Value>, C::Error> {
        self.inner.get_with_ttl(key).await
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.inner.default_ttl()
    }

    async fn pop(&self, key: &C::Key) -> Result<Option<C::Value>, C::Error> {
        let _written = Written::one(self, key);
        self.inner.pop(key).await
    }

    async fn retain<F>(&self, keep: F) -> Result<(), C::Error>
    where
        F: FnMut(&C::Key) -> bool,
    {
        let _written = Written::all(self);
        self.inner.retain(keep).await
    }

    /// As [`Cache::get_or_compute`](crate::Cache::get_or_compute), with one computation a key among the
    /// tasks of one executor.
    async fn get_or_compute<F, Fut>(
        &self,
        key: &C::Key,
        mut make: F,
    ) -> Result<Option<C::Value>, C::Error>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Option<C::Value>, Error>>,
    {
        let hash = hash_of(key);
        loop {
            if let Some(value) = self.inner.get(key).await? {
                return Ok(Some(value));
            }
            match self.places.join(hash).await {
                Turn::Lead(place) => return self.lead(key, make, place).await,
                Turn::Within => return Ok(make().await?),
                Turn::Look => {}
            }
        }
    }

    fn has_single_flight(&self) -> bool {
        true
    }

    #[cfg(feature = "alloc")]
    async fn get_many(
        &self,
        keys: &[&C::Key],
    ) -> Result<alloc::vec::Vec<Option<C::Value>>, C::Error> {
        self.inner.get_many(keys).await
    }

    #[cfg(feature = "alloc")]
    async fn get_many_with_ttl(
        &self,
        keys: &[&C::Key],
    ) -> Result<alloc::vec::Vec<Found<C::Value>>, C::Error> {
        self.inner.get_many_with_ttl(keys).await
    }

    #[cfg(feature = "alloc")]
    async fn insert_many(
        &self,
        entries: alloc::vec::Vec<(&C::Key, C::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), C::Error> {
        let keys: alloc::vec::Vec<&C::Key> = entries.iter().map(|(key, _)| *key).collect();
        let _written = Written::new(self, Keys::These(&keys));
        self.inner.insert_many(entries, ttl).await
    }

    #[cfg(feature = "alloc")]
    async fn remove_many(&self, keys: &[&C::Key]) -> Result<usize, C::Error> {
        let _written = Written::new(self, Keys::These(keys));
        self.inner.remove_many(keys).await
    }
}

enum Keys<'k, K: ?Sized> {
    One(&'k K),
    #[cfg(feature = "alloc")]
    These(&'k [&'k K]),
    All,
}

/// A write under way. A computation that begins before its end is outdated.
struct Written<'w, C: LocalAsyncCache<Key: Hash>, const CALLERS: usize> {
    cache: &'w LocalSingleFlightCache<C, CALLERS>,
    keys: Keys<'w, C::Key>,
}

impl<'w, C: LocalAsyncCache<Key: Hash>, const CALLERS: usize> Written<'w, C, CALLERS> {
    fn one(cache: &'w LocalSingleFlightCache<C, CALLERS>, key: &'w C::Key) -> Self {
        Self::new(cache, Keys::One(key))
    }

    fn all(cache: &'w LocalSingleFlightCache<C, CALLERS>) -> Self {
        Self::new(cache, Keys::All)
    }

    fn new(cache: &'w LocalSingleFlightCache<C, CALLERS>, keys: Keys<'w, C::Key>) -> Self {
        let written = Self { cache, keys };
        written.mark();
        written
    }

    fn mark(&self) {
        match &self.keys {
            Keys::One(key) => {
                let written = hash_of(*key);
                self.cache.places.written(|hash| hash == written);
            }
            #[cfg(feature = "alloc")]
            Keys::These(keys) => {
                for key in *keys {
                    let written = hash_of(*key);
                    self.cache.places.written(|hash| hash == written);
                }
            }
            Keys::All => self.cache.places.written(|_| true),
        }
    }
}

impl<C: LocalAsyncCache<Key: Hash>, const CALLERS: usize> Drop for Written<'_, C, CALLERS> {
    fn drop(&mut self) {
        self.mark();
    }
}

impl<C: InMemory, const CALLERS: usize> InMemory for LocalSingleFlightCache<C, CALLERS> {}

impl<C: fmt::Debug, const CALLERS: usize> fmt::Debug for LocalSingleFlightCache<C, CALLERS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSingleFlightCache")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
