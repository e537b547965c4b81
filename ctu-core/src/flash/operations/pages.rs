//! The way from one page to the next: copies of the entries that stay, and the mark.

use super::{Flash, NorFlash, both, io::is_unreadable};
use crate::{
    flash::{
        error::Fault,
        layout::{CHUNK, HEAD, MARK, Place},
        log::ATTEMPTS,
        page::Head,
    },
    wall_clock::WallClock,
};

#[both]
impl<F: NorFlash, V, const N: usize, W: WallClock> Flash<F, V, N, W> {
    /// Begins pages until a record of `len` bytes fits the newest one.
    pub(super) async fn make_room(&mut self, len: u32) -> Result<(), Fault> {
        if self.log.fits(len) {
            return Ok(());
        }
        let keeps_all = self.log.keeps_all;
        if keeps_all && !self.log.has_room(len, &self.clock) {
            return Err(Fault::Full);
        }
        for _ in 0..self.log.layout.pages {
            self.advance(len, keeps_all).await?;
            if self.log.fits(len) {
                return Ok(());
            }
        }
        Err(Fault::Full)
    }

    /// Begins the next page with the entries that stay of the oldest one.
    pub(super) async fn advance(&mut self, need: u32, all: bool) -> Result<(), Fault> {
        let mut result = Err(Fault::Worn);
        let attempts = self.log.layout.pages.wrapping_mul(ATTEMPTS.into());
        for _ in 0..attempts {
            let seq = Head::number_after(self.log.newest).ok_or(Fault::Worn)?;
            result = self.begin(seq, need, all).await;
            let Err(error) = result else {
                break;
            };
            if !self.log.tries_again(seq, error == Fault::Worn) {
                break;
            }
        }
        result?;
        if self.log.wipes {
            self.wipe_reserve().await?;
        }
        Ok(())
    }

    /// Erases the page in reserve, with the bytes of the entries before.
    pub(super) async fn wipe_reserve(&mut self) -> Result<(), Fault> {
        let reserve = self.log.newest.wrapping_add(1);
        if self.log.blank != reserve {
            self.erase(reserve).await?;
            self.log.blank = reserve;
        }
        Ok(())
    }

    async fn begin(&mut self, seq: u32, need: u32, all: bool) -> Result<(), Fault> {
        let layout = self.log.layout;
        self.log.evict_page(layout.index(seq));
        if self.log.blank != seq {
            self.erase(seq).await?;
        }
        self.log.blank = 0;
        let start = Place { seq, offset: 0 };
        let erases = self.log.erases;
        let head = Head { seq, erases };
        let bytes = head.bytes(&layout);
        self.write(layout.at(start), &bytes).await?;
        self.log.choose(seq, need, all, &self.clock);
        let mut place = Place { seq, offset: HEAD };
        let mut position = 0;
        while let Some(slot) = self.log.index.get(position) {
            if slot.moves() {
                if self.copy(slot.at, place).await? {
                    place.offset = place.offset.wrapping_add(slot.len());
                } else if let Some(slot) = self.log.index.slots_mut().get_mut(position) {
                    slot.set_moves(false);
                    self.log.damaged = self.log.damaged.wrapping_add(1);
                }
            }
            position = position.wrapping_add(1);
        }
        let mark = head.mark(&layout);
        let place = Place { seq, offset: MARK };
        self.write(layout.at(place), &mark).await?;
        let kept = self.read(layout.at(start), CHUNK).await? == bytes
            && self.mark(seq).await? == Some(mark);
        if !kept {
            return Err(Fault::Worn);
        }
        self.log.commit(seq);
        Ok(())
    }

    /// Copies the record at `from` to `to`. `false` where it is damaged.
    async fn copy(&mut self, from: u32, to: Place) -> Result<bool, Fault> {
        let layout = self.log.layout;
        let place = self.log.place(from);
        let Some(mut record) = self.record(place).await? else {
            return Ok(false);
        };
        let mut checksum = record.checksum(to);
        let intact = self
            .body(place, &record, &mut |key, value| {
                checksum.update(key);
                checksum.update(value);
            })
            .await;
        match intact {
            Ok(true) => record.body = checksum.value(),
            Ok(false) => return Ok(false),
            Err(error) if is_unreadable(error) => return Ok(false),
            Err(error) => return Err(error),
        }
        let len = record.len(&layout);
        let target = layout.at(to);
        let mut done = 0;
        while done < len {
            let end = CHUNK.min(len.saturating_sub(done));
            let mut chunk = self.read(from.wrapping_add(done), end).await?;
            if let (0, Some(head)) = (done, chunk.first_chunk_mut()) {
                *head = record.head(to);
            }
            if let Some(words) = chunk.get(..end as usize) {
                self.write(target.wrapping_add(done), words).await?;
            }
            done = done.wrapping_add(CHUNK);
        }
        match self.holds(to, &record).await? {
            true => Ok(true),
            false => Err(Fault::Worn),
        }
    }
}
