//! Instructions of encryption, beside those of its parts.

use crate::{KEY, SECRET, average};
use core::cell::RefCell;
use core::hint::black_box;
use ctu_core::{Bytes, Cache, CacheExt, EncryptedCache, LruCache};
use sha3::Digest;

type Base = RefCell<LruCache<Bytes<16>, Bytes<64>, 16>>;

pub(crate) fn encrypted() {
    let base = Base::new(LruCache::new());
    let vault = EncryptedCache::new(&base, SECRET);
    let value = [7u8; 64];
    for i in 0..16u8 {
        black_box(base.insert(&[i; 16], &value).is_ok());
    }
    black_box(vault.insert(KEY, &value).is_ok());

    let subject = "parts of the next: SHA3-512, Salsa20, the store";
    let primitives = |buffer: &mut [u8]| {
        use salsa20::cipher::{KeyIvInit, StreamCipher};
        let hash: [u8; 64] = sha3::Sha3_512::new()
            .chain_update(black_box(KEY))
            .chain_update(black_box(SECRET))
            .finalize()
            .into();
        let mut key = [0; 32];
        let mut nonce = [0; 8];
        let mut place = [0; 16];
        for (to, from) in key.iter_mut().zip(&hash[32..]) {
            *to = *from;
        }
        for (to, from) in nonce.iter_mut().zip(&hash[24..]) {
            *to = *from;
        }
        place.copy_from_slice(&hash[..16]);
        let mut cipher = salsa20::Salsa20::new(&key.into(), &nonce.into());
        black_box(cipher.try_apply_keystream(buffer).is_ok());
        place
    };
    average(subject, "get", 16, |_| {
        let mut buffer = value;
        let place = primitives(&mut buffer);
        black_box(&buffer);
        black_box(base.get(&place).is_ok());
    });
    average(subject, "insert", 16, |_| {
        let mut buffer = value;
        let place = primitives(&mut buffer);
        black_box(base.insert(&place, black_box(&buffer)).is_ok());
    });
    let subject = "EncryptedCache<&RefCell<LruCache<Bytes<16>, Bytes<64>, 16>>>";
    average(subject, "get", 16, |_| {
        black_box(vault.get(black_box(KEY)).is_ok());
    });
    average(subject, "insert", 16, |_| {
        black_box(vault.insert(black_box(KEY), black_box(&value)).is_ok());
    });
    // Key and secret no longer fit the first block of the hash.
    let (subject, long) = ("the same, a key of 40 bytes", &[7u8; 40]);
    black_box(vault.insert(long, &value).is_ok());
    average(subject, "get", 16, |_| {
        black_box(vault.get(black_box(long)).is_ok());
    });
    average(subject, "insert", 16, |_| {
        black_box(vault.insert(black_box(long), black_box(&value)).is_ok());
    });
    let base = RefCell::new(LruCache::<Bytes<16>, Bytes<80>, 16>::new());
    let Ok(vault) = EncryptedCache::new(&base, SECRET).csize(16) else {
        return;
    };
    black_box(vault.insert(KEY, &value).is_ok());
    let subject = "the same, csize 16";
    average(subject, "get", 16, |_| {
        black_box(vault.get(black_box(KEY)).is_ok());
    });
    average(subject, "insert", 16, |_| {
        black_box(vault.insert(black_box(KEY), black_box(&value)).is_ok());
    });
}
