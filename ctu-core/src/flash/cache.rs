//! A flash cache with one owner, or behind a lock, is a [`Cache`](crate::Cache).

use super::{FlashCache, FlashError};
use crate::{
    caches::{CopyingStore, Found, copying_store_is_cache},
    entries::Buffer,
    stores::Sweep,
    wall_clock::WallClock,
};
use core::time::Duration;
use embedded_storage::nor_flash::NorFlash;

impl<F: NorFlash, V: Buffer + Clone, const N: usize, W: WallClock> CopyingStore
    for FlashCache<F, V, N, W>
{
    type Value = V;
    type Error = FlashError;

    fn copy(&mut self, key: &[u8]) -> Result<Found<V>, FlashError> {
        self.get_with_ttl(key)
    }

    fn store(&mut self, key: &[u8], value: &[u8], ttl: Option<Duration>) -> Result<(), FlashError> {
        self.insert_entry(key, value, ttl)
    }

    fn remove(&mut self, key: &[u8]) -> Result<bool, FlashError> {
        Self::remove(self, key)
    }

    fn clear(&mut self) -> Result<(), FlashError> {
        Self::clear(self)
    }

    fn len(&mut self) -> Result<usize, FlashError> {
        Ok(Self::len(self))
    }

    fn retain_some(
        &mut self,
        _: &mut Sweep,
        keep: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<bool, FlashError> {
        self.retain(keep).map(|()| false)
    }
}

copying_store_is_cache!(
    [F: NorFlash, V: Buffer + Clone, const N: usize, W: WallClock]
    FlashCache<F, V, N, W> => V, FlashError
);
