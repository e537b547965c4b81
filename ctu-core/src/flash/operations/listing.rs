//! The entries of a flash cache, one after the other.

use super::{Flash, NorFlash, both};
use crate::{
    entries::Buffer,
    flash::{
        error::{Fault, FlashError},
        index::Slot,
        record::{Kind, MAX_KEY},
    },
    wall_clock::{Expiry, WallClock},
};
use core::time::Duration;

#[both]
impl<F: NorFlash, V: Buffer, const N: usize, W: WallClock> Flash<F, V, N, W> {
    /// Removes the entries for whose key `keep` returns false.
    ///
    /// # Errors
    /// [`FlashError::Worn`], and failures of the driver; some of the entries may be removed then.
    pub async fn retain(&mut self, keep: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), FlashError> {
        self.settle().await?;
        let mut position = 0;
        while let Some(slot) = self.log.index.get(position) {
            let mut key = Key::new();
            let doomed =
                self.read_entry(slot.at, &mut key, &mut |_| {}).await? && !keep(key.bytes());
            if let Some(slot) = self.log.index.slots_mut().get_mut(position) {
                slot.set_doomed(doomed);
            }
            position = position.wrapping_add(1);
        }
        let doomed = |slot: &Slot| slot.doomed();
        let mut removed = false;
        while let Some(position) = self.log.index.slots().iter().position(doomed) {
            let mut key = Key::new();
            let slot = self.log.index.remove(position);
            let at = slot.map(|slot| slot.at).unwrap_or_default();
            if self.read_entry(at, &mut key, &mut |_| {}).await? {
                self.append(Kind::Removal, key.bytes(), &[], Expiry::NEVER)
                    .await?;
                removed = true;
            }
        }
        // Entries outside the index are not asked for: they are evicted for good.
        if self.log.hidden || (removed && self.log.wipes) {
            self.wipe().await?;
        }
        self.log.unsettled = false;
        Ok(())
    }

    /// Calls `each` with every entry and the time it has left: to fill a store in RAM at a start.
    /// Damaged entries and values that do not fit `V` are left out.
    ///
    /// # Errors
    /// Failures of the driver.
    pub async fn for_each(
        &mut self,
        mut each: impl FnMut(&[u8], V, Option<Duration>),
    ) -> Result<(), FlashError> {
        self.settle().await?;
        let mut position = 0;
        while let Some(slot) = self.log.index.get(position) {
            position = position.wrapping_add(1);
            let Ok(left) = slot.expiry.left(&self.clock) else {
                continue;
            };
            let mut key = Key::new();
            let mut value = V::default();
            let mut fits = true;
            let mut append = |bytes: &[u8]| fits &= value.append(bytes).is_ok();
            let intact = self.read_entry(slot.at, &mut key, &mut append).await?;
            if intact && fits {
                each(key.bytes(), value, left);
            }
        }
        Ok(())
    }

    /// Reads the key and the value at `at`. Returns whether they are intact.
    async fn read_entry(
        &mut self,
        at: u32,
        key: &mut Key,
        value: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, Fault> {
        let place = self.log.place(at);
        let Some(record) = self.record(place).await? else {
            return Ok(false);
        };
        self.body(place, &record, &mut |part, bytes| {
            key.append(part);
            value(bytes);
        })
        .await
    }
}

/// A key as it is read from flash.
struct Key {
    bytes: [u8; MAX_KEY],
    len: usize,
}

impl Key {
    const fn new() -> Self {
        Self {
            bytes: [0; MAX_KEY],
            len: 0,
        }
    }

    fn append(&mut self, part: &[u8]) {
        let free = self.bytes.get_mut(self.len..).unwrap_or_default();
        free.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
        self.len = self.len.wrapping_add(part.len());
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
