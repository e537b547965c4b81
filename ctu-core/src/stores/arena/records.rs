//! Records in an array of bytes: a head of 3 bytes, the key, the value. No order, no keys.

use core::ops::Range;

/// The bytes of a record beside its key and its value: the length of the key, and that of the value.
pub(super) const HEAD: usize = 3;

/// The length of a key in the head of a hole. The other length is the size of the hole.
const HOLE: u8 = u8::MAX;

/// The longest key, in bytes.
pub(super) const MAX_KEY: usize = HOLE as usize - 1;

/// Records without gaps between them. A removed record is a hole until the next compaction.
#[derive(Clone)]
pub(super) struct Records<const BYTES: usize> {
    bytes: [u8; BYTES],
    /// The end of the last record.
    end: u16,
    /// The bytes of the holes.
    holes: u16,
}

impl<const BYTES: usize> Records<BYTES> {
    pub(super) const EMPTY: Self = Self {
        bytes: [0; BYTES],
        end: 0,
        holes: 0,
    };

    /// The bytes of all records, without the holes.
    pub(super) const fn live(&self) -> usize {
        self.end.saturating_sub(self.holes) as usize
    }

    const fn end(&self) -> usize {
        self.end as usize
    }

    pub(super) fn clear(&mut self) {
        (self.end, self.holes) = (0, 0);
    }

    /// The lengths in the head at `at`.
    fn head(&self, at: usize) -> Option<(u8, u16)> {
        let [key_len, v0, v1] = *self.bytes.get(at..)?.first_chunk()?;
        Some((key_len, u16::from_le_bytes([v0, v1])))
    }

    fn set_head(&mut self, at: usize, key_len: u8, len: u16) {
        let [v0, v1] = len.to_le_bytes();
        let head = self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
        if let Some(head) = head {
            *head = [key_len, v0, v1];
        }
    }

    /// Whether a hole is at `at`, and the size of the hole or record there.
    fn hole_and_size(&self, at: usize) -> (bool, usize) {
        match self.head(at) {
            Some((HOLE, size)) => (true, usize::from(size).max(HEAD)),
            Some((key_len, value_len)) => (false, size(key_len.into(), value_len.into())),
            // Out of reach. No loop over records stands still.
            None => (true, BYTES),
        }
    }

    /// The size of the record at `at`.
    pub(super) fn size(&self, at: u16) -> usize {
        self.hole_and_size(at.into()).1
    }

    /// The key and the value of the record at `at`.
    #[inline]
    pub(super) fn entry(&self, at: u16) -> Option<(&[u8], &[u8])> {
        let at = usize::from(at);
        let (key_len, value_len) = self.head(at)?;
        let rest = self.bytes.get(at.wrapping_add(HEAD)..)?;
        let (key, rest) = rest.split_at_checked(key_len.into())?;
        Some((key, rest.get(..value_len.into())?))
    }

    /// The key and the value of the record at `at`, to be changed in place.
    pub(super) fn entry_mut(&mut self, at: u16) -> Option<(&[u8], &mut [u8])> {
        let at = usize::from(at);
        let (key_len, value_len) = self.head(at)?;
        let rest = self.bytes.get_mut(at.wrapping_add(HEAD)..)?;
        let (key, rest) = rest.split_at_mut_checked(key_len.into())?;
        Some((key, rest.get_mut(..value_len.into())?))
    }

    /// Makes a hole of the record at `at`.
    pub(super) fn free(&mut self, at: u16) {
        let size = self.size(at) as u16;
        if at.wrapping_add(size) == self.end {
            self.end = at;
        } else {
            self.set_head(at.into(), HOLE, size);
            self.holes = self.holes.wrapping_add(size);
        }
    }

    /// Whether `size` bytes are free behind the last record.
    pub(super) fn has_room_at_the_end(&self, size: usize) -> bool {
        size <= BYTES.saturating_sub(self.end())
    }

    /// Appends a record. Returns its place, if there is room at the end.
    pub(super) fn append(&mut self, key: &[u8], value: &[u8]) -> Option<u16> {
        let (key_len, value_len) = (key.len().try_into().ok()?, value.len().try_into().ok()?);
        let at = self.end;
        let end = usize::from(at).checked_add(size(key.len(), value.len()))?;
        let record = self.bytes.get_mut(at.into()..end)?;
        let (_, rest) = record.split_at_mut_checked(HEAD)?;
        let (to_key, to_value) = rest.split_at_mut_checked(key.len())?;
        copy(to_key, key);
        copy(to_value, value);
        self.set_head(at.into(), key_len, value_len);
        self.end = end as u16;
        Some(at)
    }

    /// Moves all records together, in front of the free bytes. `moved` gets the places of each run
    /// of records before the move, and the distance by which they are lower after it.
    pub(super) fn compact(&mut self, mut moved: impl FnMut(Range<usize>, usize)) {
        let (mut at, mut to) = (0, 0);
        while at < self.end() {
            let run = self.skip(at, false);
            let shift = run.start.wrapping_sub(to);
            if let Some(part) = self.bytes.get_mut(to..run.end)
                && (1..=part.len()).contains(&shift)
            {
                part.copy_within(shift.., 0);
                moved(run.clone(), shift);
            }
            to = run.end.wrapping_sub(shift);
            at = self.skip(run.end, true).end;
        }
        (self.end, self.holes) = (to as u16, 0);
    }

    /// The records from `at` on, or the holes, up to the first one of the other kind.
    fn skip(&self, at: usize, holes: bool) -> Range<usize> {
        let mut end = at;
        while end < self.end() {
            let (hole, size) = self.hole_and_size(end);
            if hole != holes {
                break;
            }
            end = end.wrapping_add(size);
        }
        at..end
    }

    /// Checks the heads of all records; the error describes the broken invariant.
    #[cfg(any(test, feature = "validate"))]
    pub(super) fn validate(&self) -> Result<(), &'static str> {
        let (mut at, mut holes) = (0, 0);
        while at < self.end() {
            let (hole, size) = self.hole_and_size(at);
            holes += if hole { size } else { 0 };
            at += size;
        }
        if at != self.end() || at > BYTES {
            return Err("the last record does not end at the end");
        }
        if holes != usize::from(self.holes) {
            return Err("the size of the holes is wrong");
        }
        Ok(())
    }
}

/// The size of a record.
pub(super) const fn size(key_len: usize, value_len: usize) -> usize {
    HEAD.saturating_add(key_len).saturating_add(value_len)
}

/// Copies bytes of the same length.
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    // `copy_from_slice` alone has a panic for other lengths.
    if to.len() == from.len() {
        to.copy_from_slice(from);
    }
}
