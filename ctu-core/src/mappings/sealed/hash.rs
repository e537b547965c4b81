//! The keyed hash that names and nonces come from, and the derivation of keys.

use blake2::{
    Blake2sVarCore,
    digest::{
        Output,
        block_api::{Block, Buffer, UpdateCore, VariableOutputCore},
    },
};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroize;

/// The bytes that BLAKE2s hashes at once.
pub(super) const BLOCK: usize = 64;

/// BLAKE2s-256 with a key of 32 bytes: the state after the block of the key, which every hash shares.
///
/// Wiped when it is dropped.
pub(super) struct KeyedHash(Blake2sVarCore);

impl KeyedHash {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let mut state = Blake2sVarCore::new_with_params(&[], &[], key.len(), key.len());
        let mut block = Block::<Blake2sVarCore>::default();
        copy(&mut block, key);
        state.update_blocks(core::slice::from_ref(&block));
        block.zeroize();
        Self(state)
    }

    /// The hash of `head` and `tail`, the end padded with zeros to a full block.
    ///
    /// `head` must tell the length of `tail`, or two inputs are one. In full blocks only, since with
    /// other lengths the hash has a panic that the compiler cannot rule out.
    #[inline(never)]
    pub(super) fn of(&self, head: &[u8; BLOCK], tail: &[u8]) -> [u8; 32] {
        let mut state = self.0.clone();
        let mut update = |block: &[u8; BLOCK]| {
            let block: &Block<Blake2sVarCore> = block.into();
            state.update_blocks(core::slice::from_ref(block));
        };
        let (blocks, rest) = tail.as_chunks();
        let mut last = head;
        for block in blocks {
            update(last);
            last = block;
        }
        let mut padded = [0; BLOCK];
        if !rest.is_empty() {
            update(last);
            copy(&mut padded, rest);
            last = &padded;
        }
        let mut hash = Output::<Blake2sVarCore>::default();
        state.finalize_variable_core(&mut Buffer::<Blake2sVarCore>::new(last), &mut hash);
        if !rest.is_empty() {
            padded.zeroize();
        }
        hash.into()
    }
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
