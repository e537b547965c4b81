//! `FaultyCache`.

use ctu_core::{AsyncCache, Cache, CacheError, Error, Found};
use parking_lot::Mutex;
use std::{fmt, time::Duration};

/// A failure of a [`FaultyCache`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The operation is not done. The error is an outage, as of a server that is down.
    Unreachable,
    /// The operation is done, and its result is lost. The error is an outage, as of a connection that breaks
    /// before the reply.
    Unanswered,
    /// The operation is not done. The error is an overload, as of a pool without a free connection.
    Overloaded,
    /// The operation is not done. The error is one of the caller and no outage, as of a server that refuses the
    /// command.
    Refused,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "the cache is unreachable, on command",
            Self::Unanswered => "the cache does not answer, on command",
            Self::Overloaded => "the cache is overloaded, on command",
            Self::Refused => "the cache refuses the operation, on command",
        })
    }
}

/// The error of a [`FaultyCache`].
///
/// ```
/// use ctu_std::{Cache, CacheError, LockedCache, LruCache, test_util::{Fault, FaultyCache, FaultyError}};
/// let cache = LockedCache::new(LruCache::<String, u32>::with_capacity(8));
/// let cache = FaultyCache::new(cache);
/// cache.fail(Fault::Unreachable);
/// let error = cache.get("key").unwrap_err();
/// assert_eq!(error, FaultyError::Fault(Fault::Unreachable));
/// assert!(error.is_outage());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultyError<E> {
    /// The inner cache failed.
    Inner(E),
    /// The cache failed on command.
    Fault(Fault),
}

impl<E: fmt::Display> fmt::Display for FaultyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inner(error) => error.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl<E: std::error::Error> std::error::Error for FaultyError<E> {}

impl<E: CacheError> From<Error> for FaultyError<E> {
    fn from(error: Error) -> Self {
        Self::Inner(error.into())
    }
}

impl<E: CacheError> CacheError for FaultyError<E> {
    fn as_core(&self) -> Option<Error> {
        match self {
            Self::Inner(error) => error.as_core(),
            Self::Fault(_) => None,
        }
    }

    fn is_outage(&self) -> bool {
        match self {
            Self::Inner(error) => error.is_outage(),
            Self::Fault(fault) => matches!(fault, Fault::Unreachable | Fault::Unanswered),
        }
    }

    fn is_overload(&self) -> bool {
        match self {
            Self::Inner(error) => error.is_overload(),
            Self::Fault(fault) => *fault == Fault::Overloaded,
        }
    }

    fn is_corrupt(&self) -> bool {
        match self {
            Self::Inner(error) => error.is_corrupt(),
            Self::Fault(_) => false,
        }
    }
}

/// A cache that fails on command, for tests: an [`AsyncCache`] where the inner cache is one.
///
/// ```
/// use ctu_std::{
///     Cache, CacheError, CacheExt, LockedCache, LruCache,
///     test_util::{Fault, FaultyCache},
/// };
///
/// let cache = FaultyCache::new(LockedCache::new(LruCache::<u32, u32>::with_capacity(10)));
/// cache.fail_next(1, Fault::Unanswered);
/// assert!(cache.insert(&1, 10).is_err_and(|error| error.is_outage()));
/// // The entry was stored all the same.
/// assert_eq!(cache.get(&1)?, Some(10));
/// cache.fail(Fault::Unreachable);
/// assert!(cache.get(&1).is_err());
/// assert!(cache.get(&1).is_err());
/// cache.work();
/// assert_eq!((cache.get(&1)?, cache.failed()), (Some(10), 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `get_or_insert_with` and the related methods are a lookup and an insertion, each of which may fail. A single
/// flight of the inner cache is not used.
#[derive(Debug, Default)]
pub struct FaultyCache<C> {
    inner: C,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    fault: Option<Fault>,
    /// The number of operations to fail. `None` is all.
    left: Option<usize>,
    failed: usize,
}

/// The way of an operation that reaches the inner cache.
#[derive(Clone, Copy)]
enum Way {
    Answered,
    Unanswered,
}

impl<C> FaultyCache<C> {
    /// A cache that works, over `inner`.
    pub fn new(inner: C) -> Self {
        Self {
            inner,
            state: Mutex::default(),
        }
    }

    /// Fails every operation from now on.
    pub fn fail(&self, fault: Fault) {
        self.set(Some(fault), None);
    }

    /// Fails the next `operations`.
    pub fn fail_next(&self, operations: usize, fault: Fault) {
        self.set(Some(fault), Some(operations));
    }

    /// Works again.
    pub fn work(&self) {
        self.set(None, None);
    }

    /// The number of operations that failed on command.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.state.lock().failed
    }

    /// The inner cache, which does not fail.
    pub fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The inner cache.
    pub fn into_inner(self) -> C {
        self.inner
    }

    fn set(&self, fault: Option<Fault>, left: Option<usize>) {
        let mut state = self.state.lock();
        (state.fault, state.left) = (fault, left);
    }

    /// The start of an operation. Fails one that is not to reach the inner cache.
    fn begin<E>(&self) -> Result<Way, FaultyError<E>> {
        let mut state = self.state.lock();
        let Some(fault) = state.fault.filter(|_| state.left != Some(0)) else {
            return Ok(Way::Answered);
        };
        if let Some(left) = &mut state.left {
            *left -= 1;
        }
        state.failed += 1;
        match fault {
            Fault::Unanswered => Ok(Way::Unanswered),
            _ => Err(FaultyError::Fault(fault)),
        }
    }
}

impl Way {
    /// The result of an operation of the inner cache, as the caller sees it.
    fn end<T, E>(self, result: Result<T, E>) -> Result<T, FaultyError<E>> {
        match self {
            Self::Answered => result.map_err(FaultyError::Inner),
            Self::Unanswered => Err(FaultyError::Fault(Fault::Unanswered)),
        }
    }
}

/// A method whose text is the same for a blocking and an async cache, but for `async` and `.await`.
macro_rules! faulty_method {
    (
        [$($function:tt)+] [$($await:tt)*]
        $name:ident($($argument:ident: $Argument:ty),*) -> $Output:ty
    ) => {
        $($function)+ $name(&self, $($argument: $Argument),*) -> Result<$Output, Self::Error> {
            let way = self.begin()?;
            way.end(self.inner.$name($($argument),*)$($await)*)
        }
    };
}

/// All such methods.
macro_rules! faulty_methods {
    ($function:tt $await:tt) => {
        faulty_method!($function $await get(key: &Self::Key) -> Option<Self::Value>);
        faulty_method!($function $await insert_entry(key: &Self::Key, value: Self::Value, ttl: Option<Duration>) -> ());
        faulty_method!($function $await remove(key: &Self::Key) -> bool);
        faulty_method!($function $await clear() -> ());
        faulty_method!($function $await len() -> usize);
        faulty_method!($function $await is_empty() -> bool);
        faulty_method!($function $await contains(key: &Self::Key) -> bool);
        faulty_method!($function $await get_with_ttl(key: &Self::Key) -> Found<Self::Value>);
        faulty_method!($function $await pop(key: &Self::Key) -> Option<Self::Value>);
        faulty_method!($function $await get_many(keys: &[&Self::Key]) -> Vec<Option<Self::Value>>);
        faulty_method!($function $await get_many_with_ttl(keys: &[&Self::Key]) -> Vec<Found<Self::Value>>);
        faulty_method!($function $await insert_many(entries: Vec<(&Self::Key, Self::Value)>, ttl: Option<Duration>) -> ());
        faulty_method!($function $await remove_many(keys: &[&Self::Key]) -> usize);

        fn default_ttl(&self) -> Option<Duration> {
            self.inner.default_ttl()
        }
    };
}

impl<C: Cache> Cache for FaultyCache<C> {
    type Key = C::Key;
    type Value = C::Value;
    type Error = FaultyError<C::Error>;

    faulty_methods!([fn] []);

    fn retain(&self, keep: &mut dyn FnMut(&Self::Key) -> bool) -> Result<(), Self::Error> {
        let way = self.begin()?;
        way.end(self.inner.retain(keep))
    }
}

impl<C: AsyncCache> AsyncCache for FaultyCache<C> {
    type Key = C::Key;
    type Value = C::Value;
    type Error = FaultyError<C::Error>;

    faulty_methods!([async fn] [.await]);

    async fn retain<F>(&self, keep: F) -> Result<(), Self::Error>
    where
        F: FnMut(&Self::Key) -> bool + Send,
    {
        let way = self.begin()?;
        way.end(self.inner.retain(keep).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caches::LockedCache;
    use ctu_core::{AsyncCacheExt, CacheExt, Ready, heap::LruCache};

    fn cache() -> FaultyCache<LockedCache<LruCache<u32, u32>>> {
        FaultyCache::new(LockedCache::new(LruCache::with_capacity(10)))
    }

    #[test]
    fn each_fault_has_its_class_of_error_and_its_effect() {
        for (fault, outage, overload, done) in [
            (Fault::Unreachable, true, false, false),
            (Fault::Unanswered, true, false, true),
            (Fault::Overloaded, false, true, false),
            (Fault::Refused, false, false, false),
        ] {
            let cache = cache();
            cache.fail(fault);
            let error = cache.insert(&1, 10).unwrap_err();
            assert_eq!(error, FaultyError::Fault(fault));
            assert_eq!((error.is_outage(), error.is_overload()), (outage, overload));
            assert_eq!((error.as_core(), error.is_corrupt()), (None, false));
            assert_eq!(cache.get_ref().get(&1), Ok(done.then_some(10)));
        }
    }

    #[test]
    fn as_many_operations_fail_as_the_command_says() {
        let cache = cache();
        cache.fail_next(2, Fault::Unreachable);
        assert!(cache.get(&1).is_err() && cache.contains(&1).is_err());
        assert_eq!(cache.get(&1), Ok(None));
        assert_eq!(cache.failed(), 2);
        cache.fail_next(0, Fault::Unreachable);
        assert_eq!(cache.get(&1), Ok(None));
    }

    #[tokio::test]
    async fn async_cache_fails_on_command() {
        let cache = FaultyCache::new(Ready(LockedCache::new(
            LruCache::<u32, u32>::with_capacity(10),
        )));
        cache.fail(Fault::Unanswered);
        assert!(cache.insert(&1, 10).await.is_err());
        assert!(cache.retain(|_| true).await.is_err());
        cache.work();
        assert_eq!(cache.get(&1).await, Ok(Some(10)));
    }
}
