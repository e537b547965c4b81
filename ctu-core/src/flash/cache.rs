//! A flash cache with one owner, or behind a lock, is a [`Cache`].

use super::{FlashCache, FlashError};
use crate::{
    caches::{Cache, Found, LockKind, LockedCache},
    entries::Buffer,
    error::Error,
    wall_clock::WallClock,
};
use core::{cell::RefCell, time::Duration};
use embedded_storage::nor_flash::NorFlash;

macro_rules! flash_is_cache {
    ([$($generics:tt)*] $t:ty, $with:path) => {
        impl<$($generics)* F: NorFlash, V: Buffer + Clone, const N: usize, W: WallClock> Cache for $t {
            type Key = [u8];
            type Value = V;
            type Error = FlashError;

            fn get(&self, key: &[u8]) -> Result<Option<V>, FlashError> {
                $with(self, |flash| flash.get(key))?
            }

            fn insert_entry(&self, key: &[u8], value: V, ttl: Option<Duration>) -> Result<(), FlashError> {
                $with(self, |flash| flash.insert_entry(key, value.as_ref(), ttl))?
            }

            fn remove(&self, key: &[u8]) -> Result<bool, FlashError> {
                $with(self, |flash| flash.remove(key))?
            }

            fn clear(&self) -> Result<(), FlashError> {
                $with(self, FlashCache::clear)?
            }

            fn len(&self) -> Result<usize, FlashError> {
                Ok($with(self, |flash| flash.len())?)
            }

            fn get_with_ttl(&self, key: &[u8]) -> Result<Found<V>, FlashError> {
                $with(self, |flash| flash.get_with_ttl(key))?
            }

            fn retain(&self, keep: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), FlashError> {
                $with(self, |flash| flash.retain(keep))?
            }
        }
    };
}

flash_is_cache!([] RefCell<FlashCache<F, V, N, W>>, with_cell);
flash_is_cache!([R: LockKind,] LockedCache<R, FlashCache<F, V, N, W>>, LockedCache::with);

fn with_cell<S, T>(cell: &RefCell<S>, f: impl FnOnce(&mut S) -> T) -> Result<T, Error> {
    match cell.try_borrow_mut() {
        Ok(mut flash) => Ok(f(&mut flash)),
        Err(_) => Err(Error::Busy),
    }
}
