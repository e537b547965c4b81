//! XChaCha20-Poly1305 out of its parts, without a panic.

use crate::{
    error::Error,
    mappings::{
        sealed::{
            aead::{Aead, KeyedAead, Tag},
            hash::{BLOCK, copy},
        },
        secret::Secret,
    },
};
use chacha20::{
    ChaChaCore, R20,
    cipher::{Block, KeyIvInit, StreamCipherCore, array::Array},
    hchacha,
    variants::Ietf,
};
use core::{fmt, slice::from_mut};
use poly1305::{
    Poly1305,
    universal_hash::{KeyInit, UniversalHash},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// XChaCha20-Poly1305, the default suite: RFC 8439 with the nonce of 24 bytes of
/// draft-irtf-cfrg-xchacha-03. Adds 45 bytes to a value.
///
/// The fastest suite without cipher instructions. Its parts come from the crates `chacha20` and
/// `poly1305`; it is put together here because the crate `chacha20poly1305` can panic.
///
/// ```
/// use ctu_core::{XChaCha20Poly1305, Bytes, Cache, CacheExt, LruCache, SealedCache, SpinCache};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
/// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
/// let cache = SealedCache::new(&base, &device_secret())?;
/// cache.insert(b"key", b"value")?;
/// assert_eq!(cache.get(b"key")?.as_deref(), Some(&b"value"[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub struct XChaCha20Poly1305(Secret<32>);

/// ChaCha20 in whole blocks: without the buffer of a stream, which costs stack and copies.
type Stream = ChaChaCore<R20, Ietf>;

impl XChaCha20Poly1305 {
    /// The key stream of `nonce` behind its first block, and the key of the authenticator, which is
    /// the first half of that block. Not inline: its stack is free again for the other steps.
    #[inline(never)]
    fn start(&self, nonce: &[u8; 24], mac_key: &mut Secret<32>) -> Stream {
        let [prefix @ .., n0, n1, n2, n3, n4, n5, n6, n7] = *nonce;
        let mut subkey = hchacha::<R20>(self.0.bytes().into(), &Array(prefix));
        let nonce = Array([0, 0, 0, 0, n0, n1, n2, n3, n4, n5, n6, n7]);
        let mut stream = Stream::new(&subkey, &nonce);
        subkey.zeroize();
        let mut first = Block::<Stream>::default();
        stream.write_keystream_block(&mut first);
        copy(mac_key.bytes_mut(), &first);
        first.zeroize();
        stream
    }
}

/// Applies the key stream to `text`, the end of which may be a part of a block. The stream ends there.
#[inline(never)]
fn apply(stream: &mut Stream, text: &mut [u8]) {
    let (blocks, rest) = Block::<Stream>::slice_as_chunks_mut(text);
    stream.apply_keystream_blocks(blocks);
    if !rest.is_empty() {
        let mut last = Block::<Stream>::default();
        copy(&mut last, rest);
        stream.apply_keystream_blocks(from_mut(&mut last));
        copy(rest, &last);
        last.zeroize();
    }
}

#[inline(never)]
fn tag(key: &Secret<32>, data: &[u8], text: &[u8]) -> Tag {
    let mut mac = Poly1305::new(key.bytes().into());
    mac.update_padded(data);
    mac.update_padded(text);
    let lengths = [data.len() as u64, text.len() as u64].map(u64::to_le_bytes);
    mac.update_padded(lengths.as_flattened());
    mac.finalize().into()
}

impl Aead for XChaCha20Poly1305 {
    const SUITE: u8 = 1;
    const NAME: &'static str = "XChaCha20-Poly1305";
    type Nonce = [u8; 24];

    fn seal(&self, nonce: &[u8; 24], data: &[u8], text: &mut [u8]) -> Result<Tag, Error> {
        let mut mac_key = Secret::new([0; 32]);
        let mut stream = self.start(nonce, &mut mac_key);
        let blocks = text.len() / BLOCK;
        if stream.remaining_blocks().is_some_and(|left| left <= blocks) {
            return Err(Error::Encode("a value longer than its key stream"));
        }
        apply(&mut stream, text);
        Ok(tag(&mac_key, data, text))
    }

    fn open(
        &self,
        nonce: &[u8; 24],
        data: &[u8],
        text: &mut [u8],
        expected: &Tag,
    ) -> Result<bool, Error> {
        let mut mac_key = Secret::new([0; 32]);
        let mut stream = self.start(nonce, &mut mac_key);
        let verified: bool = tag(&mac_key, data, text).ct_eq(expected).into();
        if verified {
            // No longer than a key stream, since it was sealed.
            apply(&mut stream, text);
        }
        Ok(verified)
    }
}

impl KeyedAead for XChaCha20Poly1305 {
    type Key = [u8; 32];

    fn new(key: &[u8; 32]) -> Self {
        Self(Secret::new(*key))
    }
}

impl fmt::Debug for XChaCha20Poly1305 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("XChaCha20Poly1305(..)")
    }
}
