//! The async form: a cache for the tasks of an executor.

#[path = "operations/mod.rs"]
mod operations;

use self::AsyncFlashCache as Flash;
use super::{error::FlashError, log::Log};
use crate::{
    caches::{Found, LocalAsyncCache},
    entries::Buffer,
    wall_clock::{NoWallClock, WallClock},
};
use core::{marker::PhantomData, time::Duration};
use embassy_sync::{blocking_mutex::raw::RawMutex, mutex::Mutex};
use embedded_storage_async::nor_flash::NorFlash;
use maybe_async::must_be_async as both;

/// The name of the type in its debug output.
const NAME: &str = "AsyncFlashCache";

/// A [`FlashCache`](crate::FlashCache) over an async driver: other tasks run while the chip erases
/// or programs.
///
/// The log, its limits and its promises are those of `FlashCache`, and each of the two reads the
/// entries of the other. The driver is a `NorFlash` of `embedded-storage-async`. One owner uses it
/// directly; in a `Mutex` of `embassy-sync` the tasks of an executor share it, as a
/// [`LocalAsyncCache`].
///
/// ```
/// use ctu_core::{AsyncFlashCache, Bytes, FlashError, FlashOptions, LocalAsyncCache, LocalAsyncCacheExt};
/// use embassy_sync::{blocking_mutex::raw::NoopRawMutex, mutex::Mutex};
/// use embedded_storage_async::nor_flash::NorFlash;
///
/// type Settings<F> = Mutex<NoopRawMutex, AsyncFlashCache<F, Bytes<64>, 32>>;
///
/// async fn open<F: NorFlash>(flash: F) -> Result<Settings<F>, FlashError> {
///     let cache = AsyncFlashCache::open(flash, FlashOptions::new().keep_all()).await?;
///     Ok(Mutex::new(cache))
/// }
///
/// /// A task; others use `settings` as well.
/// async fn join<F: NorFlash>(settings: &Settings<F>) -> Result<(), FlashError> {
///     settings.insert(b"wifi/ssid", b"home").await?;
///     let ssid = settings.get(b"wifi/ssid").await?;
///     assert_eq!(ssid.as_deref(), Some(&b"home"[..]));
///     Ok(())
/// }
/// # use embedded_storage_async::nor_flash::{ErrorType, ReadNorFlash};
/// # struct Chip([u8; 4096]);
/// # impl ErrorType for Chip { type Error = core::convert::Infallible; }
/// # impl ReadNorFlash for Chip {
/// #     const READ_SIZE: usize = 1;
/// #     async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
/// #         bytes.copy_from_slice(&self.0[at as usize..][..bytes.len()]);
/// #         Ok(())
/// #     }
/// #     fn capacity(&self) -> usize { self.0.len() }
/// # }
/// # impl NorFlash for Chip {
/// #     const WRITE_SIZE: usize = 4;
/// #     const ERASE_SIZE: usize = 1024;
/// #     async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
/// #         self.0[from as usize..to as usize].fill(0xFF);
/// #         Ok(())
/// #     }
/// #     async fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Self::Error> {
/// #         self.0[at as usize..][..bytes.len()].copy_from_slice(bytes);
/// #         Ok(())
/// #     }
/// # }
/// # let done = core::pin::pin!(async { join(&open(Chip([0; 4096])).await?).await })
/// #     .poll(&mut core::task::Context::from_waker(core::task::Waker::noop()));
/// # assert_eq!(done, core::task::Poll::Ready(Ok(())));
/// ```
///
/// # Dropped futures
/// An operation may be dropped at any `await`, by a timeout for example. The effect is that of a power
/// cut: the next operation reads the log anew, as `open` does, and finds the value from before or the
/// new one at the key of a dropped write, and all other entries as they were. The driver decides on the
/// word or page that it was at: it may leave it as it was, done, or torn. A driver whose futures must
/// not be dropped, as its documentation says, needs a caller that does not drop them.
///
/// # Threads and executors
/// A future is `Send` where the driver and its futures are. Generic code cannot tell that, so the cache
/// is a [`LocalAsyncCache`], for one executor a core. The mutex is held during an operation: the next
/// task waits while the chip erases.
pub struct AsyncFlashCache<F, V, const N: usize, W = NoWallClock> {
    flash: F,
    log: Log<N>,
    clock: W,
    value: PhantomData<fn() -> V>,
}

impl<M, F, V, const N: usize, W> LocalAsyncCache for Mutex<M, AsyncFlashCache<F, V, N, W>>
where
    M: RawMutex,
    F: NorFlash,
    V: Buffer + Clone,
    W: WallClock,
{
    type Key = [u8];
    type Value = V;
    type Error = FlashError;

    async fn get(&self, key: &[u8]) -> Result<Option<V>, FlashError> {
        self.lock().await.get(key).await
    }

    async fn insert_entry(
        &self,
        key: &[u8],
        value: V,
        ttl: Option<Duration>,
    ) -> Result<(), FlashError> {
        let mut cache = self.lock().await;
        cache.insert_entry(key, value.as_ref(), ttl).await
    }

    async fn remove(&self, key: &[u8]) -> Result<bool, FlashError> {
        self.lock().await.remove(key).await
    }

    async fn clear(&self) -> Result<(), FlashError> {
        self.lock().await.clear().await
    }

    async fn len(&self) -> Result<usize, FlashError> {
        let mut cache = self.lock().await;
        cache.settle().await?;
        Ok(cache.len())
    }

    async fn get_with_ttl(&self, key: &[u8]) -> Result<Found<V>, FlashError> {
        self.lock().await.get_with_ttl(key).await
    }

    async fn pop(&self, key: &[u8]) -> Result<Option<V>, FlashError> {
        let mut cache = self.lock().await;
        let value = cache.get(key).await?;
        if value.is_some() {
            cache.remove(key).await?;
        }
        Ok(value)
    }

    async fn retain<K: FnMut(&[u8]) -> bool>(&self, mut keep: K) -> Result<(), FlashError> {
        self.lock().await.retain(&mut keep).await
    }
}
