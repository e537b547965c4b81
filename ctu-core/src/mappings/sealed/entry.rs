//! The form of an entry: `ciphertext | expiry | nonce | tag | key id`, and the data bound to it.

use super::{
    aead::{Aead, Tag},
    hash::{BLOCK, KeyedHash, copy},
    name::Location,
};
use crate::wall_clock::Expiry;

/// The bytes after the ciphertext.
pub(super) struct Trailer<N> {
    pub(super) expiry: Expiry,
    pub(super) nonce: N,
    pub(super) tag: Tag,
    pub(super) id: u8,
}

/// The bytes that a suite adds to a value.
pub(super) const fn overhead<X: Aead>() -> usize {
    assert!(size_of::<X::Nonce>() <= 24, "a nonce has at most 24 bytes");
    assert!(
        X::STORED_NONCE <= size_of::<X::Nonce>(),
        "an entry stores the nonce at most"
    );
    4 + X::STORED_NONCE + 16 + 1
}

/// No suite adds more.
pub(super) const MAX_OVERHEAD: usize = 4 + 24 + 16 + 1;

impl<N: AsRef<[u8]> + AsMut<[u8]> + Default> Trailer<N> {
    /// The trailer of an entry that is too short to have one.
    pub(super) fn none() -> Self {
        Self {
            expiry: Expiry::NEVER,
            nonce: N::default(),
            tag: Tag::default(),
            id: 0,
        }
    }

    /// Reads the last bytes of an entry. The bytes of the nonce that are not there come from
    /// `location`.
    pub(super) fn read<X: Aead<Nonce = N>>(bytes: &[u8], location: &Location) -> Option<Self> {
        let (expiry, rest) = bytes.split_first_chunk()?;
        let (id, rest) = rest.split_last()?;
        let (stored, tag) = rest.split_last_chunk()?;
        let mut nonce = N::default();
        copy(nonce.as_mut(), stored);
        complete::<X>(&mut nonce, location);
        Some(Self {
            expiry: Expiry::from_le_bytes(*expiry),
            nonce,
            tag: *tag,
            id: *id,
        })
    }

    /// Writes the last bytes of an entry.
    pub(super) fn write(&self, bytes: &mut [u8]) -> Option<()> {
        let (expiry, rest) = bytes.split_first_chunk_mut()?;
        let (id, rest) = rest.split_last_mut()?;
        let (stored, tag) = rest.split_last_chunk_mut()?;
        *expiry = self.expiry.to_le_bytes();
        copy(stored, self.nonce.as_ref());
        *tag = self.tag;
        *id = self.id;
        Some(())
    }
}

/// Fills the bytes of a nonce that an entry does not store.
fn complete<X: Aead>(nonce: &mut X::Nonce, location: &Location) {
    if let Some(rest) = nonce.as_mut().get_mut(X::STORED_NONCE..) {
        copy(rest, &location.0);
    }
}

/// The data that the tag covers beside the ciphertext.
#[derive(Clone, Copy)]
pub(super) struct Bound([u8; 43]);

/// The form of entries, the first byte of the data.
const FORM: u8 = 1;

impl Bound {
    pub(super) fn new<X: Aead>(location: &Location, id: u8, epoch: u32, expiry: Expiry) -> Self {
        let mut data = [0; 43];
        let (head, rest) = data.split_at_mut(11);
        let [e0, e1, e2, e3] = epoch.to_le_bytes();
        let [x0, x1, x2, x3] = expiry.to_le_bytes();
        copy(head, &[FORM, X::SUITE, id, e0, e1, e2, e3, x0, x1, x2, x3]);
        copy(rest, &location.0);
        Self(data)
    }

    /// Data that no entry was ever sealed with, so that an entry which is refused takes the way of
    /// a forged one, in the same time.
    pub(super) fn refuse_unless(&mut self, acceptable: bool) {
        self.0[0] = u8::from(acceptable) * FORM;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The nonce for `text`: a keyed hash of all that is bound, `salt`, and `text`.
    ///
    /// Two texts, or one text with other data, never share a nonce but by a collision of the hash.
    pub(super) fn nonce<X: Aead>(
        &self,
        key: &KeyedHash,
        salt: [u8; 16],
        text: &[u8],
        location: &Location,
    ) -> X::Nonce {
        let mut head = [0; BLOCK];
        let (bound, rest) = head.split_at_mut(43);
        copy(bound, &self.0);
        let (salted, length) = rest.split_at_mut(16);
        copy(salted, &salt);
        // Five bytes of the length tell all lengths below 1 TiB, which no value reaches.
        copy(length, &(text.len() as u64).to_le_bytes());
        let hash = key.of(&head, text);
        let mut nonce = X::Nonce::default();
        copy(nonce.as_mut(), &hash);
        complete::<X>(&mut nonce, location);
        nonce
    }
}
