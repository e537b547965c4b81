//! The blocking form: a cache with one owner, or behind a lock.

#[path = "operations/mod.rs"]
mod operations;

use self::FlashCache as Flash;
use super::{error::FlashError, log::Log};
use crate::{
    caches::{CopyingStore, Found, copying_store_is_cache},
    entries::Buffer,
    stores::Sweep,
    wall_clock::{NoWallClock, WallClock},
};
use core::{marker::PhantomData, time::Duration};
use embedded_storage::nor_flash::NorFlash;
use maybe_async::must_be_sync as both;

/// The name of the type in its debug output.
const NAME: &str = "FlashCache";

/// A cache in NOR flash that outlives resets and power cuts, without a heap.
///
/// It keeps up to `N` entries with keys of up to 255 bytes in any [`NorFlash`] of
/// `embedded-storage`. An index in RAM takes 16 bytes an entry; values stay in flash. One owner uses
/// it directly; behind a lock or in a `RefCell` it is a [`Cache`](crate::Cache).
///
/// ```
/// use core::cell::RefCell;
/// use ctu_core::{Bytes, FlashCache, FlashOptions, prelude::*};
/// # use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
/// # struct Chip([u8; 4096]);
/// # impl ErrorType for Chip { type Error = core::convert::Infallible; }
/// # impl ReadNorFlash for Chip {
/// #     const READ_SIZE: usize = 1;
/// #     fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
/// #         bytes.copy_from_slice(&self.0[at as usize..][..bytes.len()]);
/// #         Ok(())
/// #     }
/// #     fn capacity(&self) -> usize { self.0.len() }
/// # }
/// # impl NorFlash for Chip {
/// #     const WRITE_SIZE: usize = 4;
/// #     const ERASE_SIZE: usize = 1024;
/// #     fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
/// #         self.0[from as usize..to as usize].fill(0xFF);
/// #         Ok(())
/// #     }
/// #     fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Self::Error> {
/// #         self.0[at as usize..][..bytes.len()].copy_from_slice(bytes);
/// #         Ok(())
/// #     }
/// # }
/// # let mut chip = Chip([0; 4096]);
///
/// let cache = FlashCache::<_, Bytes<64>, 32>::open(&mut chip, FlashOptions::new())?;
/// let settings = RefCell::new(cache);
/// settings.insert(b"ssid", b"home")?;
/// drop(settings); // a reset
///
/// let cache = FlashCache::<_, Bytes<64>, 32>::open(&mut chip, FlashOptions::new())?;
/// let settings = RefCell::new(cache);
/// assert_eq!(settings.get(b"ssid")?.as_deref(), Some(&b"home"[..]));
/// # Ok::<(), ctu_core::FlashError>(())
/// ```
///
/// # Power cuts
/// Power may fail at any moment. The next start finds at each key the value of the last write that
/// returned, or that of a write which had not returned yet. A removed key stays removed. The crate's
/// tests cut the power at every word of random schedules.
///
/// # Eviction
/// New records go to the end of a log. When it is full, the oldest page is erased: the entries of the
/// page that were read since their last copy move to the new page, the oldest first, up to three
/// quarters of it, and the newest of the others up to half of it. With
/// [`FlashOptions::keep_all`](crate::FlashOptions::keep_all) every entry stays, and a write without
/// room is [`Error::Full`](crate::Error::Full). One page is always in reserve; two pages suffice.
///
/// # Wear
/// Pages are erased in turn, so their counts of erases differ by one, and by the number of power cuts
/// during an erase. [`erases`](Self::erases) counts them. An insertion of the value that is stored
/// already writes nothing.
///
/// # Damage
/// Every read checks a CRC-32. A damaged record is a miss, and counts in [`damaged`](Self::damaged);
/// an older value of its key may show after a reset. A page of another schema or layout counts as
/// empty. The checksum is no defence against an attacker that writes to the flash: put a
/// `SealedCache` on top.
///
/// # Costs
/// A lookup compares hashes in RAM, O(`N`), and reads the record of the key. Opening reads the whole
/// range once. An insertion writes one record of 16 bytes, the key and the value, in words; once a
/// page it also erases a page and copies the entries that stay.
pub struct FlashCache<F, V, const N: usize, W = NoWallClock> {
    flash: F,
    log: Log<N>,
    clock: W,
    value: PhantomData<fn() -> V>,
}

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
        self.settle()?;
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
