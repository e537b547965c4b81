//! A cache in NOR flash: a log of records over a ring of pages, and an index in RAM.

mod cache;
mod checksum;
mod error;
mod index;
mod io;
mod layout;
mod listing;
mod load;
mod log;
mod options;
mod page;
mod pages;
mod record;

pub use error::FlashError;
pub use options::FlashOptions;

use crate::{
    entries::Buffer,
    error::Error,
    wall_clock::{Expiry, NoWallClock, WallClock},
};
use checksum::hash;
use core::{fmt, marker::PhantomData, time::Duration};
use embedded_storage::nor_flash::NorFlash;
use error::Fault;
use io::{Cursor, Part, is_unreadable};
use log::Log;
use record::Kind;

/// The longest key, in bytes.
const MAX_KEY: usize = u8::MAX as usize;

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
/// quarters of it, and the newest of the others up to half of it. With [`FlashOptions::keep_all`] every entry stays, and
/// a write without room is [`Error::Full`]. One page is always in reserve; two pages suffice.
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

impl<F: NorFlash, V: Buffer, const N: usize, W: WallClock> FlashCache<F, V, N, W> {
    /// Opens the log in `flash`, or an empty one where there is none. Writes nothing.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a flash or a range that the log cannot use: words of more than 32
    /// bytes or no power of two, pages below 128 bytes, less than two pages, a range that does not
    /// begin and end at a page; in a log that evicts nothing also for more than `N` entries.
    /// [`FlashError::Flash`] for a failure of the driver.
    pub fn open(flash: F, options: FlashOptions<W>) -> Result<Self, FlashError> {
        let mut cache = options.log(flash)?;
        match cache.load() {
            Ok(()) => Ok(cache),
            Err(Fault::Entries) => Err(FlashError::Core(Error::OutOfRange {
                what: "number of entries in the flash",
                got: N.wrapping_add(1),
                min: 0,
                max: N,
            })),
            Err(fault) => Err(fault.into()),
        }
    }

    /// The value at `key`.
    ///
    /// # Errors
    /// [`Error::StoredTooLong`] for a value that does not fit `V`, and failures of the driver.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<V>, FlashError> {
        Ok(self.get_with_ttl(key)?.map(|(value, _)| value))
    }

    /// The value at `key` and the time it has left, if that is limited.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    pub fn get_with_ttl(
        &mut self,
        key: &[u8],
    ) -> Result<Option<(V, Option<Duration>)>, FlashError> {
        let mut value = V::default();
        let mut stored = 0;
        let mut fits = Ok(());
        let found = self.find(key, hash(key), &mut |part| match part {
            Part::Start(len) => {
                value.truncate(0);
                stored = usize::from(len);
                fits = Ok(());
            }
            Part::Bytes(bytes) => fits = fits.and_then(|()| value.append(bytes)),
        })?;
        let slot = found.and_then(|position| self.log.index.slots_mut().get_mut(position));
        let Some(slot) = slot else {
            return Ok(None);
        };
        let Ok(left) = slot.expiry.left(&self.clock) else {
            return Ok(None);
        };
        slot.set_used();
        match fits {
            Ok(()) => Ok(Some((value, left))),
            Err(Error::ValueTooLong { max, .. }) => {
                Err(Error::StoredTooLong { len: stored, max }.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Stores `value` at `key`. The entry is in flash when this returns.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] above 255 bytes, [`Error::ValueTooLong`] for a record above a page,
    /// [`Error::Full`] with [`FlashOptions::keep_all`]; [`FlashError::Worn`], and failures of the
    /// driver.
    pub fn insert(&mut self, key: &[u8], value: &[u8]) -> Result<(), FlashError> {
        self.insert_entry(key, value, None)
    }

    /// Stores `value` at `key` for `ttl`.
    ///
    /// # Errors
    /// Those of [`insert`](Self::insert), [`Error::TtlUnsupported`] without a clock, and
    /// [`Error::TtlTooLong`] for an end after the year 2105.
    pub fn insert_with_ttl(
        &mut self,
        key: &[u8],
        value: &[u8],
        ttl: Duration,
    ) -> Result<(), FlashError> {
        self.insert_entry(key, value, Some(ttl))
    }

    fn insert_entry(
        &mut self,
        key: &[u8],
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<(), FlashError> {
        if ttl.is_some() && !W::PRESENT {
            return Err(Error::TtlUnsupported.into());
        }
        self.check(key, value)?;
        let expiry = Expiry::after(ttl, &self.clock)?;
        let hash = hash(key);
        let mut rest = value;
        let mut same = true;
        let found = self.find(key, hash, &mut |part| match part {
            Part::Start(len) => {
                rest = value;
                same = usize::from(len) == value.len();
            }
            Part::Bytes(bytes) => {
                let (expected, left) = rest
                    .split_at_checked(bytes.len().min(rest.len()))
                    .unwrap_or_default();
                same &= bytes == expected;
                rest = left;
            }
        });
        // An unreadable entry is replaced like any other.
        let found = match found {
            Err(fault) if !is_unreadable(fault) => return Err(fault.into()),
            found => found.unwrap_or_default(),
        };
        match found.and_then(|position| self.log.index.get(position)) {
            Some(slot) if same && slot.expiry == expiry => return Ok(()),
            Some(_) => {}
            None if self.log.index.is_full() => {
                self.log.drop_expired(&self.clock);
                self.log.check_place()?;
            }
            None => {}
        }
        let (at, len) = self.append(Kind::Entry, key, value, expiry)?;
        // Room for the record may have moved or evicted the entry before.
        if let Ok(Some(position)) = self.find(key, hash, &mut |_| {}) {
            self.log.index.remove(position);
        }
        self.log.add(index::Slot::new(hash, at, expiry, len));
        Ok(())
    }

    fn check(&self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        if key.len() > MAX_KEY {
            return Err(Error::KeyTooLong {
                len: key.len(),
                max: MAX_KEY,
            });
        }
        let used = (record::HEAD as usize).wrapping_add(key.len());
        let max = (self.log.layout.room() as usize).saturating_sub(used);
        let max = max.min(u16::MAX.into());
        match value.len() > max {
            true => Err(Error::ValueTooLong {
                len: value.len(),
                max,
            }),
            false => Ok(()),
        }
    }

    /// Removes the entry at `key`. Returns whether there was one. The removal is in flash when this
    /// returns.
    ///
    /// # Errors
    /// [`FlashError::Worn`], and failures of the driver.
    pub fn remove(&mut self, key: &[u8]) -> Result<bool, FlashError> {
        if key.len() > MAX_KEY {
            return Ok(false);
        }
        let live = match self.find(key, hash(key), &mut |_| {}) {
            Ok(Some(position)) => {
                let removed = self.log.index.remove(position);
                removed.is_some_and(|slot| slot.expiry.left(&self.clock).is_ok())
            }
            Ok(None) if !self.log.hidden || !self.hides(key)? => return Ok(false),
            Err(fault) if !is_unreadable(fault) => return Err(fault.into()),
            Ok(None) | Err(_) => false,
        };
        self.append(Kind::Removal, key, &[], Expiry::NEVER)?;
        self.wipe_if_set()?;
        Ok(live)
    }

    /// Whether a live page has an entry at `key`, which the index does not have.
    fn hides(&mut self, key: &[u8]) -> Result<bool, Fault> {
        let newest = self.log.newest;
        for seq in self.log.layout.oldest(newest)..=newest {
            let mut cursor = Cursor::new(seq);
            while let Some((place, record)) = self.next(&mut cursor)? {
                if record.kind == Kind::Entry
                    && self.compare(place, key, &mut |_| {})? == Some(true)
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Removes every entry, by one record.
    ///
    /// # Errors
    /// [`FlashError::Worn`], and failures of the driver.
    pub fn clear(&mut self) -> Result<(), FlashError> {
        if self.log.index.len() == 0 && !self.log.hidden {
            return Ok(());
        }
        self.log.index.clear();
        self.log.hidden = true;
        self.append(Kind::Clear, &[], &[], Expiry::NEVER)?;
        self.log.hidden = false;
        self.wipe_if_set()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        let slots = self.log.index.slots().iter();
        slots
            .filter(|slot| slot.expiry.left(&self.clock).is_ok())
            .count()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Marks the entry at `key` as used, without a read of the flash: for a hit in a store in front
    /// of this cache.
    pub fn touch(&mut self, key: &[u8]) {
        let hash = hash(key);
        let slots = self.log.index.slots_mut().iter_mut();
        slots
            .filter(|slot| slot.hash == hash)
            .for_each(index::Slot::set_used);
    }

    /// Erases all bytes of removed, replaced and evicted entries: it rewrites each page once, with
    /// the entries that are left. As many erases as the range has pages, at most.
    ///
    /// With [`FlashOptions::wipe_removed`], `remove` and `clear` end with it.
    ///
    /// # Errors
    /// [`FlashError::Worn`], and failures of the driver: old bytes may be left then.
    pub fn wipe(&mut self) -> Result<(), FlashError> {
        if self.log.newest == 0 {
            return Ok(());
        }
        for _ in 1..self.log.layout.pages {
            self.advance(0, true)?;
        }
        self.log.hidden = false;
        Ok(self.wipe_reserve()?)
    }

    fn wipe_if_set(&mut self) -> Result<(), FlashError> {
        match self.log.wipes {
            true => self.wipe(),
            false => Ok(()),
        }
    }
}

impl<F, V, const N: usize, W> FlashCache<F, V, N, W> {
    /// The number of erases of all pages since the first use of the range. Erases before a power cut
    /// may be missing.
    pub fn erases(&self) -> u32 {
        self.log.erases
    }

    /// The number of damaged records that were found since the start, torn ones included.
    pub fn damaged(&self) -> usize {
        self.log.damaged
    }

    /// Returns the flash.
    pub fn into_flash(self) -> F {
        self.flash
    }
}

impl<F, V, const N: usize, W> fmt::Debug for FlashCache<F, V, N, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlashCache")
            .field("entries", &self.log.index.len())
            .field("erases", &self.log.erases)
            .field("damaged", &self.log.damaged)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<F, V, const N: usize, W> defmt::Format for FlashCache<F, V, N, W> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "FlashCache {{ entries: {=usize}, erases: {=u32}, damaged: {=usize}, .. }}",
            self.log.index.len(),
            self.log.erases,
            self.log.damaged
        );
    }
}
