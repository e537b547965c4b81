use super::{Aes128Cbc, Cipher, Derived, Salsa20, open};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use sha3::{
    Digest, Sha3_256,
    digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update},
};

/// The number of blocks that [`Counting`] hashed, which is its work.
static BLOCKS: AtomicUsize = AtomicUsize::new(0);

/// SHA3-256 that counts its work.
#[derive(Default)]
struct Counting {
    hash: Sha3_256,
    len: usize,
}

impl HashMarker for Counting {}

impl OutputSizeUser for Counting {
    type OutputSize = <Sha3_256 as OutputSizeUser>::OutputSize;
}

impl Update for Counting {
    fn update(&mut self, data: &[u8]) {
        self.len += data.len();
        Update::update(&mut self.hash, data);
    }
}

impl FixedOutput for Counting {
    fn finalize_into(self, out: &mut Output<Self>) {
        // SHA3-256 takes 136 bytes a block, and pads.
        BLOCKS.fetch_add(self.len / 136 + 1, Relaxed);
        FixedOutput::finalize_into(self.hash, out);
    }
}

const CSIZE: usize = 8;

/// `value` as it is stored, and opened with `change` made to its last block but one. Returns the
/// result and the number of blocks hashed.
fn opened<X: Cipher>(value: &[u8], change: impl Fn(&mut [u8])) -> (Option<usize>, usize) {
    let at = Derived::new(b"key", b"sixteen bytes ..", 16);
    let mut bytes = [0; 512];
    let end = CSIZE + value.len() + X::padding(value.len());
    bytes[..CSIZE].copy_from_slice(&Sha3_256::digest(value)[..CSIZE]);
    bytes[CSIZE..CSIZE + value.len()].copy_from_slice(value);
    assert!(X::encrypt(at.bytes(), &mut bytes[CSIZE..end], value.len()));
    change(&mut bytes[..end]);
    BLOCKS.store(0, Relaxed);
    let len = open::<X, Counting>(&at, &mut bytes[..end], CSIZE);
    (len, BLOCKS.load(Relaxed))
}

#[test]
fn bad_padding_costs_the_checksum_as_good_padding_does() {
    // Lengths at which value and padding end in one block of the hash.
    for len in [0, 5, 20, 100, 200, 260] {
        let value = [7; 300].get(..len).unwrap_or_default();
        let (found, expected) = opened::<Aes128Cbc>(value, |_| {});
        assert_eq!(found, Some(len));
        // In CBC the last byte of a block flips that of the next, which here is the padding's; the
        // value before it changes as well.
        if len >= 16 {
            let bad_padding = |bytes: &mut [u8]| {
                let last = bytes.len() - 17;
                bytes[last] ^= 0x80;
            };
            assert_eq!(opened::<Aes128Cbc>(value, bad_padding), (None, expected));
        }
        // The wrong checksum before good padding.
        let bad_checksum = |bytes: &mut [u8]| bytes[0] ^= 1;
        assert_eq!(opened::<Aes128Cbc>(value, bad_checksum), (None, expected));
        assert_eq!(opened::<Salsa20>(value, bad_checksum), (None, expected));
    }
    // Blocks that are cut in two, and nothing but the checksum.
    let at = Derived::new(b"key", b"sixteen bytes ..", 16);
    for len in [CSIZE, CSIZE + 15, CSIZE + 16] {
        BLOCKS.store(0, Relaxed);
        let mut bytes = [0; 64];
        assert_eq!(
            open::<Aes128Cbc, Counting>(&at, &mut bytes[..len], CSIZE),
            None
        );
        assert_eq!(BLOCKS.load(Relaxed), 1);
    }
}
