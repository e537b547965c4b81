//! The reads whose values were large at the last time.

use super::super::LARGE;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The number of reads that are remembered, at most. A power of two.
const PLACES: usize = 1024;
/// A request of so many bytes reads many keys: its reply counts as large at the first time.
const LONG_REQUEST: usize = 16 << 10;
/// The bytes of a request that count for its hash.
const PREFIX: usize = 256;

/// The reads whose values were large at the last time, each by a hash of its request. A hash may belong to
/// two requests: that costs time, and no reply depends on it.
pub(super) struct LargeReads(Box<[AtomicU32; PLACES]>);

/// A request in the table.
#[derive(Clone, Copy)]
pub(super) struct ReadId(u64);

impl ReadId {
    pub(super) fn of(request: &[u8]) -> Self {
        let prefix = &request[..request.len().min(PREFIX)];
        let mix = |hash: u64, word: u64| {
            let mixed = u128::from(hash ^ word) * 0x9E37_79B9_7F4A_7C15;
            (mixed >> 64) as u64 ^ mixed as u64
        };
        let (words, rest) = prefix.as_chunks();
        let words = words.iter().map(|word| u64::from_le_bytes(*word));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let hash = words.fold(request.len() as u64, mix);
        Self(mix(hash, u64::from_le_bytes(last)))
    }

    fn place(self) -> usize {
        self.0 as usize % PLACES
    }

    /// Never 0.
    fn tag(self) -> u32 {
        (self.0 >> 32) as u32 | 1
    }
}

impl LargeReads {
    pub(super) fn new() -> Self {
        Self(Box::new([const { AtomicU32::new(0) }; PLACES]))
    }

    /// Whether the reply to `request` is expected to be large.
    pub(super) fn expects(&self, id: ReadId, request: &[u8]) -> bool {
        request.len() >= LONG_REQUEST || self.0[id.place()].load(Relaxed) == id.tag()
    }

    /// Takes in the bytes of the values that a request read.
    pub(super) fn note(&self, id: ReadId, size: usize) {
        let (place, tag) = (&self.0[id.place()], id.tag());
        let known = place.load(Relaxed) == tag;
        let large = size >= LARGE;
        // A write of a shared cache line slows down other processors.
        if large != known {
            place.store(if large { tag } else { 0 }, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_size_of_a_value_decides() {
        let reads = LargeReads::new();
        let (one, other) = (b"GET one", b"GET other");
        let [a, b] = [ReadId::of(one), ReadId::of(other)];
        assert!(!reads.expects(a, one));
        reads.note(a, LARGE);
        assert!(reads.expects(a, one) && !reads.expects(b, other));
        reads.note(b, LARGE - 1);
        assert!(reads.expects(a, one));
        reads.note(a, 0);
        assert!(!reads.expects(a, one));
        let many = vec![b'x'; LONG_REQUEST];
        assert!(reads.expects(ReadId::of(&many), &many));
    }

    #[test]
    fn requests_have_hashes_of_their_own() {
        let mut ids: Vec<u64> = Vec::new();
        for n in 0..1000_u32 {
            let request = format!("*2\r\n$3\r\nGET\r\n$4\r\n{n:04}\r\n");
            ids.push(ReadId::of(request.as_bytes()).0);
            ids.push(ReadId::of(&request.as_bytes()[..n as usize % 9]).0);
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1009);
    }
}
