//! The trait of stores.

use super::sweep::Sweep;
use crate::{entries::KeyParts, error::Error};
use core::{borrow::Borrow, time::Duration};

/// A cache as plain data: one owner, in memory, no lock, no I/O.
///
/// A program that uses a store alone calls its own map-like methods ([`LruCache`](crate::LruCache),
/// [`TtlCache`](crate::TtlCache)). A lock needs this trait to make a [`Cache`](crate::Cache) of a
/// store. Every method of the in-place stores takes a bounded time, except `clear`, `retain` and
/// `len`; see [`LruCache`](crate::LruCache) and [`TtlCache`](crate::TtlCache).
///
/// # For implementers
/// `insert_entry` stores the entry, or fails and leaves the store unchanged. A value that leaves
/// the store is returned, not dropped, so that its `Drop` never runs under a lock: lookups leave
/// expired entries in place, and `take` and `pop_expired` return them. `clear`, `retain` and `len`
/// drop the values that they remove; `insert_entry` drops a value that it refuses.
///
/// ```
/// use ctu_core::{LruCache, Store};
///
/// /// Works on any store.
/// fn total(store: &mut impl Store<Key = u32, Value = u32>) -> u32 {
///     (0..10).filter_map(|key| store.get(&key).copied()).sum()
/// }
/// let mut store = LruCache::<u32, u32, 8>::new();
/// store.insert(1, 10);
/// store.insert(2, 20);
/// assert_eq!(total(&mut store), 30);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a store",
    label = "not a store",
    note = "the keys of an `LruCache`, `TtlCache` or `DictCache` implement `StoredKey`; a `ConcurrentCache`, a `RedisCache` and other caches need no lock",
    note = "a lock needs no `RefCell` inside: `LockedCache<CriticalSectionMutex, S>` takes the store, or a `&mut` to it"
)]
pub trait Store {
    /// The borrowed form of a key, used for lookups.
    type Key: ?Sized;
    /// The type of the values.
    type Value;

    /// Returns the value at `key` and marks the entry as most recently used.
    fn get(&mut self, key: &Self::Key) -> Option<&Self::Value>;

    /// [`get`](Self::get) by the parts of a key. The stores of this crate build no key for it.
    ///
    /// # Errors
    /// Those of [`KeyParts::make`], in a store that builds the key.
    fn get_equivalent<Q>(&mut self, key: &Q) -> Result<Option<&Self::Value>, Error>
    where
        Self: Sized,
        Q: KeyParts<Self::Key>,
    {
        Ok(self.get(key.make()?.borrow()))
    }

    /// Stores `value` at `key` for `ttl`, or for the default time-to-live of the store.
    /// Returns the replaced or evicted value.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`], [`Error::TtlTooLong`], or [`Error::TtlUnsupported`] in a store
    /// without a time-to-live per entry; the store is then unchanged.
    fn insert_entry(
        &mut self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
    ) -> Result<Option<Self::Value>, Error>;

    /// [`insert_entry`](Self::insert_entry) of the value in `value`, which is the replaced or
    /// evicted one afterwards, or `None`. The stores of this crate move no value more than once.
    ///
    /// # Errors
    /// Those of [`insert_entry`](Self::insert_entry). The new value may stay in `value`.
    fn exchange_entry(
        &mut self,
        key: &Self::Key,
        value: &mut Option<Self::Value>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        if let Some(new) = value.take() {
            *value = self.insert_entry(key, new, ttl)?;
        }
        Ok(())
    }

    /// Removes the entry at `key` and returns its value, if it was live.
    fn remove(&mut self, key: &Self::Key) -> Option<Self::Value>;

    /// [`remove`](Self::remove) that also returns the value of an expired entry, and whether it was
    /// live. A store with expiry implements it.
    fn take(&mut self, key: &Self::Key) -> Option<(Self::Value, bool)> {
        self.remove(key).map(|value| (value, true))
    }

    /// Removes an expired entry and returns its value. A store with expiry implements it.
    fn pop_expired(&mut self) -> Option<Self::Value> {
        None
    }

    /// Whether `key` has a live entry. The recency order does not change.
    fn contains(&mut self, key: &Self::Key) -> bool;

    /// The remaining time-to-live of the entry at `key`. `None` for no entry or no limit.
    fn remaining(&mut self, key: &Self::Key) -> Option<Duration> {
        let _ = key;
        None
    }

    /// [`get`](Self::get) and [`remaining`](Self::remaining) in one lookup.
    fn get_with_ttl(&mut self, key: &Self::Key) -> Option<(&Self::Value, Option<Duration>)> {
        let remaining = self.remaining(key);
        Some((self.get(key)?, remaining))
    }

    /// The time-to-live of an entry that is stored without one. `None` in a store without expiry.
    fn default_ttl(&self) -> Option<Duration> {
        None
    }

    /// Removes every entry.
    fn clear(&mut self);

    /// Removes each entry with a key for which `keep` returns false, in O(n).
    fn retain(&mut self, keep: &mut dyn FnMut(&Self::Key) -> bool);

    /// [`retain`](Self::retain) in steps: visits at most `entries` entries, and returns whether
    /// there are more to visit. A store that can sweep in steps implements it; others visit all.
    fn retain_step(
        &mut self,
        sweep: &mut Sweep,
        entries: usize,
        keep: &mut dyn FnMut(&Self::Key) -> bool,
    ) -> bool {
        let _ = (sweep, entries);
        self.retain(keep);
        false
    }

    /// The number of live entries. Expired ones may be removed and dropped here; call
    /// [`pop_expired`](Self::pop_expired) first to drop them elsewhere.
    fn len(&mut self) -> usize;

    /// Whether there is no live entry.
    fn is_empty(&mut self) -> bool {
        self.len() == 0
    }
}

/// A borrowed store is a store: a resource of RTIC is a cache as `RefCell<&mut S>`, for example.
///
/// ```
/// use core::cell::RefCell;
/// use ctu_core::{Cache, CacheExt, LruCache};
///
/// let mut store = LruCache::<u32, u32, 8>::new();
/// let cache = RefCell::new(&mut store);
/// cache.insert(&1, 10)?;
/// assert_eq!(store.get(&1), Some(&10));
/// # Ok::<(), ctu_core::Error>(())
/// ```
impl<S: Store> Store for &mut S {
    type Key = S::Key;
    type Value = S::Value;

    fn get(&mut self, key: &Self::Key) -> Option<&Self::Value> {
        (**self).get(key)
    }
    fn get_equivalent<Q>(&mut self, key: &Q) -> Result<Option<&Self::Value>, Error>
    where
        Q: KeyParts<Self::Key>,
    {
        (**self).get_equivalent(key)
    }
    fn insert_entry(
        &mut self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
    ) -> Result<Option<Self::Value>, Error> {
        (**self).insert_entry(key, value, ttl)
    }
    fn exchange_entry(
        &mut self,
        key: &Self::Key,
        value: &mut Option<Self::Value>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        (**self).exchange_entry(key, value, ttl)
    }
    fn remove(&mut self, key: &Self::Key) -> Option<Self::Value> {
        (**self).remove(key)
    }
    fn take(&mut self, key: &Self::Key) -> Option<(Self::Value, bool)> {
        (**self).take(key)
    }
    fn pop_expired(&mut self) -> Option<Self::Value> {
        (**self).pop_expired()
    }
    fn contains(&mut self, key: &Self::Key) -> bool {
        (**self).contains(key)
    }
    fn remaining(&mut self, key: &Self::Key) -> Option<Duration> {
        (**self).remaining(key)
    }
    fn get_with_ttl(&mut self, key: &Self::Key) -> Option<(&Self::Value, Option<Duration>)> {
        (**self).get_with_ttl(key)
    }
    fn default_ttl(&self) -> Option<Duration> {
        (**self).default_ttl()
    }
    fn clear(&mut self) {
        (**self).clear();
    }
    fn retain(&mut self, keep: &mut dyn FnMut(&Self::Key) -> bool) {
        (**self).retain(keep);
    }
    fn retain_step(
        &mut self,
        sweep: &mut Sweep,
        entries: usize,
        keep: &mut dyn FnMut(&Self::Key) -> bool,
    ) -> bool {
        (**self).retain_step(sweep, entries, keep)
    }
    fn len(&mut self) -> usize {
        (**self).len()
    }
    fn is_empty(&mut self) -> bool {
        (**self).is_empty()
    }
}

/// Refuses a time-to-live, in a store that has none per entry.
#[inline]
pub(super) const fn refuse_ttl(ttl: Option<Duration>) -> Result<(), Error> {
    match ttl {
        Some(_) => Err(Error::TtlUnsupported),
        None => Ok(()),
    }
}

/// The methods of [`Store`] that stores without a time-to-live have in common.
macro_rules! store_methods {
    ($V:ty) => {
        #[inline]
        fn get(&mut self, key: &Self::Key) -> Option<&$V> {
            Self::get(self, key)
        }

        fn get_with_ttl(&mut self, key: &Self::Key) -> Option<(&$V, Option<Duration>)> {
            Some((Self::get(self, key)?, None))
        }

        fn remove(&mut self, key: &Self::Key) -> Option<$V> {
            Self::remove(self, key)
        }

        fn contains(&mut self, key: &Self::Key) -> bool {
            Self::contains(self, key)
        }

        fn len(&mut self) -> usize {
            Self::len(self)
        }

        crate::stores::store::insert_by_exchange!($V);
        crate::stores::store::sweep_methods!();
    };
}
pub(crate) use store_methods;

/// [`Store::insert_entry`] by [`Store::exchange_entry`].
macro_rules! insert_by_exchange {
    ($V:ty) => {
        fn insert_entry(
            &mut self,
            key: &Self::Key,
            value: $V,
            ttl: Option<Duration>,
        ) -> Result<Option<$V>, Error> {
            let mut value = Some(value);
            self.exchange_entry(key, &mut value, ttl)?;
            Ok(value)
        }
    };
}
pub(crate) use insert_by_exchange;

/// The methods of [`Store`] over all entries, which every store has under the same names.
macro_rules! sweep_methods {
    () => {
        fn clear(&mut self) {
            Self::clear(self);
        }

        fn retain(&mut self, keep: &mut dyn FnMut(&Self::Key) -> bool) {
            Self::retain(self, |key, _| keep(key.borrow()));
        }

        fn retain_step(
            &mut self,
            sweep: &mut crate::stores::Sweep,
            entries: usize,
            keep: &mut dyn FnMut(&Self::Key) -> bool,
        ) -> bool {
            Self::retain_step(self, sweep, entries, |key, _| keep(key.borrow()))
        }
    };
}
pub(crate) use sweep_methods;
