//! Reads and writes of the log: records, pages, copies.

use super::{Flash, NorFlash, both};
use crate::{
    flash::{
        error::Fault,
        layout::{CHUNK, Chunk, HEAD, MARK, Place},
        page::Head,
        record::{self, Kind, Record},
    },
    wall_clock::{Expiry, WallClock},
};
use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};

/// A chunk of an erased flash.
pub(super) const ERASED: Chunk = [0xFF; CHUNK as usize];

/// A position in the records of one page.
pub(super) struct Cursor {
    seq: u32,
    offset: u32,
    /// The beginning of the erased words before `offset`.
    erased: Option<u32>,
}

impl Cursor {
    pub(super) const fn new(seq: u32) -> Self {
        Self {
            seq,
            offset: HEAD,
            erased: None,
        }
    }

    /// The end of the records, once they are read.
    pub(super) fn end(&self) -> u32 {
        self.erased.unwrap_or(self.offset)
    }
}

/// A part of the value of an entry that is looked up.
pub(super) enum Part<'b> {
    /// The size of the value of the next candidate. The parts before belong to another entry.
    Start(u16),
    Bytes(&'b [u8]),
}

/// The parts of keys and values, in order.
type Parts<'f> = &'f mut dyn FnMut(&[u8], &[u8]);

fn failed(error: &impl NorFlashError) -> Fault {
    Fault::Flash(error.kind())
}

/// Whether a word could not be read: power was cut while it was written, for example.
pub(super) fn is_unreadable(error: Fault) -> bool {
    error == Fault::Flash(NorFlashErrorKind::Other)
}

#[both]
impl<F: NorFlash, V, const N: usize, W: WallClock> Flash<F, V, N, W> {
    /// Reads up to `len` bytes of the chunk at `at`, which counts from the first page, and no word
    /// behind them: it may be torn. The rest, and the bytes behind the end of the page, are as erased.
    pub(super) async fn read(&mut self, at: u32, len: u32) -> Result<Chunk, Fault> {
        let layout = self.log.layout;
        let left = layout.page.saturating_sub(layout.offset(at));
        let len = layout.round(len).min(CHUNK).min(left);
        let mut chunk = ERASED;
        if let Some(part) = chunk.get_mut(..len as usize) {
            let read = self.flash.read(layout.address(at), part).await;
            read.map_err(|error| failed(&error))?;
        }
        Ok(chunk)
    }

    pub(super) async fn write(&mut self, at: u32, words: &[u8]) -> Result<(), Fault> {
        self.log.unsettled = true;
        let written = self.flash.write(self.log.layout.address(at), words).await;
        written.map_err(|error| failed(&error))
    }

    /// Erases the page with number `seq`.
    pub(super) async fn erase(&mut self, seq: u32) -> Result<(), Fault> {
        let layout = self.log.layout;
        let from = layout.address(layout.at(Place { seq, offset: 0 }));
        self.log.unsettled = true;
        self.log.erases = self.log.erases.wrapping_add(1);
        let erased = self.flash.erase(from, from.wrapping_add(layout.page)).await;
        erased.map_err(|error| failed(&error))
    }

    /// The head of the page at `index`, if it belongs to this log.
    pub(super) async fn head(&mut self, index: u32) -> Result<Option<Head>, Fault> {
        let layout = self.log.layout;
        let chunk = self.read(index.wrapping_mul(layout.page), CHUNK).await?;
        Ok(Head::parse(&layout, index, &chunk))
    }

    /// The mark of the page with number `seq`. `None` where it is torn and cannot be read.
    pub(super) async fn mark(&mut self, seq: u32) -> Result<Option<Chunk>, Fault> {
        let at = self.log.layout.at(Place { seq, offset: MARK });
        match self.read(at, CHUNK).await {
            Ok(mark) => Ok(Some(mark)),
            Err(error) if is_unreadable(error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The next record of a page, and its place.
    pub(super) async fn next(
        &mut self,
        cursor: &mut Cursor,
    ) -> Result<Option<(Place, Record)>, Fault> {
        let layout = self.log.layout;
        while cursor.offset < layout.page {
            let place = Place {
                seq: cursor.seq,
                offset: cursor.offset,
            };
            if let Some(record) = self.record(place).await? {
                cursor.offset = place.offset.wrapping_add(record.len(&layout));
                cursor.erased = None;
                return Ok(Some((place, record)));
            }
            let erased = match self.read(layout.at(place), CHUNK).await {
                Err(error) if !is_unreadable(error) => return Err(error),
                chunk => chunk == Ok(ERASED),
            };
            if !erased {
                // Torn or damaged: nothing behind it can be told apart.
                cursor.offset = layout.page;
                cursor.erased = None;
                break;
            }
            // The end, or words that power cut off, which the next record left out.
            cursor.erased = cursor.erased.or(Some(place.offset));
            cursor.offset = place.offset.wrapping_add(CHUNK).min(layout.page);
        }
        Ok(None)
    }

    /// The head of the record at `place`. A word that cannot be read is a torn one: no record.
    pub(super) async fn record(&mut self, place: Place) -> Result<Option<Record>, Fault> {
        let layout = self.log.layout;
        match self.read(layout.at(place), record::HEAD).await {
            Ok(chunk) => Ok(Record::parse(&layout, place, &chunk)),
            Err(error) if is_unreadable(error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the key and the value of a record in parts. Returns whether they are intact.
    pub(super) async fn body(
        &mut self,
        place: Place,
        record: &Record,
        each: Parts<'_>,
    ) -> Result<bool, Fault> {
        let mut checksum = record.checksum(place);
        let at = self.log.layout.at(place);
        let size = record.size();
        let mut key_left = usize::from(record.key_len);
        let mut done = 0;
        while done < size {
            let end = CHUNK.min(size.saturating_sub(done));
            let chunk = self.read(at.wrapping_add(done), end).await?;
            let skipped = if done == 0 { record::HEAD } else { 0 };
            let part = chunk.get(skipped as usize..end as usize);
            let part = part.unwrap_or_default();
            checksum.update(part);
            let (key, value) = part
                .split_at_checked(key_left.min(part.len()))
                .unwrap_or_default();
            key_left = key_left.saturating_sub(key.len());
            each(key, value);
            done = done.wrapping_add(CHUNK);
        }
        Ok(checksum.value() == record.body)
    }

    /// Whether the record at `place` is as it was written.
    pub(super) async fn holds(&mut self, place: Place, expected: &Record) -> Result<bool, Fault> {
        match self.record(place).await? {
            Some(record) if record.body == expected.body => {
                self.body(place, &record, &mut |_, _| {}).await
            }
            _ => Ok(false),
        }
    }

    /// The position of the entry at `key` in the index. `each` gets the parts of its value, which
    /// count only if there is a position.
    pub(super) async fn find(
        &mut self,
        key: &[u8],
        hash: u32,
        each: &mut dyn FnMut(Part<'_>),
    ) -> Result<Option<usize>, Fault> {
        let mut end = self.log.index.len();
        let mut unreadable = None;
        while let Some(position) = self.log.index.before(end, hash) {
            end = position;
            let Some(slot) = self.log.index.get(position) else {
                break;
            };
            match self.compare(self.log.place(slot.at), key, each).await {
                Ok(Some(true)) => return Ok(Some(position)),
                Ok(Some(false)) => {}
                Ok(None) => self.log.drop_damaged(position),
                Err(error) => unreadable = Some(error),
            }
        }
        unreadable.map_or(Ok(None), Err)
    }

    /// Whether the record at `place` has `key`. `None` for a damaged record.
    pub(super) async fn compare(
        &mut self,
        place: Place,
        key: &[u8],
        each: &mut dyn FnMut(Part<'_>),
    ) -> Result<Option<bool>, Fault> {
        let Some(record) = self.record(place).await? else {
            return Ok(None);
        };
        each(Part::Start(record.value_len));
        let mut same = usize::from(record.key_len) == key.len();
        let mut rest = key;
        let intact = self
            .body(place, &record, &mut |part, value| {
                let (expected, left) = rest
                    .split_at_checked(part.len().min(rest.len()))
                    .unwrap_or_default();
                same &= part == expected;
                rest = left;
                each(Part::Bytes(value));
            })
            .await?;
        Ok(intact.then_some(same))
    }

    /// Writes a record behind the last one, on a new page where it does not fit. Returns its place,
    /// counted from the first page, and its size in full words.
    pub(super) async fn append(
        &mut self,
        kind: Kind,
        key: &[u8],
        value: &[u8],
        expiry: Expiry,
    ) -> Result<(u32, u32), Fault> {
        let mut record = Record {
            kind,
            key_len: key.len().try_into().unwrap_or(u8::MAX),
            value_len: value.len().try_into().unwrap_or(u16::MAX),
            expiry,
            body: 0,
        };
        let len = record.len(&self.log.layout);
        // A word that does not take the record ends its page: worn, or torn though it reads as erased.
        let mut result = Err(Fault::Worn);
        for _ in 0..2 {
            self.make_room(len).await?;
            let Some(place) = self.log.reserve(len) else {
                break;
            };
            let mut checksum = record.checksum(place);
            checksum.update(key);
            checksum.update(value);
            record.body = checksum.value();
            result = match self.write_record(place, &record, key, value).await {
                Ok(true) => return Ok((self.log.layout.at(place), len)),
                Ok(false) => Err(Fault::Worn),
                Err(error) => Err(error),
            };
            self.log.close();
        }
        result
    }

    async fn write_record(
        &mut self,
        place: Place,
        record: &Record,
        key: &[u8],
        value: &[u8],
    ) -> Result<bool, Fault> {
        let layout = self.log.layout;
        let mut at = layout.at(place);
        let mut chunk = ERASED;
        let mut fill = 0u32;
        let head = record.head(place);
        for byte in [&head[..], key, value].into_iter().flatten() {
            if let Some(free) = chunk.get_mut(fill as usize) {
                *free = *byte;
            }
            fill = fill.wrapping_add(1);
            if fill == CHUNK {
                self.write(at, &chunk).await?;
                at = at.wrapping_add(CHUNK);
                chunk = ERASED;
                fill = 0;
            }
        }
        let rest = chunk.get(..layout.round(fill) as usize);
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            self.write(at, rest).await?;
        }
        self.holds(place, record).await
    }
}
