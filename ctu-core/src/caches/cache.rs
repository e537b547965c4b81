use crate::{
    entries::{Equivalent, IntoValue},
    error::{CacheError, Capability, Error},
};
use core::{borrow::Borrow, time::Duration};

/// A value, and how much longer it lives where the cache can tell.
pub type WithTtl<V> = (V, Option<Duration>);

/// What a look-up that asks for the time left finds.
pub type Found<V> = Option<WithTtl<V>>;

/// A cache as programs share it: `&self`, and every operation may fail.
///
/// This is what users hold, what wrappers wrap and what backends implement. A lock turns a
/// [`Store`](crate::Store) into a `Cache`; `&C`, `Box<C>`, `Rc<C>` and `Arc<C>` are caches, so one
/// base serves many wrappers.
///
/// ```
/// use ctu_core::{Bytes, Cache, LruCache, PrefixedCache, SpinCache};
///
/// static BASE: SpinCache<LruCache<Bytes<20>, Bytes<64>, 32>> = SpinCache::new(LruCache::new());
///
/// let settings = PrefixedCache::new(&BASE, b"cfg.");
/// settings.insert(b"ssid", b"home")?;
/// assert_eq!(settings.get(b"ssid")?.as_deref(), Some(&b"home"[..]));
/// assert!(BASE.contains(b"cfg.ssid")?);
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// # For who calls it
/// A cache may forget an entry at any time. When an operation that writes returns an error, whether
/// it took effect is known only where the error type says so; a core [`Error`] always means that it
/// did not. Hold a cache of a type chosen at run time as `Box<dyn Cache<..>>` or `Arc<dyn Cache<..>>`.
///
/// # For who implements it
/// `get`, `put`, `remove`, `clear` and `len` are enough. Override a provided method where the cache
/// can do it in one step or one round trip. No lock may be held across I/O.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cache",
    label = "not a cache",
    note = "a store, such as an `LruCache`, needs a lock around it: `LockedCache::new(store)`"
)]
pub trait Cache {
    /// What an entry is looked up by: `[u8]`, `str`, `u32`, ...
    type Key: ?Sized;
    /// What is kept. Wrap large values in an `Arc`: a hit clones its value.
    type Value: Clone;
    /// Why an operation failed. Holds the errors of the mappings stacked on this cache.
    type Error: CacheError;

    /// The value at `key`, or `None`.
    ///
    /// # Errors
    /// Whatever keeps the cache from telling.
    fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error>;

    /// Stores `value` at `key`: for `ttl`, or for as long as the cache is set to where that is `None`.
    ///
    /// [`insert`](Self::insert) and [`insert_for`](Self::insert_for) are this with more comfort.
    ///
    /// # Errors
    /// A key, value or time-to-live that does not fit, and whatever keeps the cache from storing it.
    fn put(
        &self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error>;

    /// Removes the entry at `key`, and says whether there was one.
    ///
    /// # Errors
    /// Whatever keeps the cache from removing it.
    fn remove(&self, key: &Self::Key) -> Result<bool, Self::Error>;

    /// Removes every entry that is reached through this cache.
    ///
    /// # Errors
    /// Whatever keeps the cache from it, and [`Error::Unsupported`] where its own entries cannot be
    /// told from others.
    fn clear(&self) -> Result<(), Self::Error>;

    /// The number of entries of the whole cache, those of other prefixes included.
    ///
    /// # Errors
    /// Whatever keeps the cache from telling.
    fn len(&self) -> Result<usize, Self::Error>;

    /// Whether [`len`](Self::len) is 0.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    fn is_empty(&self) -> Result<bool, Self::Error> {
        Ok(self.len()? == 0)
    }

    /// Whether there is an entry at `key`.
    ///
    /// # Errors
    /// Whatever keeps the cache from telling.
    fn contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
        Ok(self.get(key)?.is_some())
    }

    /// The value at `key`, and how much longer it lives where the cache can tell.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn get_with_ttl(&self, key: &Self::Key) -> Result<Found<Self::Value>, Self::Error> {
        Ok(self.get(key)?.map(|value| (value, None)))
    }

    /// How long an entry lives that was given no time of its own. `None` where the cache keeps no time, or cannot tell.
    fn default_ttl(&self) -> Option<Duration> {
        None
    }

    /// Removes the entry at `key` and returns its value. Two steps, unless the cache does it in one.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`remove`](Self::remove).
    fn pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
        let value = self.get(key)?;
        if value.is_some() {
            self.remove(key)?;
        }
        Ok(value)
    }

    /// Removes the entries whose key `keep` refuses.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the cache cannot go through its keys.
    fn retain(&self, keep: &mut dyn FnMut(&Self::Key) -> bool) -> Result<(), Self::Error> {
        let _ = keep;
        Err(Error::Unsupported(Capability::ListKeys).into())
    }

    /// The value at `key`; where there is none, what `make` returns, which is stored.
    /// `None` where `make` returns that; nothing is stored then.
    ///
    /// This is what the `get_or_` methods stand on, and what a cache with a single flight overrides, together with
    /// [`has_single_flight`](Self::has_single_flight). In a cache without one, threads that find nothing at the same time
    /// compute at the same time: each gets what it made itself, and what was stored last stays. A panic of `make` passes
    /// through.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`put`](Self::put).
    fn get_or_compute(
        &self,
        key: &Self::Key,
        make: &mut dyn FnMut() -> Result<Option<Self::Value>, Error>,
    ) -> Result<Option<Self::Value>, Self::Error> {
        if let Some(value) = self.get(key)? {
            return Ok(Some(value));
        }
        let Some(value) = make()? else {
            return Ok(None);
        };
        self.put(key, value.clone(), None)?;
        Ok(Some(value))
    }

    /// Whether [`get_or_compute`](Self::get_or_compute) has one computation a key among all who call it at once:
    /// then nobody needs to see to it.
    fn has_single_flight(&self) -> bool {
        false
    }

    /// What tells this cache from others that there are: where it is. A pointer to a cache and what only looks on
    /// ([`StatsCache`](crate::StatsCache)) have the address of what is below, so that all who hold one cache agree.
    fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// The values at `keys`, in their order. One round trip where the cache can.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[cfg(feature = "alloc")]
    fn get_many(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// The values at `keys`, in their order, and how much longer each lives where the cache can tell.
    /// One round trip where the cache can.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[cfg(feature = "alloc")]
    fn get_many_with_ttl(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
        keys.iter().map(|key| self.get_with_ttl(key)).collect()
    }

    /// Stores every entry. One round trip where the cache can.
    ///
    /// # Errors
    /// As [`put`](Self::put), at the first entry that fails: those before it are stored.
    #[cfg(feature = "alloc")]
    fn put_many(
        &self,
        entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        for (key, value) in entries {
            self.put(key, value, ttl)?;
        }
        Ok(())
    }

    /// Removes the entries at `keys`, and says how many there were. One round trip where the cache can.
    ///
    /// # Errors
    /// As [`remove`](Self::remove), at the first key that fails: those before it are removed.
    #[cfg(feature = "alloc")]
    fn remove_many(&self, keys: &[&Self::Key]) -> Result<usize, Self::Error> {
        let mut removed = 0;
        for key in keys {
            removed += usize::from(self.remove(key)?);
        }
        Ok(removed)
    }

    /// [`get`](Self::get) by what stands for a key. A store behind a lock makes no key for it; other caches, and
    /// pointers to caches, do.
    ///
    /// # Errors
    /// As [`get`](Self::get), and as [`Equivalent::make`] where the key is made.
    fn get_equivalent<Q>(&self, key: &Q) -> Result<Option<Self::Value>, Self::Error>
    where
        Self: Sized,
        Q: Equivalent<Self::Key>,
    {
        self.get(key.make()?.borrow())
    }

    /// Stores `value` at `key`.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    fn insert(&self, key: &Self::Key, value: impl IntoValue<Self::Value>) -> Result<(), Self::Error>
    where
        Self: Sized,
    {
        self.put(key, value.into_value()?, None)
    }

    /// Stores `value` at `key` for `ttl`.
    ///
    /// # Errors
    /// As [`put`](Self::put), and [`Error::TtlUnsupported`] where the cache keeps no time-to-live.
    fn insert_for(
        &self,
        key: &Self::Key,
        value: impl IntoValue<Self::Value>,
        ttl: Duration,
    ) -> Result<(), Self::Error>
    where
        Self: Sized,
    {
        self.put(key, value.into_value()?, Some(ttl))
    }

    /// The value at `key`; where there is none, what `make` returns, which is stored.
    ///
    /// Unless the cache [has a single flight](Self::has_single_flight), several threads may run their `make` for the same
    /// key at the same time: each gets what it made itself, and what was stored last stays. `TwoLevelCache` of `ctu-std`
    /// has one, and its `SingleFlightCache` gives one to any cache.
    ///
    /// # Errors
    /// As [`get`](Self::get), before `make` runs, and [`put`](Self::put), after it ran.
    fn get_or_insert_with<T, F>(&self, key: &Self::Key, make: F) -> Result<Self::Value, Self::Error>
    where
        Self: Sized,
        T: IntoValue<Self::Value>,
        F: FnOnce() -> T,
    {
        match self.get_or_try_insert_with(key, || Ok(make()))? {
            Ok(value) => Ok(value),
            Err::<_, core::convert::Infallible>(never) => match never {},
        }
    }

    /// The value at `key`; where there is none, what `make` returns, which is stored if it is `Ok`.
    ///
    /// The outer error is the cache's, the inner one is `make`'s.
    ///
    /// # Errors
    /// As [`get_or_insert_with`](Self::get_or_insert_with).
    fn get_or_try_insert_with<T, E, F>(
        &self,
        key: &Self::Key,
        make: F,
    ) -> Result<Result<Self::Value, E>, Self::Error>
    where
        Self: Sized,
        T: IntoValue<Self::Value>,
        F: FnOnce() -> Result<T, E>,
    {
        let mut make = Some(make);
        let mut failed = None;
        let found = self.get_or_compute(key, &mut || match make.take().map(|make| make()) {
            Some(Ok(value)) => value.into_value().map(Some),
            Some(Err(error)) => {
                failed = Some(error);
                Ok(None)
            }
            None => Ok(None),
        })?;
        match (found, failed) {
            (Some(value), _) => Ok(Ok(value)),
            (None, Some(error)) => Ok(Err(error)),
            (None, None) => Err(Error::Unsupported(Capability::GetOrInsert).into()),
        }
    }
}
