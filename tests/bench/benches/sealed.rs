//! `SealedCache` beside its bare primitives, and beside `EncryptedCache`:
//! `cargo bench -p ctu-bench --bench sealed`.
//!
//! The primitives are the keyed hash of the key and the cipher, for an insert also the keyed hash
//! of the value, on one buffer and without a store.

use aes_gcm_siv::aead::{AeadInOut, KeyInit, Nonce};
use blake2::{
    Blake2sMac256,
    digest::{FixedOutput, Update},
};
use ctu_bench::contest::{Contender, Outcome, contest, table};
use ctu_core::{
    Aes256GcmSiv, AsconAead128, Bytes, Cache, CacheExt, EncryptedCache, KeyRing, KeyedAead,
    LruCache, SealedCache, XChaCha20Poly1305,
};
use std::{cell::RefCell, hint::black_box};

const ROUNDS: usize = 21;
const SECRET: &[u8; 32] = b"thirty-two bytes that none knows";
const KEY: &[u8] = b"the key of a page";

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Blake2sMac256::new(SECRET.into());
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize_fixed().into()
}

/// The beginning of `hash` as the nonce of a cipher.
fn nonce<A: AeadInOut>(hash: &[u8; 32]) -> &Nonce<A> {
    let len = Nonce::<A>::default().len();
    hash[..len].try_into().expect("a nonce of at most 32 bytes")
}

fn suite<X: KeyedAead, A: AeadInOut, const SIZE: usize, const ROOM: usize>(
    bare: &A,
) -> [Outcome; 2] {
    let operations = (4 << 20) / (SIZE + 1024);
    let value = Bytes::<ROOM>::from_slice(&[7; SIZE]).expect("room");
    let store = || RefCell::new(LruCache::<Bytes<16>, Bytes<ROOM>, 8>::new());
    let ring = KeyRing::<X, 0>::derived(SECRET, 0, SECRET).expect("a secret that is long enough");
    let sealed = SealedCache::with_keys(store(), ring);
    let encrypted = EncryptedCache::new(store(), SECRET);
    sealed.insert(KEY, value.clone()).expect("room");
    encrypted.insert(KEY, value.clone()).expect("room");
    assert_eq!(sealed.get(KEY), Ok(Some(value.clone())));
    let data = [5; 43];
    let mut text = value.clone();
    let hashed = hash(&[&data, &value]);
    let tag = bare
        .encrypt_inout_detached(nonce::<A>(&hashed), &data, text.as_mut_slice().into())
        .expect("a short text");
    let ciphertext = text.clone();
    let get = contest(
        &format!("get {SIZE} B, {}", X::NAME),
        operations,
        ROUNDS,
        vec![
            Contender::ours("ctu SealedCache", || {
                (0..operations)
                    .map(|_| {
                        sealed
                            .get(black_box(KEY))
                            .is_ok_and(|found| found.is_some())
                    })
                    .map(u64::from)
                    .sum()
            }),
            Contender::peer("bare primitives", || {
                (0..operations)
                    .map(|_| {
                        black_box(hash(&[black_box(KEY)]));
                        let mut text = black_box(&ciphertext).clone();
                        let text = text.as_mut_slice().into();
                        u64::from(
                            bare.decrypt_inout_detached(nonce::<A>(&hashed), &data, text, &tag)
                                .is_ok(),
                        )
                    })
                    .sum()
            }),
            Contender::peer("ctu EncryptedCache", || {
                (0..operations)
                    .map(|_| {
                        encrypted
                            .get(black_box(KEY))
                            .is_ok_and(|found| found.is_some())
                    })
                    .map(u64::from)
                    .sum()
            }),
        ],
    );
    let insert = contest(
        &format!("insert {SIZE} B, {}", X::NAME),
        operations,
        ROUNDS,
        vec![
            Contender::ours("ctu SealedCache", || {
                (0..operations)
                    .map(|_| sealed.insert(black_box(KEY), value.clone()).is_ok())
                    .map(u64::from)
                    .sum()
            }),
            Contender::peer("bare primitives", || {
                (0..operations)
                    .map(|_| {
                        black_box(hash(&[black_box(KEY)]));
                        let mut text = black_box(&value).clone();
                        let hashed = hash(&[&data, &text]);
                        u64::from(
                            bare.encrypt_inout_detached(
                                nonce::<A>(&hashed),
                                &data,
                                text.as_mut_slice().into(),
                            )
                            .expect("a short text")[0],
                        )
                    })
                    .sum()
            }),
            Contender::peer("ctu EncryptedCache", || {
                (0..operations)
                    .map(|_| encrypted.insert(black_box(KEY), value.clone()).is_ok())
                    .map(u64::from)
                    .sum()
            }),
        ],
    );
    [get, insert]
}

fn main() {
    let mut outcomes = Vec::new();
    let xchacha = chacha20poly1305::XChaCha20Poly1305::new(SECRET.into());
    outcomes.extend(suite::<XChaCha20Poly1305, _, 64, 112>(&xchacha));
    outcomes.extend(suite::<XChaCha20Poly1305, _, 1024, 1072>(&xchacha));
    let siv = aes_gcm_siv::Aes256GcmSiv::new(SECRET.into());
    outcomes.extend(suite::<Aes256GcmSiv, _, 1024, 1072>(&siv));
    let ascon = ascon_aead128::AsconAead128::new(b"sixteen bytes!!!".into());
    outcomes.extend(suite::<AsconAead128, _, 1024, 1072>(&ascon));
    println!("\n{}", table(&outcomes));
}
