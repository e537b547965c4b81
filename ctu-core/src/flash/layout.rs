//! The place of pages and words in a flash.

use crate::error::Error;

/// The size of reads, and the largest size of writes, in bytes. Every size of words divides it.
pub(super) const CHUNK: u32 = 32;
pub(super) type Chunk = [u8; CHUNK as usize];

/// The bytes of a page before its records: a header, and the mark of a page that is complete.
pub(super) const HEAD: u32 = 2 * CHUNK;
/// The place of the mark in its page.
pub(super) const MARK: u32 = CHUNK;

/// The smallest page, in bytes.
const MIN_PAGE: usize = 128;

/// A place of a record: its page, by number in time, and its offset in that page.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) seq: u32,
    pub(super) offset: u32,
}

/// The properties of a flash that the log needs, checked.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// The address of the first page.
    start: u32,
    /// The size of a page.
    pub(super) page: u32,
    /// The number of pages, at least 2.
    pub(super) pages: u32,
    /// The size of a word: a power of two up to [`CHUNK`].
    word: u32,
    /// The schema of the keys and values.
    pub(super) schema: u32,
}

/// The sizes of a driver of flash.
pub(super) struct Sizes {
    pub(super) read: usize,
    pub(super) write: usize,
    pub(super) erase: usize,
    pub(super) capacity: usize,
}

fn check(what: &'static str, got: usize, min: usize, max: usize) -> Result<u32, Error> {
    let refused = Error::OutOfRange {
        what,
        got,
        min,
        max,
    };
    if !(min..=max).contains(&got) {
        return Err(refused);
    }
    u32::try_from(got).map_err(|_| refused)
}

/// The distance of `got` from a multiple of `unit`, which must be 0.
fn check_multiple(what: &'static str, got: usize, unit: u32) -> Result<(), Error> {
    let rest = got.checked_rem(unit as usize).unwrap_or(1);
    check(what, rest, 0, 0).map(drop)
}

impl Layout {
    pub(super) fn new(
        sizes: &Sizes,
        range: Option<(u32, u32)>,
        schema: u32,
    ) -> Result<Self, Error> {
        let word = check("write size of the flash", sizes.write, 1, CHUNK as usize)?;
        check_multiple("32 modulo the write size", CHUNK as usize, word)?;
        let read = check("read size of the flash", sizes.read, 1, sizes.write)?;
        check_multiple("write size modulo the read size", sizes.write, read)?;
        let page = check("erase size of the flash", sizes.erase, MIN_PAGE, 1 << 24)?;
        check_multiple("erase size modulo the write size", sizes.erase, word)?;
        let capacity = sizes.capacity.min(u32::MAX as usize);
        let rest = capacity.checked_rem(sizes.erase).unwrap_or_default();
        let (start, end) = range.unwrap_or((0, capacity.saturating_sub(rest) as u32));
        check("end of the range", end as usize, 0, capacity)?;
        check_multiple("start of the range modulo the page", start as usize, page)?;
        check_multiple("end of the range modulo the page", end as usize, page)?;
        let pages = end
            .saturating_sub(start)
            .checked_div(page)
            .unwrap_or_default();
        let pages = check("number of pages", pages as usize, 2, 1 << 16)?;
        Ok(Self {
            start,
            page,
            pages,
            word,
            schema,
        })
    }

    /// `len` rounded up to full words.
    pub(super) const fn round(&self, len: u32) -> u32 {
        let rest = self.word.wrapping_sub(1);
        len.wrapping_add(rest) & !rest
    }

    /// The largest record, in bytes.
    pub(super) const fn room(&self) -> u32 {
        self.page.wrapping_sub(HEAD) // at least 128 bytes
    }

    /// The index of the page with number `seq`.
    pub(super) const fn index(&self, seq: u32) -> u32 {
        match seq.checked_rem(self.pages) {
            Some(index) => index,
            None => 0,
        }
    }

    /// The index of the page that contains `at`.
    pub(super) const fn index_at(&self, at: u32) -> u32 {
        match at.checked_div(self.page) {
            Some(index) => index,
            None => 0,
        }
    }

    /// The place of `place`, counted from the first page.
    // Copies of it in its callers take a hundred bytes of code.
    #[inline(never)]
    pub(super) const fn at(&self, place: Place) -> u32 {
        self.index(place.seq)
            .wrapping_mul(self.page)
            .wrapping_add(place.offset)
    }

    /// The offset of `at` in its page.
    pub(super) const fn offset(&self, at: u32) -> u32 {
        match at.checked_rem(self.page) {
            Some(offset) => offset,
            None => 0,
        }
    }

    /// The address of `at`, which is counted from the first page.
    pub(super) const fn address(&self, at: u32) -> u32 {
        self.start.wrapping_add(at)
    }

    /// The first and the last number of the pages that hold entries, where the newest is `newest`.
    /// One page is in reserve.
    pub(super) const fn oldest(&self, newest: u32) -> u32 {
        let oldest = newest.saturating_sub(self.pages.saturating_sub(2));
        if oldest == 0 { 1 } else { oldest }
    }
}
