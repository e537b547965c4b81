//! The checksum of everything in flash: CRC-32C. It finds torn and damaged bytes, not forgeries.

use crc::{CRC_32_ISCSI, Crc, Digest, Table};

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

pub(super) struct Checksum(Digest<'static, u32, Table<1>>);

impl Checksum {
    pub(super) fn new() -> Self {
        Self(CRC.digest())
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn value(self) -> u32 {
        self.0.finalize()
    }

    pub(super) fn bytes(self) -> [u8; 4] {
        self.value().to_le_bytes()
    }
}

/// The hash of a key for the index in RAM.
#[inline(never)]
pub(super) fn hash(key: &[u8]) -> u32 {
    let mut hash = Checksum::new();
    hash.update(key);
    hash.value()
}
