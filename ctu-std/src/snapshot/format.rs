//! The format of a snapshot.
//!
//! | part | bytes |
//! | --- | --- |
//! | header | `CTUSNAP`, version (1), schema (4), time of the save (8), checksum (4) |
//! | block, any number | length of the entries (4, not 0), entries, checksum (4) |
//! | end | 0 (4), number of entries (8), checksum (4) |
//!
//! Numbers are little-endian. A checksum is the CRC-32 of the number of its part, of the length and
//! of the content, so that lost and exchanged blocks are found. An entry is, in postcard: its
//! remaining time in milliseconds plus 1, or 0 for no limit; its uses; its key; its value.

use super::{Saved, SnapshotError};
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{Read, Write},
    time::Duration,
};

const MAGIC: &[u8; 7] = b"CTUSNAP";
const VERSION: u8 = 1;
const CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
/// A block is written once it has so many bytes.
const BLOCK: usize = 256 << 10;

pub(super) struct Header {
    pub(super) schema: u32,
    /// Milliseconds since 1970.
    pub(super) saved_at: u64,
}

fn checksum(part: u64, length: u32, content: &[u8]) -> [u8; 4] {
    let mut digest = CRC.digest();
    digest.update(&part.to_le_bytes());
    digest.update(&length.to_le_bytes());
    digest.update(content);
    digest.finalize().to_le_bytes()
}

impl Header {
    fn content(&self) -> [u8; 12] {
        let mut content = [0; 12];
        content[..4].copy_from_slice(&self.schema.to_le_bytes());
        content[4..].copy_from_slice(&self.saved_at.to_le_bytes());
        content
    }
}

pub(super) struct Writer<W> {
    to: W,
    block: Vec<u8>,
    /// The number of the next part.
    part: u64,
    entries: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(mut to: W, header: Header) -> Result<Self, SnapshotError> {
        let content = header.content();
        to.write_all(MAGIC)?;
        to.write_all(&[VERSION])?;
        to.write_all(&content)?;
        to.write_all(&checksum(0, VERSION.into(), &content))?;
        Ok(Self {
            to,
            block: Vec::with_capacity(BLOCK + BLOCK / 8),
            part: 1,
            entries: 0,
        })
    }

    pub(super) fn entry<K: Serialize, V: Serialize>(
        &mut self,
        entry: &Saved<&K, &V>,
    ) -> Result<(), SnapshotError> {
        let left = entry.remaining.map_or(0, |left| {
            let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            millis.saturating_add(1)
        });
        let block = std::mem::take(&mut self.block);
        let before = block.len();
        let fields = (left, entry.uses, entry.key, entry.value);
        // After an error nothing more is written.
        self.block = postcard::to_extend(&fields, block)
            .map_err(|error| SnapshotError::Encode(error.to_string()))?;
        if u32::try_from(self.block.len() - before).is_err() {
            return Err(SnapshotError::Encode("an entry of over 4 GiB".into()));
        }
        self.entries += 1;
        match self.block.len() >= BLOCK {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), SnapshotError> {
        // Less than a block, and one entry, which is not over 4 GiB, come together.
        let length = u32::try_from(self.block.len())
            .map_err(|_| SnapshotError::Encode("an entry of over 4 GiB".into()))?;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(&self.block)?;
        self.to
            .write_all(&checksum(self.part, length, &self.block))?;
        self.block.clear();
        self.part += 1;
        Ok(())
    }

    /// Writes the end, and returns the number of entries.
    pub(super) fn finish(mut self) -> Result<u64, SnapshotError> {
        if !self.block.is_empty() {
            self.flush()?;
        }
        let content = self.entries.to_le_bytes();
        self.to.write_all(&0_u32.to_le_bytes())?;
        self.to.write_all(&content)?;
        self.to.write_all(&checksum(self.part, 0, &content))?;
        self.to.flush()?;
        Ok(self.entries)
    }
}

pub(super) struct Reader<R> {
    from: R,
    part: u64,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(mut from: R) -> Result<(Header, Self), SnapshotError> {
        let (mut magic, mut version) = ([0; MAGIC.len()], [0]);
        let begun = from.read_exact(&mut magic);
        begun.map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => SnapshotError::NotASnapshot,
            _ => error.into(),
        })?;
        if &magic != MAGIC {
            return Err(SnapshotError::NotASnapshot);
        }
        from.read_exact(&mut version)?;
        if version != [VERSION] {
            return Err(SnapshotError::Version {
                found: version[0],
                supported: VERSION,
            });
        }
        let (mut schema, mut saved_at) = ([0; 4], [0; 8]);
        from.read_exact(&mut schema)?;
        from.read_exact(&mut saved_at)?;
        let header = Header {
            schema: u32::from_le_bytes(schema),
            saved_at: u64::from_le_bytes(saved_at),
        };
        let mut reader = Self { from, part: 0 };
        reader.check(VERSION.into(), &header.content(), "its header")?;
        Ok((header, reader))
    }

    /// Reads the checksum of a part, and compares it.
    fn check(
        &mut self,
        length: u32,
        content: &[u8],
        place: &'static str,
    ) -> Result<(), SnapshotError> {
        let mut found = [0; 4];
        self.from.read_exact(&mut found)?;
        if found != checksum(self.part, length, content) {
            return Err(SnapshotError::Damaged(place));
        }
        self.part += 1;
        Ok(())
    }

    /// Reads all entries.
    pub(super) fn entries<K: DeserializeOwned, V: DeserializeOwned>(
        &mut self,
        entries: &mut Vec<Saved<K, V>>,
    ) -> Result<(), SnapshotError> {
        let mut block = Vec::new();
        loop {
            let mut length = [0; 4];
            self.from.read_exact(&mut length)?;
            let length = u32::from_le_bytes(length);
            block.clear();
            // A damaged length takes no more memory than there are bytes.
            let bytes = if length == 0 { 8 } else { u64::from(length) };
            let read = self.from.by_ref().take(bytes).read_to_end(&mut block)?;
            if read as u64 != bytes {
                return Err(SnapshotError::Damaged("it ends early"));
            }
            self.check(length, &block, "its entries")?;
            if length == 0 {
                let count = block.as_slice().try_into().map_or(0, u64::from_le_bytes);
                return match count == entries.len() as u64 {
                    true => Ok(()),
                    false => Err(SnapshotError::Damaged("its number of entries")),
                };
            }
            let mut rest = &block[..];
            while !rest.is_empty() {
                let ((left, uses, key, value), after): ((u64, u8, K, V), _) =
                    postcard::take_from_bytes(rest)
                        .map_err(|error| SnapshotError::Decode(error.to_string()))?;
                rest = after;
                entries.push(Saved {
                    key,
                    value,
                    remaining: left.checked_sub(1).map(Duration::from_millis),
                    uses,
                });
            }
        }
    }
}
