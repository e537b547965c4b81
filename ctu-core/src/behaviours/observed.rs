//! The adaptor of observers: one cache for blocking and async inner caches.

use super::observer::{Observer, Operation, OperationKind, Outcome};
use crate::{
    caches::{AsyncCache, Cache, Found, InMemory, LocalAsyncCache},
    entries::KeyParts,
    error::{CacheError, Error},
};
use core::{borrow::Borrow, time::Duration};

/// An [`Observer`] on a cache: a [`Cache`] where the inner one is, an
/// [`AsyncCache`](crate::AsyncCache) where that is.
///
/// It forwards every operation unchanged, after the observer has seen it. [`StatsCache`](crate::StatsCache)
/// and [`DebugCache`](crate::DebugCache) are aliases for the observers of this crate.
///
/// ```
/// use ctu_core::{LruCache, Observed, Observer, Operation, OperationKind, SpinCache, prelude::*};
/// use std::cell::RefCell;
///
/// /// Records the kinds of operations.
/// #[derive(Default)]
/// struct Record(RefCell<Vec<OperationKind>>);
/// impl<K: ?Sized, V> Observer<K, V> for Record {
///     fn before(&self, operation: &Operation<'_, K, V>) {
///         self.0.borrow_mut().push(operation.kind());
///     }
/// }
/// let store = SpinCache::new(LruCache::<u32, u32, 8>::new());
/// let cache = Observed::with_observer(store, Record::default());
/// cache.insert(&1, 10)?;
/// assert_eq!(*cache.observer().0.borrow(), [OperationKind::Insert]);
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Observed<C, O> {
    inner: C,
    observer: O,
}

impl<C, O> Observed<C, O> {
    /// Puts `observer` on `inner`.
    pub const fn with_observer(inner: C, observer: O) -> Self {
        Self { inner, observer }
    }

    /// The observer.
    pub const fn observer(&self) -> &O {
        &self.observer
    }

    /// The inner cache.
    pub const fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The inner cache.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// The inner cache.
    pub fn into_inner(self) -> C {
        self.inner
    }

    /// Reports the begin of an operation.
    #[inline]
    fn begin<K: ?Sized, V>(&self, operation: &Operation<'_, K, V>) -> Begun
    where
        O: Observer<K, V>,
    {
        self.observer.before(operation);
        Begun {
            kind: operation.kind(),
            start: self.observer.start(),
        }
    }

    /// Reports the end of an operation that is no lookup.
    #[inline]
    fn end<K: ?Sized, V, T, E: CacheError>(
        &self,
        begun: Begun,
        result: Result<T, E>,
    ) -> Result<T, E>
    where
        O: Observer<K, V>,
    {
        self.observer
            .end(begun.kind, begun.start, Outcome::of(&result));
        result
    }

    /// Reports the end of a lookup.
    #[inline]
    fn found<K: ?Sized, V, T, E: CacheError>(
        &self,
        operation: &Operation<'_, K, V>,
        begun: Begun,
        found: Result<Option<T>, E>,
    ) -> Result<Option<T>, E>
    where
        O: Observer<K, V>,
    {
        let hit = matches!(found, Ok(Some(_)));
        self.observer.found(operation, usize::from(hit));
        let outcome = Outcome::of_lookup(&found, hit);
        self.observer.end(begun.kind, begun.start, outcome);
        found
    }

    /// Reports the miss of a lookup, before the computation of a value.
    fn missed<K: ?Sized, V>(&self, key: &K, begun: Begun)
    where
        O: Observer<K, V>,
    {
        self.observer.found(&Operation::Get(key), 0);
        self.observer.end(begun.kind, begun.start, Outcome::Miss);
    }

    /// Reports the end of a computation, and the begin of the write of its value.
    fn computed<K: ?Sized, V>(&self, key: &K, start: u64, made: &Result<Option<V>, Error>)
    where
        O: Observer<K, V>,
    {
        let outcome = Outcome::of(made);
        self.observer.end(OperationKind::Compute, start, outcome);
        if let Ok(Some(value)) = made {
            self.observer.before(&Operation::Insert(key, value));
        }
    }

    #[cfg(feature = "alloc")]
    fn found_many<K: ?Sized, V, T, E: CacheError>(
        &self,
        keys: &[&K],
        begun: Begun,
        found: Result<alloc::vec::Vec<Option<T>>, E>,
    ) -> Result<alloc::vec::Vec<Option<T>>, E>
    where
        O: Observer<K, V>,
    {
        let hits = found.iter().flatten().flatten().count();
        self.observer.found(&Operation::GetMany(keys), hits);
        let outcome = Outcome::of_lookup(&found, hits == keys.len());
        self.observer.end(begun.kind, begun.start, outcome);
        found
    }
}

/// An operation between its begin and its end.
#[derive(Clone, Copy)]
struct Begun {
    kind: OperationKind,
    start: u64,
}

/// The methods whose text is the same for a blocking and an async cache, but for `async` and `.await`.
macro_rules! observed_methods {
    ([$($function:tt)+] [$($await:tt)*]) => {
        $($function)+ get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
            let begun = self.begin(&Operation::Get(key));
            let found = self.inner.get(key)$($await)*;
            self.found(&Operation::Get(key), begun, found)
        }

        $($function)+ insert_entry(
            &self,
            key: &Self::Key,
            value: Self::Value,
            ttl: Option<Duration>,
        ) -> Result<(), Self::Error> {
            let begun = self.begin(&Operation::Insert(key, &value));
            let done = self.inner.insert_entry(key, value, ttl)$($await)*;
            self.end(begun, done)
        }

        $($function)+ remove(&self, key: &Self::Key) -> Result<bool, Self::Error> {
            let begun = self.begin(&Operation::Remove(key));
            let done = self.inner.remove(key)$($await)*;
            self.end(begun, done)
        }

        $($function)+ clear(&self) -> Result<(), Self::Error> {
            let begun = self.begin(&Operation::Clear);
            let done = self.inner.clear()$($await)*;
            self.end(begun, done)
        }

        $($function)+ len(&self) -> Result<usize, Self::Error> {
            let begun = self.begin(&Operation::Len);
            let done = self.inner.len()$($await)*;
            self.end(begun, done)
        }

        $($function)+ is_empty(&self) -> Result<bool, Self::Error> {
            let begun = self.begin(&Operation::Len);
            let done = self.inner.is_empty()$($await)*;
            self.end(begun, done)
        }

        $($function)+ contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
            let begun = self.begin(&Operation::Contains(key));
            let done = self.inner.contains(key)$($await)*;
            self.end(begun, done)
        }

        $($function)+ get_with_ttl(
            &self,
            key: &Self::Key,
        ) -> Result<Found<Self::Value>, Self::Error> {
            let begun = self.begin(&Operation::Get(key));
            let found = self.inner.get_with_ttl(key)$($await)*;
            self.found(&Operation::Get(key), begun, found)
        }

        $($function)+ pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
            let begun = self.begin(&Operation::Pop(key));
            let found = self.inner.pop(key)$($await)*;
            self.found(&Operation::Pop(key), begun, found)
        }

        #[cfg(feature = "alloc")]
        $($function)+ get_many(
            &self,
            keys: &[&Self::Key],
        ) -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error> {
            let begun = self.begin(&Operation::GetMany(keys));
            let found = self.inner.get_many(keys)$($await)*;
            self.found_many(keys, begun, found)
        }

        #[cfg(feature = "alloc")]
        $($function)+ get_many_with_ttl(
            &self,
            keys: &[&Self::Key],
        ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
            let begun = self.begin(&Operation::GetMany(keys));
            let found = self.inner.get_many_with_ttl(keys)$($await)*;
            self.found_many(keys, begun, found)
        }

        #[cfg(feature = "alloc")]
        $($function)+ insert_many(
            &self,
            entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
            ttl: Option<Duration>,
        ) -> Result<(), Self::Error> {
            let begun = self.begin(&Operation::InsertMany(&entries));
            let done = self.inner.insert_many(entries, ttl)$($await)*;
            self.end(begun, done)
        }

        #[cfg(feature = "alloc")]
        $($function)+ remove_many(&self, keys: &[&Self::Key]) -> Result<usize, Self::Error> {
            let begun = self.begin(&Operation::RemoveMany(keys));
            let done = self.inner.remove_many(keys)$($await)*;
            self.end(begun, done)
        }

        fn default_ttl(&self) -> Option<Duration> {
            self.inner.default_ttl()
        }

        fn id(&self) -> crate::caches::CacheId {
            self.inner.id()
        }

        fn has_single_flight(&self) -> bool {
            self.inner.has_single_flight()
        }
    };
}

impl<C: InMemory, O> InMemory for Observed<C, O> {}

impl<C: Cache, O: Observer<C::Key, C::Value>> Cache for Observed<C, O> {
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    observed_methods!([fn] []);

    fn get_equivalent<Q>(&self, key: &Q) -> Result<Option<Self::Value>, Self::Error>
    where
        Q: KeyParts<Self::Key>,
    {
        if O::READS_KEYS {
            return self.get(key.make()?.borrow());
        }
        let begun = self.begin(&Operation::GetEquivalent);
        let found = self.inner.get_equivalent(key);
        self.found(&Operation::GetEquivalent, begun, found)
    }

    fn retain(&self, keep: &mut dyn FnMut(&Self::Key) -> bool) -> Result<(), Self::Error> {
        let begun = self.begin(&Operation::Retain);
        let done = self.inner.retain(keep);
        self.end(begun, done)
    }

    fn get_or_compute(
        &self,
        key: &Self::Key,
        make: &mut dyn FnMut() -> Result<Option<Self::Value>, Error>,
    ) -> Result<Option<Self::Value>, Self::Error> {
        let begun = self.begin(&Operation::Get(key));
        let mut hit = true;
        let found = self.inner.get_or_compute(key, &mut || {
            if core::mem::replace(&mut hit, false) {
                self.missed(key, begun);
            }
            let start = self.observer.start();
            let made = make();
            self.computed(key, start, &made);
            made
        });
        match hit {
            true => self.found(&Operation::Get(key), begun, found),
            false => found,
        }
    }
}

/// [`Observed`] as an async cache.
macro_rules! observed_is_async {
    ($Trait:ident $(, $Send:ident, $Sync:ident)?) => {
        impl<C, O> $Trait for Observed<C, O>
        where
            C: $Trait,
            O: Observer<C::Key, C::Value> $(+ $Sync)?,
            $(C::Value: $Send,)?
        {
            type Key = C::Key;
            type Value = C::Value;
            type Error = C::Error;

            observed_methods!([async fn] [.await]);

            async fn retain<F>(&self, keep: F) -> Result<(), Self::Error>
            where
                F: FnMut(&Self::Key) -> bool $(+ $Send)?,
            {
                let begun = self.begin(&Operation::Retain);
                let done = self.inner.retain(keep).await;
                self.end(begun, done)
            }

            async fn get_or_compute<F, Fut>(
                &self,
                key: &Self::Key,
                mut make: F,
            ) -> Result<Option<Self::Value>, Self::Error>
            where
                F: FnMut() -> Fut $(+ $Send)?,
                Fut: Future<Output = Result<Option<Self::Value>, Error>> $(+ $Send)?,
            {
                let begun = self.begin(&Operation::Get(key));
                let mut hit = true;
                let observed = || {
                    if core::mem::replace(&mut hit, false) {
                        self.missed(key, begun);
                    }
                    let start = self.observer.start();
                    let made = make();
                    async move {
                        let made = made.await;
                        self.computed(key, start, &made);
                        made
                    }
                };
                let found = self.inner.get_or_compute(key, observed).await;
                match hit {
                    true => self.found(&Operation::Get(key), begun, found),
                    false => found,
                }
            }
        }
    };
}
observed_is_async!(AsyncCache, Send, Sync);
observed_is_async!(LocalAsyncCache);
