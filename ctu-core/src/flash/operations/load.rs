//! The way from the bytes in flash to the index in RAM.

use super::{
    Flash, NorFlash, both,
    io::{Cursor, is_unreadable},
};
use crate::{
    flash::{
        checksum::Checksum,
        error::Fault,
        index::Slot,
        layout::{CHUNK, Place},
        page::Head,
        record::{self, Kind, Record},
    },
    wall_clock::WallClock,
};

#[both]
impl<F: NorFlash, V, const N: usize, W: WallClock> Flash<F, V, N, W> {
    /// Reads the log from its oldest live page to its end.
    pub(super) async fn load(&mut self) -> Result<(), Fault> {
        let layout = self.log.layout;
        self.log.forget();
        let newest = self.newest().await?;
        self.log.resume(newest, layout.page);
        let mut end = layout.page;
        for seq in layout.oldest(newest)..=newest {
            let Some(head) = self.begins(seq).await? else {
                continue;
            };
            let mut cursor = Cursor::new(seq);
            while let Some((place, record)) = self.next(&mut cursor).await? {
                self.apply(place, &record).await?;
            }
            // Behind a torn mark the page is left as it is.
            if seq == newest && self.mark(seq).await? == Some(head.mark(&layout)) {
                end = cursor.end();
            }
        }
        self.log.resume(newest, end);
        self.log.unsettled = false;
        Ok(())
    }

    /// Reads the log again, after an operation that did not come to its end: it failed, or its future
    /// was dropped. The index is then again that of the flash, as after a power cut.
    pub(in crate::flash) async fn settle(&mut self) -> Result<(), Fault> {
        match self.log.unsettled {
            true => self.load().await,
            false => Ok(()),
        }
    }

    /// The number of the newest complete page; 0 without one. Without a mark, a page holds nothing
    /// but copies of entries of the page before it in the ring, which is still there.
    async fn newest(&mut self) -> Result<u32, Fault> {
        let layout = self.log.layout;
        let mut newest: Option<Head> = None;
        let mut readable = false;
        let mut failure = Ok(());
        for index in 0..layout.pages {
            match self.head(index).await {
                Ok(head) => {
                    readable = true;
                    let erases = head.map_or(0, |head| head.erases);
                    self.log.erases = self.log.erases.max(erases);
                    newest = newest.into_iter().chain(head).max_by_key(|head| head.seq);
                }
                Err(error) if is_unreadable(error) => failure = Err(error),
                Err(error) => return Err(error),
            }
        }
        // A page whose head cannot be read is torn. If none can be, the driver does not work.
        if !readable {
            failure?;
        }
        let Some(head) = newest else {
            return Ok(0);
        };
        let mark = self.mark(head.seq).await?;
        let complete = mark.is_some_and(|mark| head.is_complete(&layout, &mark));
        Ok(head.seq.saturating_sub(u32::from(!complete)))
    }

    /// The head of page `seq`, if it is in its place.
    async fn begins(&mut self, seq: u32) -> Result<Option<Head>, Fault> {
        match self.head(self.log.layout.index(seq)).await {
            Ok(head) => Ok(head.filter(|head| head.seq == seq)),
            Err(error) if is_unreadable(error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn apply(&mut self, place: Place, record: &Record) -> Result<(), Fault> {
        let mut hash = Checksum::new();
        let intact = match self
            .body(place, record, &mut |key, _| hash.update(key))
            .await
        {
            Err(error) if !is_unreadable(error) => return Err(error),
            intact => intact.unwrap_or(false),
        };
        if !intact {
            self.log.damaged = self.log.damaged.wrapping_add(1);
            return Ok(());
        }
        if record.kind == Kind::Clear {
            self.log.index.clear();
            self.log.hidden = false;
            return Ok(());
        }
        let hash = hash.value();
        if let Some(position) = self.find_same(place, record, hash).await? {
            self.log.index.remove(position);
        }
        if record.kind == Kind::Entry {
            if self.log.check_place().is_err() {
                return Err(Fault::Entries);
            }
            let layout = self.log.layout;
            let at = layout.at(place);
            let slot = Slot::new(hash, at, record.expiry, record.len(&layout));
            self.log.add(slot);
        }
        Ok(())
    }

    /// The position of the entry with the key of the record at `place`.
    async fn find_same(
        &mut self,
        place: Place,
        record: &Record,
        hash: u32,
    ) -> Result<Option<usize>, Fault> {
        let mut end = self.log.index.len();
        while let Some(position) = self.log.index.before(end, hash) {
            end = position;
            let slot = self.log.index.get(position);
            if let Some(slot) = slot
                && self
                    .same_key(self.log.layout.at(place), slot.at, record.key_len)
                    .await?
            {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// Whether the records at two places have the same key, of `key_len` bytes.
    async fn same_key(&mut self, one: u32, other: u32, key_len: u8) -> Result<bool, Fault> {
        let other_head = self.record(self.log.place(other)).await?;
        if other_head.is_none_or(|record| record.key_len != key_len) {
            return Ok(false);
        }
        let end = record::HEAD.wrapping_add(key_len.into());
        let mut done = 0;
        while done < end {
            let skipped = if done == 0 { record::HEAD } else { 0 };
            let len = CHUNK.min(end.saturating_sub(done));
            let range = skipped as usize..len as usize;
            let one = self.read(one.wrapping_add(done), len).await?;
            let other = self.read(other.wrapping_add(done), len).await?;
            if one.get(range.clone()) != other.get(range) {
                return Ok(false);
            }
            done = done.wrapping_add(CHUNK);
        }
        Ok(true)
    }
}
