//! The keyed hash that names and nonces come from, and the derivation of keys.

use blake2::{
    Blake2sMac256,
    digest::{FixedOutput, KeyInit, Update},
};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroize;

/// The bytes that BLAKE2s hashes at once.
pub(super) const BLOCK: usize = 64;

/// BLAKE2s-256 with `key` over `head` and `tail`, the end padded with zeros to a full block.
///
/// `head` must tell the length of `tail`, or two inputs are one. In full blocks only, since with
/// other lengths the hash has a panic that the compiler cannot rule out.
#[inline]
pub(super) fn keyed(key: &[u8; 32], head: &[u8; BLOCK], tail: &[u8]) -> [u8; 32] {
    let mut hash = Blake2sMac256::new(key.into());
    hash.update(head);
    let (blocks, rest) = tail.as_chunks::<BLOCK>();
    blocks.iter().for_each(|block| hash.update(block));
    if !rest.is_empty() {
        let mut last = [0; BLOCK];
        copy(&mut last, rest);
        hash.update(&last);
        last.zeroize();
    }
    hash.finalize_fixed().into()
}

/// Copies `from` to the beginning of `to`, as far as both go.
#[inline]
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// HKDF-SHA256 (RFC 5869) of `secret` for the purpose `info`, into `key`; a shorter key is its
/// beginning. The crate has a panic that the compiler rules out only for a constant length.
#[inline]
pub(super) fn derive(secret: &[u8], info: &[&[u8]], key: &mut [u8; 32]) {
    // Fails only for more than 8,160 bytes.
    let _ = Hkdf::<Sha256>::new(Some(b"ctu sealed 1"), secret).expand_multi_info(info, key);
}
