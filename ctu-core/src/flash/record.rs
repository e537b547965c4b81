//! A record: a head of 16 bytes, the key, the value, and padding to a full word.

use super::{
    checksum::Checksum,
    layout::{Chunk, Layout, Place},
};
use crate::wall_clock::Expiry;

/// The longest key, in bytes.
pub(super) const MAX_KEY: usize = u8::MAX as usize;

/// The bytes of the head.
pub(super) const HEAD: u32 = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// A key and its value.
    Entry = 0xC1,
    /// A key without an entry from here on.
    Removal = 0xC2,
    /// No entry before this record counts.
    Clear = 0xC3,
}

/// The head of a record.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) key_len: u8,
    pub(super) value_len: u16,
    pub(super) expiry: Expiry,
    /// The checksum of the place, the fields above, the key and the value.
    pub(super) body: u32,
}

impl Record {
    /// The size without padding.
    pub(super) fn size(&self) -> u32 {
        HEAD + u32::from(self.key_len) + u32::from(self.value_len)
    }

    /// The size in full words.
    pub(super) fn len(&self, layout: &Layout) -> u32 {
        layout.round(self.size())
    }

    fn fields(&self) -> [u8; 8] {
        let [v0, v1] = self.value_len.to_le_bytes();
        let [e0, e1, e2, e3] = self.expiry.to_le_bytes();
        [self.kind as u8, self.key_len, v0, v1, e0, e1, e2, e3]
    }

    /// A checksum that has covered the place and the fields. Bytes of another place, or of another
    /// life of the same page, thus never pass for a record.
    pub(super) fn checksum(&self, place: Place) -> Checksum {
        let mut checksum = Checksum::new();
        checksum.update(&place.seq.to_le_bytes());
        checksum.update(&place.offset.to_le_bytes());
        checksum.update(&self.fields());
        checksum
    }

    /// The head at `place`.
    pub(super) fn head(&self, place: Place) -> [u8; HEAD as usize] {
        let body = self.body.to_le_bytes();
        let mut checksum = self.checksum(place);
        checksum.update(&body);
        let [f0, f1, f2, f3, f4, f5, f6, f7] = self.fields();
        let [b0, b1, b2, b3] = body;
        let [c0, c1, c2, c3] = checksum.bytes();
        [
            f0, f1, f2, f3, f4, f5, f6, f7, b0, b1, b2, b3, c0, c1, c2, c3,
        ]
    }

    /// Reads the head at `place`. `None` for anything but the head of a record of this place that
    /// fits its page.
    pub(super) fn parse(layout: &Layout, place: Place, bytes: &Chunk) -> Option<Self> {
        let head: &[u8; HEAD as usize] = bytes.first_chunk()?;
        let [kind, key_len, v0, v1, e0, e1, e2, e3, b0, b1, b2, b3, ..] = *head;
        let record = Self {
            kind: match kind {
                0xC1 => Kind::Entry,
                0xC2 => Kind::Removal,
                0xC3 => Kind::Clear,
                _ => return None,
            },
            key_len,
            value_len: u16::from_le_bytes([v0, v1]),
            expiry: Expiry::from_le_bytes([e0, e1, e2, e3]),
            body: u32::from_le_bytes([b0, b1, b2, b3]),
        };
        let end = place.offset.checked_add(record.len(layout))?;
        (record.head(place) == *head && end <= layout.page).then_some(record)
    }
}
