//! The head of a page: its number in time, the schema, and a count of erases.

use super::{
    checksum::Checksum,
    layout::{Chunk, Layout},
};

const MAGIC: [u8; 4] = *b"ctF1";

/// The first number of a page, and the last. The last is out of reach: 32 bits outlive any flash.
const NUMBERS: core::ops::Range<u32> = 1..u32::MAX - 0xFFFF;

#[derive(Clone, Copy)]
pub(super) struct Head {
    /// The number of the page in time: 1 for the first page ever, one more for each page since.
    pub(super) seq: u32,
    /// The number of erases of all pages until this page was begun.
    pub(super) erases: u32,
}

impl Head {
    /// The number of the page after page `seq`.
    pub(super) fn number_after(seq: u32) -> Option<u32> {
        let next = seq.checked_add(1)?;
        NUMBERS.contains(&next).then_some(next)
    }

    pub(super) fn bytes(self, layout: &Layout) -> Chunk {
        let fields = [
            MAGIC,
            self.seq.to_le_bytes(),
            layout.schema.to_le_bytes(),
            self.erases.to_le_bytes(),
            layout.pages.to_le_bytes(),
            layout.page.to_le_bytes(),
            layout.round(1).to_le_bytes(),
        ];
        let mut checksum = Checksum::new();
        checksum.update(fields.as_flattened());
        let checksum = checksum.bytes();
        let mut bytes = [0; 32];
        let all = fields.as_flattened().iter().chain(&checksum);
        bytes.iter_mut().zip(all).for_each(|(to, from)| *to = *from);
        bytes
    }

    /// The mark of the page once its entries are complete: the head with half of its bits inverted.
    /// An erase that power cut off may leave a head, and zeros, ones or anything behind it.
    pub(super) fn mark(self, layout: &Layout) -> Chunk {
        self.bytes(layout).map(|byte| byte ^ 0xA5)
    }

    /// Whether `mark` is the mark of this page, a few bits of which may be damaged.
    pub(super) fn is_complete(self, layout: &Layout, mark: &Chunk) -> bool {
        let expected = self.mark(layout);
        let wrong = mark
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a ^ b).count_ones());
        wrong.fold(0u32, u32::wrapping_add) <= 8
    }

    /// Reads the head of the page at `index`. `None` for anything but a page of this layout.
    pub(super) fn parse(layout: &Layout, index: u32, bytes: &Chunk) -> Option<Self> {
        let word = |at| {
            let word = bytes.as_chunks().0.get(at)?;
            Some(u32::from_le_bytes(*word))
        };
        let head = Self {
            seq: word(1)?,
            erases: word(3)?,
        };
        let valid = NUMBERS.contains(&head.seq)
            && layout.index(head.seq) == index
            && head.bytes(layout) == *bytes;
        valid.then_some(head)
    }
}
