//! Stores that copy a value out on a lookup, as caches behind the same locks as other stores.

use super::{cache::Found, locked::ENTRIES_AT_ONCE};
use crate::{
    entries::Buffer,
    error::{CacheError, Error},
    stores::{Arena, ArenaRule, Sweep},
};
use core::time::Duration;

/// A store with one owner whose keys are bytes and whose values are copied.
pub(crate) trait CopyingStore {
    type Value: Buffer + Clone;
    type Error: CacheError;

    fn copy(&mut self, key: &[u8]) -> Result<Found<Self::Value>, Self::Error>;
    fn store(&mut self, key: &[u8], value: &[u8], ttl: Option<Duration>)
    -> Result<(), Self::Error>;
    fn remove(&mut self, key: &[u8]) -> Result<bool, Self::Error>;
    fn clear(&mut self) -> Result<(), Self::Error>;
    fn len(&mut self) -> Result<usize, Self::Error>;
    /// Visits some entries, and returns whether there are more to visit.
    fn retain_some(
        &mut self,
        sweep: &mut Sweep,
        keep: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<bool, Self::Error>;
}

/// Implements [`Cache`](crate::Cache) for a [`CopyingStore`] behind a lock, and in a `RefCell`. A blanket
/// implementation would exclude that for every [`Store`](crate::Store).
macro_rules! copying_store_is_cache {
    ([$($generics:tt)*] $Store:ty => $V:ty, $E:ty) => {
        $crate::caches::copying_store_is_cache!(
            @lock [$($generics)*] core::cell::RefCell<$Store>, $Store, $V, $E, $crate::caches::with_cell
        );
        $crate::caches::copying_store_is_cache!(
            @lock [R: $crate::caches::LockKind, $($generics)*] $crate::caches::LockedCache<R, $Store>,
            $Store, $V, $E, $crate::caches::LockedCache::with
        );
    };
    (@lock [$($generics:tt)*] $Cache:ty, $Store:ty, $V:ty, $E:ty, $with:path) => {
        impl<$($generics)*> $crate::caches::Cache for $Cache {
            type Key = [u8];
            type Value = $V;
            type Error = $E;

            fn get(&self, key: &[u8]) -> Result<Option<Self::Value>, Self::Error> {
                Ok(self.get_with_ttl(key)?.map(|(value, _)| value))
            }

            fn insert_entry(
                &self,
                key: &[u8],
                value: Self::Value,
                ttl: Option<Duration>,
            ) -> Result<(), Self::Error> {
                $with(self, |store: &mut $Store| store.store(key, value.as_ref(), ttl))?
            }

            fn remove(&self, key: &[u8]) -> Result<bool, Self::Error> {
                $with(self, |store: &mut $Store| CopyingStore::remove(store, key))?
            }

            fn clear(&self) -> Result<(), Self::Error> {
                $with(self, |store: &mut $Store| CopyingStore::clear(store))?
            }

            fn len(&self) -> Result<usize, Self::Error> {
                $with(self, |store: &mut $Store| CopyingStore::len(store))?
            }

            fn get_with_ttl(
                &self,
                key: &[u8],
            ) -> Result<$crate::caches::Found<Self::Value>, Self::Error> {
                $with(self, |store: &mut $Store| store.copy(key))?
            }

            fn pop(&self, key: &[u8]) -> Result<Option<Self::Value>, Self::Error> {
                $with(self, |store: &mut $Store| {
                    let found = store.copy(key)?;
                    if found.is_some() {
                        CopyingStore::remove(store, key)?;
                    }
                    Ok(found.map(|(value, _)| value))
                })?
            }

            fn retain(&self, keep: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Self::Error> {
                let mut sweep = $crate::stores::Sweep::new();
                while $with(self, |store: &mut $Store| store.retain_some(&mut sweep, keep))?? {}
                Ok(())
            }
        }
    };
}
pub(crate) use copying_store_is_cache;

impl<V: Buffer + Clone, const N: usize, const BYTES: usize, R: ArenaRule> CopyingStore
    for Arena<V, N, BYTES, R>
{
    type Value = V;
    type Error = Error;

    fn copy(&mut self, key: &[u8]) -> Result<Found<V>, Error> {
        Ok(self.get_copy(key)?.map(|value| (value, None)))
    }

    fn store(&mut self, key: &[u8], value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        match ttl {
            Some(_) => Err(Error::TtlUnsupported),
            None => self.insert(key, value),
        }
    }

    fn remove(&mut self, key: &[u8]) -> Result<bool, Error> {
        Ok(Self::remove(self, key))
    }

    fn clear(&mut self) -> Result<(), Error> {
        Self::clear(self);
        Ok(())
    }

    fn len(&mut self) -> Result<usize, Error> {
        Ok(Self::len(self))
    }

    fn retain_some(
        &mut self,
        sweep: &mut Sweep,
        keep: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<bool, Error> {
        Ok(self.retain_step(sweep, ENTRIES_AT_ONCE, |key, _| keep(key)))
    }
}

copying_store_is_cache!(
    [V: Buffer + Clone, const N: usize, const BYTES: usize, A: ArenaRule]
    Arena<V, N, BYTES, A> => V, Error
);
