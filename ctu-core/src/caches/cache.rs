//! The trait of caches.

use crate::{
    caches::CacheId,
    entries::KeyParts,
    error::{CacheError, Capability, Error},
};
use core::{borrow::Borrow, time::Duration};

/// A value and its remaining time-to-live, if the cache knows it.
///
/// ```
/// use core::time::Duration;
/// use ctu_core::WithTtl;
/// let (value, ttl): WithTtl<u32> = (7, Some(Duration::from_secs(60)));
/// assert_eq!((value, ttl.map(|ttl| ttl.as_secs())), (7, Some(60)));
/// ```
pub type WithTtl<V> = (V, Option<Duration>);

/// The result of a lookup with the remaining time-to-live.
///
/// ```
/// use ctu_core::{Cache, CacheExt, Found, LruCache, SpinCache};
/// let cache = SpinCache::new(LruCache::<u32, u32, 8>::new());
/// cache.insert(&1, 10)?;
/// let found: Found<u32> = cache.get_with_ttl(&1)?;
/// assert_eq!(found, Some((10, None)));
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub type Found<V> = Option<WithTtl<V>>;

/// A shared cache: every operation takes `&self` and may fail.
///
/// Users hold it, wrappers wrap it, and backends implement it. The methods for every day, such as
/// [`insert`](crate::CacheExt::insert), are in [`CacheExt`](crate::CacheExt); the
/// [`prelude`](crate::prelude) has both. A lock turns a
/// [`Store`](crate::Store) into a `Cache`. `&C`, `Box<C>`, `Rc<C>` and `Arc<C>` are caches, so one
/// base serves many wrappers.
///
/// ```
/// # #[cfg(feature = "critical-section")] {
/// use ctu_core::{Bytes, CriticalSectionMutex, LockedCache, LruCache, PrefixedCache, prelude::*};
///
/// static BASE: LockedCache<CriticalSectionMutex, LruCache<Bytes<20>, Bytes<64>, 32>> =
///     LockedCache::new(LruCache::new());
///
/// let settings = PrefixedCache::new(&BASE, b"cfg.");
/// settings.insert(b"ssid", b"home")?;
/// assert_eq!(settings.get(b"ssid")?.as_deref(), Some(&b"home"[..]));
/// assert!(BASE.contains(b"cfg.ssid")?);
/// # }
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// # For callers
/// A cache may evict an entry at any time. After a failed write, the error type documents whether
/// the write took effect; a core [`Error`] means that it did not. Use `Box<dyn Cache<..>>` or
/// `Arc<dyn Cache<..>>` if the program chooses the type of the cache at run time.
///
/// # For implementers
/// `get`, `insert_entry`, `remove`, `clear` and `len` are required. Override a provided method if
/// the cache supports it in one step or one round trip. Hold no lock across I/O. A wrapper forwards
/// every method: implement [`Observer`](crate::Observer) or [`Mapping`](crate::Mapping) in place of
/// a wrapper by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cache",
    label = "not a cache",
    note = "a store, such as an `LruCache`, needs a lock around it: `LockedCache::new(store)`, or `RefCell::new(store)` for one owner",
    note = "in place of another lock, such as a `Mutex` of `embassy-sync`, and of a `RefCell` in a lock, write `LockedCache<CriticalSectionMutex, S>` with the store `S`"
)]
pub trait Cache {
    /// The borrowed form of a key: `[u8]`, `str`, `u32`, ...
    type Key: ?Sized;
    /// The type of the values. Wrap large values in an `Arc`: a hit clones its value.
    type Value: Clone;
    /// The error type. It also holds the errors of mappings on this cache.
    type Error: CacheError;

    /// Returns the value at `key`, or `None`.
    ///
    /// # Errors
    /// Those of the cache, such as an unreachable server.
    fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error>;

    /// Stores `value` at `key` for `ttl`, or for the default time-to-live of the cache. With a
    /// time-to-live of zero the entry is expired at once, and the key has none afterwards.
    ///
    /// [`insert`](crate::CacheExt::insert) and
    /// [`insert_with_ttl`](crate::CacheExt::insert_with_ttl) are more convenient.
    ///
    /// # Errors
    /// A key, value or time-to-live that does not fit, and those of the cache.
    fn insert_entry(
        &self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error>;

    /// Removes the entry at `key`. Returns whether there was one.
    ///
    /// # Errors
    /// Those of the cache.
    fn remove(&self, key: &Self::Key) -> Result<bool, Self::Error>;

    /// Removes every entry of this cache.
    ///
    /// # Errors
    /// Those of the cache, and [`Error::Unsupported`] if the cache shares its base and cannot
    /// distinguish its own entries.
    fn clear(&self) -> Result<(), Self::Error>;

    /// The number of entries of this cache.
    ///
    /// # Errors
    /// Those of the cache, and [`Error::Unsupported`] if the cache shares its base, such as one with
    /// a prefix, and cannot count its own entries.
    fn len(&self) -> Result<usize, Self::Error>;

    /// Whether [`len`](Self::len) is 0.
    ///
    /// # Errors
    /// Those of [`len`](Self::len).
    fn is_empty(&self) -> Result<bool, Self::Error> {
        Ok(self.len()? == 0)
    }

    /// Whether there is an entry at `key`.
    ///
    /// # Errors
    /// Those of the cache.
    fn contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
        Ok(self.get(key)?.is_some())
    }

    /// Returns the value at `key` and its remaining time-to-live, if the cache knows it.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    fn get_with_ttl(&self, key: &Self::Key) -> Result<Found<Self::Value>, Self::Error> {
        Ok(self.get(key)?.map(|value| (value, None)))
    }

    /// The time-to-live of an entry that is stored without one. `None` for no expiry, or if
    /// unknown.
    fn default_ttl(&self) -> Option<Duration> {
        None
    }

    /// Removes the entry at `key` and returns its value. Two steps, unless the cache overrides it.
    ///
    /// # Errors
    /// Those of [`get`](Self::get) and [`remove`](Self::remove).
    fn pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
        let value = self.get(key)?;
        if value.is_some() {
            self.remove(key)?;
        }
        Ok(value)
    }

    /// Removes each entry with a key for which `keep` returns false.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the cache cannot list its keys.
    fn retain(&self, keep: &mut dyn FnMut(&Self::Key) -> bool) -> Result<(), Self::Error> {
        let _ = keep;
        Err(Error::Unsupported(Capability::ListKeys).into())
    }

    /// Returns the value at `key`; on a miss, stores and returns the value of `make`. If `make`
    /// returns `None`, stores nothing and returns `None`.
    ///
    /// The `get_or_` methods call it. A cache with a single flight overrides it, together with
    /// [`has_single_flight`](Self::has_single_flight). In a cache without one, threads that miss at
    /// the same time compute at the same time: each gets its own value, and the last write stays. A
    /// panic of `make` propagates.
    ///
    /// # Errors
    /// Those of [`get`](Self::get) and [`insert_entry`](Self::insert_entry).
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
        self.insert_entry(key, value.clone(), None)?;
        Ok(Some(value))
    }

    /// Whether concurrent calls of [`get_or_compute`](Self::get_or_compute) share one computation a
    /// key.
    fn has_single_flight(&self) -> bool {
        false
    }

    /// The identity of this cache. A pointer and an observer such as
    /// [`StatsCache`](crate::StatsCache) return the identity of the inner cache, so that all
    /// handles of one cache share their single flights.
    #[doc(hidden)]
    fn id(&self) -> CacheId {
        CacheId::of(self)
    }

    /// Returns the values at `keys`, in order. One round trip if the cache supports it.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    #[cfg(feature = "alloc")]
    fn get_many(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// Returns the values at `keys` with their remaining time-to-live, in order. One round trip if
    /// the cache supports it.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    #[cfg(feature = "alloc")]
    fn get_many_with_ttl(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
        keys.iter().map(|key| self.get_with_ttl(key)).collect()
    }

    /// Stores every entry. One round trip if the cache supports it.
    ///
    /// # Errors
    /// Those of [`insert_entry`](Self::insert_entry), for the first failed entry: the entries
    /// before it are stored.
    #[cfg(feature = "alloc")]
    fn insert_many(
        &self,
        entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        for (key, value) in entries {
            self.insert_entry(key, value, ttl)?;
        }
        Ok(())
    }

    /// Removes the entries at `keys`. Returns the number of removed entries. One round trip if the
    /// cache supports it.
    ///
    /// # Errors
    /// Those of [`remove`](Self::remove), for the first failed key: the keys before it are removed.
    #[cfg(feature = "alloc")]
    fn remove_many(&self, keys: &[&Self::Key]) -> Result<usize, Self::Error> {
        let mut removed = 0;
        for key in keys {
            removed += usize::from(self.remove(key)?);
        }
        Ok(removed)
    }

    /// [`get`](Self::get) by the parts of a key, for `#[cached]`. A store behind a lock builds no
    /// key for it; other caches, and pointers to caches, do.
    ///
    /// # Errors
    /// Those of [`get`](Self::get), and those of [`KeyParts::make`] if the key is built.
    #[doc(hidden)]
    fn get_equivalent<Q>(&self, key: &Q) -> Result<Option<Self::Value>, Self::Error>
    where
        Self: Sized,
        Q: KeyParts<Self::Key>,
    {
        self.get(key.make()?.borrow())
    }
}
