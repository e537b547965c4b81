//! The operations of a cache in flash: one text for the blocking and the async form.
//!
//! [`FlashCache`](crate::FlashCache) and `AsyncFlashCache` each compile this folder, with drivers of
//! their kind. `#[both]` leaves an async function as it is in the one, and removes `async` and
//! `.await` in the other. So the blocking form has neither futures nor their panics.

mod io;
mod listing;
mod load;
mod pages;

use super::{Flash, NAME, NorFlash, both};
use crate::{
    entries::Buffer,
    error::Error,
    flash::{
        checksum::hash,
        error::{Fault, FlashError},
        index,
        layout::Sizes,
        options::FlashOptions,
        record::{self, Kind, MAX_KEY},
    },
    wall_clock::{Expiry, WallClock},
};
use core::{fmt, marker::PhantomData, time::Duration};
use io::{Cursor, Part, is_unreadable};

#[both]
impl<F: NorFlash, V: Buffer, const N: usize, W: WallClock> Flash<F, V, N, W> {
    /// Opens the log in `flash`, or an empty one where there is none. Writes nothing.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a flash or a range that the log cannot use: words of more than 32
    /// bytes or no power of two, pages below 128 bytes, less than two pages, a range that does not
    /// begin and end at a page; in a log that evicts nothing also for more than `N` entries.
    /// [`FlashError::Flash`] for a failure of the driver.
    pub async fn open(flash: F, options: FlashOptions<W>) -> Result<Self, FlashError> {
        let sizes = Sizes {
            read: F::READ_SIZE,
            write: F::WRITE_SIZE,
            erase: F::ERASE_SIZE,
            capacity: flash.capacity(),
        };
        let (log, clock) = options.log(&sizes)?;
        let value = PhantomData;
        let mut cache = Self {
            flash,
            log,
            clock,
            value,
        };
        match cache.load().await {
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
    pub async fn get(&mut self, key: &[u8]) -> Result<Option<V>, FlashError> {
        Ok(self.get_with_ttl(key).await?.map(|(value, _)| value))
    }

    /// The value at `key` and the time it has left, if that is limited.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    pub async fn get_with_ttl(
        &mut self,
        key: &[u8],
    ) -> Result<Option<(V, Option<Duration>)>, FlashError> {
        self.settle().await?;
        let mut value = V::default();
        let mut stored = 0;
        let mut fits = Ok(());
        let found = self
            .find(key, hash(key), &mut |part| match part {
                Part::Start(len) => {
                    value.truncate(0);
                    stored = usize::from(len);
                    fits = Ok(());
                }
                Part::Bytes(bytes) => fits = fits.and_then(|()| value.append(bytes)),
            })
            .await?;
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
    pub async fn insert(&mut self, key: &[u8], value: &[u8]) -> Result<(), FlashError> {
        self.insert_entry(key, value, None).await
    }

    /// Stores `value` at `key` for `ttl`.
    ///
    /// # Errors
    /// Those of [`insert`](Self::insert), [`Error::TtlUnsupported`] without a clock, and
    /// [`Error::TtlTooLong`] for an end after the year 2105.
    pub async fn insert_with_ttl(
        &mut self,
        key: &[u8],
        value: &[u8],
        ttl: Duration,
    ) -> Result<(), FlashError> {
        self.insert_entry(key, value, Some(ttl)).await
    }

    pub(in crate::flash) async fn insert_entry(
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
        self.settle().await?;
        let hash = hash(key);
        let mut rest = value;
        let mut same = true;
        let found = self
            .find(key, hash, &mut |part| match part {
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
            })
            .await;
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
        let (at, len) = self.append(Kind::Entry, key, value, expiry).await?;
        // Room for the record may have moved or evicted the entry before.
        if let Ok(Some(position)) = self.find(key, hash, &mut |_| {}).await {
            self.log.index.remove(position);
        }
        self.log.add(index::Slot::new(hash, at, expiry, len));
        self.log.unsettled = false;
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
    pub async fn remove(&mut self, key: &[u8]) -> Result<bool, FlashError> {
        if key.len() > MAX_KEY {
            return Ok(false);
        }
        self.settle().await?;
        let live = match self.find(key, hash(key), &mut |_| {}).await {
            Ok(Some(position)) => {
                let removed = self.log.index.remove(position);
                removed.is_some_and(|slot| slot.expiry.left(&self.clock).is_ok())
            }
            Ok(None) if !self.log.hidden || !self.hides(key).await? => return Ok(false),
            Err(fault) if !is_unreadable(fault) => return Err(fault.into()),
            Ok(None) | Err(_) => false,
        };
        self.append(Kind::Removal, key, &[], Expiry::NEVER).await?;
        self.wipe_if_set().await?;
        self.log.unsettled = false;
        Ok(live)
    }

    /// Whether a live page has an entry at `key`, which the index does not have.
    async fn hides(&mut self, key: &[u8]) -> Result<bool, Fault> {
        let newest = self.log.newest;
        for seq in self.log.layout.oldest(newest)..=newest {
            let mut cursor = Cursor::new(seq);
            while let Some((place, record)) = self.next(&mut cursor).await? {
                if record.kind == Kind::Entry
                    && self.compare(place, key, &mut |_| {}).await? == Some(true)
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
    pub async fn clear(&mut self) -> Result<(), FlashError> {
        self.settle().await?;
        if self.log.index.len() == 0 && !self.log.hidden {
            return Ok(());
        }
        self.log.index.clear();
        self.log.hidden = true;
        self.append(Kind::Clear, &[], &[], Expiry::NEVER).await?;
        self.log.hidden = false;
        self.wipe_if_set().await?;
        self.log.unsettled = false;
        Ok(())
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
    pub async fn wipe(&mut self) -> Result<(), FlashError> {
        self.settle().await?;
        if self.log.newest == 0 {
            return Ok(());
        }
        for _ in 1..self.log.layout.pages {
            self.advance(0, true).await?;
        }
        self.log.hidden = false;
        self.wipe_reserve().await?;
        self.log.unsettled = false;
        Ok(())
    }

    async fn wipe_if_set(&mut self) -> Result<(), FlashError> {
        match self.log.wipes {
            true => self.wipe().await,
            false => Ok(()),
        }
    }
}

impl<F, V, const N: usize, W> Flash<F, V, N, W> {
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

impl<F, V, const N: usize, W> fmt::Debug for Flash<F, V, N, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(NAME)
            .field("entries", &self.log.index.len())
            .field("erases", &self.log.erases)
            .field("damaged", &self.log.damaged)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<F, V, const N: usize, W> defmt::Format for Flash<F, V, N, W> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "{=str} {{ entries: {=usize}, erases: {=u32}, damaged: {=usize}, .. }}",
            NAME,
            self.log.index.len(),
            self.log.erases,
            self.log.damaged
        );
    }
}
