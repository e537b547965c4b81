//! Locks around stores.

use super::cache::{Cache, Found};
use crate::{
    entries::KeyParts,
    error::Error,
    stores::{Store, Sweep},
};
use core::{cell::RefCell, fmt, time::Duration};
use lock_api::{Mutex, RawMutex};

/// A kind of lock: any [`lock_api::RawMutex`], or `CriticalSectionMutex` (feature
/// `critical-section`).
///
/// ```
/// use ctu_core::{LockKind, LockedCache, LruCache, SpinMutex};
///
/// fn numbers<R: LockKind>() -> LockedCache<R, LruCache<u32, u32, 8>> {
///     LockedCache::new(LruCache::new())
/// }
/// let _cache = numbers::<SpinMutex>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lock for a `LockedCache`",
    label = "neither a `lock_api::RawMutex` nor `CriticalSectionMutex`",
    note = "in place of `CriticalSectionRawMutex` of `embassy-sync`, write `CriticalSectionMutex` of `ctu-core` (feature `critical-section`)",
    note = "locks of the trait `lock_api::RawMutex` are `spin::Mutex<()>` and `parking_lot::RawMutex`, for example",
    note = "a `RefCell<S>` around a store `S` is a cache for one owner, without a `LockedCache`"
)]
pub trait LockKind {
    /// The raw lock.
    type Raw: RawMutex;

    /// Waits for the lock and runs `f` under it.
    ///
    /// # Errors
    /// [`Error::Busy`] if the lock detects a deadlock: the caller holds it already.
    fn with<S, T>(lock: &Mutex<Self::Raw, S>, f: impl FnOnce(&mut S) -> T) -> Result<T, Error>;

    /// Runs `f` under the lock, without waiting for it.
    ///
    /// # Errors
    /// [`Error::Busy`] if the lock is held.
    fn try_with<S, T>(lock: &Mutex<Self::Raw, S>, f: impl FnOnce(&mut S) -> T) -> Result<T, Error> {
        match lock.try_lock() {
            Some(mut store) => Ok(f(&mut store)),
            None => Err(Error::Busy),
        }
    }
}

// The message of a lock without this trait is that of `LockKind`.
#[diagnostic::do_not_recommend]
impl<R: RawMutex> LockKind for R {
    type Raw = R;

    #[inline]
    fn with<S, T>(lock: &Mutex<R, S>, f: impl FnOnce(&mut S) -> T) -> Result<T, Error> {
        Ok(f(&mut lock.lock()))
    }
}

/// The spin lock of [`SpinCache`].
///
/// ```
/// use ctu_core::{LockedCache, LruCache, SpinMutex};
/// static CACHE: LockedCache<SpinMutex, LruCache<u32, u32, 8>> = LockedCache::new(LruCache::new());
/// ```
pub type SpinMutex = spin::Mutex<()>;

/// A store behind a spin lock.
///
/// ```
/// use ctu_core::{LruCache, SpinCache, prelude::*};
/// static CACHE: SpinCache<LruCache<u32, u32, 8>> = SpinCache::new(LruCache::new());
/// CACHE.insert(&1, 10)?;
/// assert_eq!(CACHE.get(&1)?, Some(10));
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub type SpinCache<S> = LockedCache<SpinMutex, S>;

/// A [`Store`] behind a lock: a [`Cache`] that threads, cores or interrupts share.
///
/// `R` is the kind of lock. An operation holds it for the time of the operation in memory. A hit
/// clones its value under the lock: wrap large values in an `Arc`.
///
/// Replaced, evicted, removed and expired values are dropped after the unlock: their `Drop` may use
/// the cache. Dropped under the lock are keys, the entries that `clear` and `retain` remove, and values that a closure of [`with`](Self::with) drops.
///
/// The lock is held for a bounded time with any number of entries, except by `clear` and by
/// closures of [`with`](Self::with): `len` and `retain`, and with it `clear` of a
/// [`PrefixedCache`](crate::PrefixedCache), release the lock after each few entries. Other users of
/// the cache may run in between; entries that they insert meanwhile may be left out. A program that
/// bounds the time of a single call uses [`Store::retain_step`] in `with`.
///
/// | lock `R` | for |
/// | --- | --- |
/// | [`SpinMutex`] | several cores, short waits, no operating system. **Never** with an interrupt on the same core that uses the cache: it deadlocks with the interrupted program. |
/// | `CriticalSectionMutex` (feature `critical-section`) | interrupts and the main program on one core: interrupts are disabled during an operation |
/// | `parking_lot::RawMutex` (as in `ctu_std::LockedCache`) | threads of an operating system |
/// | none: `RefCell<S>` is a cache | a single owner |
///
/// ```
/// # #[cfg(feature = "critical-section")] {
/// use ctu_core::{Bytes, CriticalSectionMutex, LockedCache, LruCache, prelude::*};
///
/// static CACHE: LockedCache<CriticalSectionMutex, LruCache<Bytes<20>, Bytes<64>, 32>> =
///     LockedCache::new(LruCache::new());
///
/// CACHE.insert(b"key", b"value")?;
/// assert_eq!(CACHE.get(b"key")?.as_deref(), Some(&b"value"[..]));
/// # }
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub struct LockedCache<R: LockKind, S> {
    lock: Mutex<R::Raw, S>,
}

impl<R: LockKind, S> LockedCache<R, S> {
    /// Puts a lock around `store`.
    pub const fn new(store: S) -> Self {
        Self {
            lock: Mutex::new(store),
        }
    }

    /// Runs `f` on the store under the lock: several operations in one step, or the store's own
    /// methods.
    ///
    /// # Errors
    /// [`Error::Busy`] if the caller holds the lock already and the lock detects it.
    pub fn with<T>(&self, f: impl FnOnce(&mut S) -> T) -> Result<T, Error> {
        R::with(&self.lock, f)
    }

    /// [`with`](Self::with) without waiting, for an interrupt for example.
    ///
    /// # Errors
    /// [`Error::Busy`] if the lock is held.
    pub fn try_with<T>(&self, f: impl FnOnce(&mut S) -> T) -> Result<T, Error> {
        R::try_with(&self.lock, f)
    }

    /// Returns the store.
    pub fn into_inner(self) -> S {
        self.lock.into_inner()
    }
}

impl<R: LockKind, S: Store> LockedCache<R, S> {
    /// [`Cache::get`] without waiting.
    ///
    /// # Errors
    /// [`Error::Busy`] if the lock is held.
    pub fn try_get(&self, key: &S::Key) -> Result<Option<S::Value>, Error>
    where
        S::Value: Clone,
    {
        self.try_with(|store| store.get(key).cloned())
    }

    /// [`insert`](crate::CacheExt::insert) without waiting.
    ///
    /// # Errors
    /// [`Error::Busy`] if the lock is held, and those of [`Cache::insert_entry`].
    pub fn try_insert(
        &self,
        key: &S::Key,
        value: impl crate::entries::IntoValue<S::Value>,
    ) -> Result<(), Error> {
        let mut value = Some(value.into_value()?);
        self.try_with(|store| store.exchange_entry(key, &mut value, None))?
    }

    /// [`Cache::remove`] without waiting.
    ///
    /// # Errors
    /// [`Error::Busy`] if the lock is held.
    pub fn try_remove(&self, key: &S::Key) -> Result<bool, Error> {
        let removed = self.try_with(|store| store.take(key))?;
        Ok(removed.is_some_and(|(_, live)| live))
    }
}

impl<R: LockKind, S: Default> Default for LockedCache<R, S> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<R: LockKind, S: fmt::Debug> fmt::Debug for LockedCache<R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.try_with(|store| f.debug_tuple("LockedCache").field(store).finish());
        shown.unwrap_or_else(|_| f.write_str("LockedCache(<locked>)"))
    }
}

#[cfg(feature = "defmt")]
impl<R: LockKind, S: defmt::Format> defmt::Format for LockedCache<R, S> {
    fn format(&self, f: defmt::Formatter<'_>) {
        let shown = self.try_with(|store| defmt::write!(f, "LockedCache({})", store));
        if shown.is_err() {
            defmt::write!(f, "LockedCache(<locked>)");
        }
    }
}

/// The number of entries that `retain` visits under one hold of the lock.
pub(super) const ENTRIES_AT_ONCE: usize = 4;

/// Implements the operations of a cache by those of a store; `$with` gives access to the store.
macro_rules! store_is_cache {
    ([$($generics:tt)*] $t:ty, $with:path) => {
        impl<$($generics)*> Cache for $t
        where
            S: Store,
            S::Value: Clone,
        {
            type Key = S::Key;
            type Value = S::Value;
            type Error = Error;

            #[inline]
            fn get(&self, key: &S::Key) -> Result<Option<S::Value>, Error> {
                $with(self, |store: &mut S| store.get(key).cloned())
            }

            #[inline]
            fn get_equivalent<Q>(&self, key: &Q) -> Result<Option<S::Value>, Error>
            where
                Q: KeyParts<S::Key>,
            {
                $with(self, |store: &mut S| Ok(store.get_equivalent(key)?.cloned()))?
            }

            #[inline]
            fn insert_entry(
                &self,
                key: &S::Key,
                value: S::Value,
                ttl: Option<Duration>,
            ) -> Result<(), Error> {
                // The displaced value, or a refused one, is dropped here, after the unlock.
                let mut value = Some(value);
                $with(self, |store: &mut S| store.exchange_entry(key, &mut value, ttl))?
            }

            fn remove(&self, key: &S::Key) -> Result<bool, Error> {
                let removed = $with(self, |store: &mut S| store.take(key))?;
                Ok(removed.is_some_and(|(_, live)| live))
            }

            fn clear(&self) -> Result<(), Error> {
                $with(self, |store: &mut S| store.clear())
            }

            fn len(&self) -> Result<usize, Error> {
                loop {
                    // The expired value is dropped here, after the unlock.
                    let expired_or_len =
                        $with(self, |store: &mut S| store.pop_expired().ok_or_else(|| store.len()))?;
                    if let Err(len) = expired_or_len {
                        return Ok(len);
                    }
                }
            }

            fn contains(&self, key: &S::Key) -> Result<bool, Error> {
                $with(self, |store: &mut S| store.contains(key))
            }

            fn get_with_ttl(&self, key: &S::Key) -> Result<Found<S::Value>, Error> {
                $with(self, |store: &mut S| {
                    let (value, remaining) = store.get_with_ttl(key)?;
                    Some((value.clone(), remaining))
                })
            }

            fn default_ttl(&self) -> Option<Duration> {
                $with(self, |store: &mut S| store.default_ttl()).ok().flatten()
            }

            fn pop(&self, key: &S::Key) -> Result<Option<S::Value>, Error> {
                let removed = $with(self, |store: &mut S| store.take(key))?;
                Ok(removed.and_then(|(value, live)| live.then_some(value)))
            }

            fn retain(&self, keep: &mut dyn FnMut(&S::Key) -> bool) -> Result<(), Error> {
                let mut sweep = Sweep::new();
                while $with(self, |store: &mut S| {
                    store.retain_step(&mut sweep, ENTRIES_AT_ONCE, keep)
                })? {}
                Ok(())
            }
        }
    };
}

store_is_cache!([R: LockKind, S] LockedCache<R, S>, LockedCache::with);
// One owner: the borrow is the lock, and a nested use of the cache is an error.
store_is_cache!([S] RefCell<S>, with_cell);

/// Runs `f` on a store with one owner, whose borrow is the lock.
pub(crate) fn with_cell<S, T>(cell: &RefCell<S>, f: impl FnOnce(&mut S) -> T) -> Result<T, Error> {
    match cell.try_borrow_mut() {
        Ok(mut store) => Ok(f(&mut store)),
        Err(_) => Err(Error::Busy),
    }
}
