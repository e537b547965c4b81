//! `EncryptedCache`: the format of CacheToolsUtils byte for byte, and one SHA3 of the key an
//! operation.

use crate::support::{Count, printed};
use crate::vectors::{AES, CHACHA20, SALSA20, Vector};
use core::cell::RefCell;
use ctu_core::{
    Aes128Cbc, Bytes, Cache, CacheExt, ChaCha20, Cipher, EncryptedCache, Encryption, Error, LruCache, Mapping,
    PrefixedCache, Salsa20, Secret, SpinCache,
};

const SECRET: &[u8; 24] = b"sixteen bytes or more...";

/// The longest key, and capacity for a value of 64 bytes with the overhead of encryption.
type Base = SpinCache<LruCache<Bytes<32>, Bytes<112>, 4>>;

fn is<E, const N: usize>(found: Result<Option<Bytes<N>>, E>, value: &[u8]) -> bool {
    found.ok().flatten().as_deref() == Some(value)
}

pub(crate) fn encrypted_value_round_trips() {
    static BASE: Base = Base::new(LruCache::new());
    let vault = EncryptedCache::new(&BASE, SECRET);
    assert_eq!(vault.insert(b"wifi/psk", b"correct horse"), Ok(()));
    assert_eq!(vault.insert(b"", b""), Ok(()));
    assert!(is(vault.get(b"wifi/psk"), b"correct horse"));
    assert!(is(vault.get(b""), b""));
    assert_eq!(vault.get(b"wifi/ssid"), Ok(None));
    assert_eq!(vault.contains(b"wifi/psk"), Ok(true));
    let made = vault.get_or_insert_with(b"wifi/ssid", || b"home");
    assert_eq!(made.as_deref(), Ok(&b"home"[..]));
    assert!(is(vault.pop(b"wifi/ssid"), b"home"));
    assert_eq!((vault.remove(b"wifi/psk"), vault.len()), (Ok(true), Ok(1)));
    // Every key of the inner cache is its own, so `clear` removes all.
    assert_eq!(vault.clear(), Ok(()));
    assert_eq!((BASE.len(), vault.damaged()), (Ok(0), 0));
}

pub(crate) fn stored_key_and_value_are_not_plaintext() {
    let base = Base::new(LruCache::new());
    let vault = EncryptedCache::new(&base, SECRET);
    let (key, value) = (b"a key that is known", b"a value that is known");
    assert_eq!(vault.insert(key, value), Ok(()));
    let clear = base.with(|store| {
        store.iter().any(|(k, v)| {
            k.len() != 16
                || v.len() != value.len()
                || k.windows(4).any(|part| key.windows(4).any(|known| known == part))
                || v.windows(4).any(|part| value.windows(4).any(|known| known == part))
        })
    });
    assert_eq!(clear, Ok(false));
}

fn hex<const N: usize>(text: &str) -> Bytes<N> {
    let digits = text.as_bytes();
    assert!(digits.len() <= 2 * N, "too long for {N} bytes");
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        digit => digit - b'a' + 10,
    };
    let bytes = digits.chunks_exact(2);
    bytes.map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
}

fn is_byte_exact<X: Cipher + Copy>(cipher: X, vectors: &[Vector]) {
    for vector in vectors {
        let base = SpinCache::new(LruCache::<Bytes<32>, Bytes<128>, 1>::new());
        let (key, value) = (hex::<128>(vector.key), hex::<128>(vector.value));
        let secret = hex::<128>(vector.secret);
        let vault = EncryptedCache::try_new(&base, &secret[..])
            .and_then(|vault| vault.hsize(vector.hsize))
            .and_then(|vault| vault.csize(vector.csize))
            .map(|vault| vault.cipher(cipher));
        let Ok(vault) = vault else {
            panic!("the vector's settings are in range")
        };
        assert_eq!(vault.insert_entry(&key, value.clone(), None), Ok(()));
        let stored = base.get(&hex::<32>(vector.stored_key));
        assert!(is(stored, &hex::<128>(vector.stored_value)), "{}", vector.value);
        assert!(is(vault.get(&key), &value));
    }
}

pub(crate) fn salsa20_matches_python() {
    is_byte_exact(Salsa20, SALSA20);
}

pub(crate) fn chacha20_matches_python() {
    is_byte_exact(ChaCha20, CHACHA20);
}

pub(crate) fn aes_matches_python() {
    is_byte_exact(Aes128Cbc, AES);
}

pub(crate) fn every_length_and_setting_round_trips() {
    fn all<X: Cipher + Copy>(cipher: X) {
        let bytes: [u8; 64] = core::array::from_fn(|i| i as u8);
        for (hsize, csize) in [(8, 0), (16, 1), (32, 32)] {
            let base = Base::new(LruCache::new());
            let vault = EncryptedCache::new(&base, SECRET).cipher(cipher);
            let Ok(vault) = vault.hsize(hsize).and_then(|vault| vault.csize(csize)) else {
                panic!("the settings are in range")
            };
            for len in [0, 1, 15, 16, 17, 31, 32, 33, 63, 64] {
                let value = &bytes[..len];
                assert_eq!(vault.insert(b"key", value), Ok(()));
                assert!(is(vault.get(b"key"), value));
            }
            assert_eq!((vault.len(), vault.damaged()), (Ok(1), 0));
        }
    }
    all(Salsa20);
    all(ChaCha20);
    all(Aes128Cbc);
}

/// A secret that counts its reads.
struct Watched<'c>(&'c Count);

impl AsRef<[u8]> for Watched<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0.one();
        SECRET
    }
}

pub(crate) fn each_operation_hashes_its_key_once() {
    // A hash of `key + secret` reads the secret: `at` reads it once an operation. The arguments of
    // `encode` and `decode` hold neither key nor secret.
    let reads = Count::default();
    let base = Base::new(LruCache::new());
    let vault = EncryptedCache::try_new(&base, Watched(&reads)).and_then(|vault| vault.csize(8));
    let Ok(vault) = vault else {
        panic!("the secret is long enough")
    };
    reads.take();
    let once = |operation: &str| assert_eq!(reads.take(), 1, "{operation} hashes its key once");
    assert_eq!(vault.insert(b"key", b"value"), Ok(()));
    once("insert");
    assert!(is(vault.get(b"key"), b"value"));
    once("get");
    assert_eq!(vault.get(b"none"), Ok(None));
    once("get of nothing");
    assert_eq!(vault.contains(b"key"), Ok(true));
    once("contains");
    assert!(vault.get_with_ttl(b"key").is_ok_and(|found| found.is_some()));
    once("get_with_ttl");
    assert!(vault.get_or_insert_with(b"key", || b"new").is_ok());
    once("get_or_insert_with of a hit");
    assert!(vault.get_or_insert_with(b"other", || b"new").is_ok());
    once("get_or_insert_with of a miss");
    assert_eq!(vault.remove(b"other"), Ok(true));
    once("remove");
    assert!(is(vault.pop(b"key"), b"value"));
    once("pop");
    assert_eq!((vault.len(), vault.clear()), (Ok(0), Ok(())));
    assert_eq!(reads.take(), 0);
    // The same for each of the three functions of the mapping.
    let mapping = vault.mapping();
    let Ok(at) = Mapping::<[u8], Bytes<64>>::at(mapping, b"key") else {
        panic!("any key has a place")
    };
    once("at");
    let value = Bytes::<64>::try_from(&b"value"[..]).unwrap_or_default();
    let Ok(encoded) = mapping.encode(&at, value) else {
        panic!("the value fits")
    };
    assert!(is(mapping.decode(&at, encoded), b"value"));
    assert_eq!(reads.take(), 0);
}

pub(crate) fn sizes_out_of_range_are_errors() {
    let refused = |what, got, min, max| Some(Error::OutOfRange { what, got, min, max });
    let encryption = || Encryption::new(SECRET);
    for hsize in [0, 7, 33, 256, usize::MAX] {
        let expected = refused("hsize", hsize, 8, 32);
        assert_eq!(encryption().hsize(hsize).err(), expected);
    }
    for csize in [33, 256 + 8, usize::MAX] {
        let expected = refused("csize", csize, 0, 32);
        assert_eq!(encryption().csize(csize).err(), expected);
    }
    assert!((8..=32).all(|hsize| encryption().hsize(hsize).is_ok()));
    assert!((0..=32).all(|csize| encryption().csize(csize).is_ok()));
}

pub(crate) fn short_secret_is_an_error() {
    let bytes = [7; 16];
    for len in 0..16 {
        let refused = Encryption::try_new(&bytes[..len]).err();
        assert_eq!(refused, Some(Error::SecretTooShort { len, min: 16 }));
    }
    assert!(Encryption::try_new(&bytes[..]).is_ok());
}

/// Changes every value of the base.
fn damage(base: &Base, change: impl Fn(&mut Bytes<112>)) {
    let done = base.with(|store| {
        store.retain(|_, value| {
            change(value);
            true
        });
    });
    assert_eq!(done, Ok(()));
}

pub(crate) fn corrupt_value_is_a_counted_miss() {
    fn one<X: Cipher>(cipher: X) {
        let base = Base::new(LruCache::new());
        let Ok(vault) = EncryptedCache::new(&base, SECRET).csize(8) else {
            panic!("8 is in range")
        };
        let vault = vault.cipher(cipher);
        // In the checksum, at the first byte and at the last byte of the value.
        for at in [0, 8, 20] {
            assert_eq!(vault.insert(b"key", b"thirteen char"), Ok(()));
            damage(&base, |value| value[at] ^= 1);
            let before = vault.damaged();
            assert_eq!((vault.get(b"key"), vault.damaged()), (Ok(None), before + 1));
            assert_eq!(vault.contains(b"key"), Ok(false));
            // A write replaces the stored value.
            assert_eq!(base.len(), Ok(1));
            assert!(vault.get_or_insert_with(b"key", || b"new").is_ok());
            assert!(is(vault.get(b"key"), b"new"));
        }
    }
    one(Salsa20);
    one(ChaCha20);
    one(Aes128Cbc);
}

pub(crate) fn truncated_value_is_corrupt() {
    let base = Base::new(LruCache::new());
    let Ok(vault) = EncryptedCache::new(&base, SECRET).csize(8) else {
        panic!("8 is in range")
    };
    assert_eq!(vault.insert(b"key", b"value"), Ok(()));
    for len in (0..13).rev() {
        damage(&base, |value| value.truncate(len));
        assert_eq!((vault.get(b"key"), vault.damaged()), (Ok(None), 13 - len));
    }
    // Partial blocks do not decrypt, even without a checksum.
    let vault = EncryptedCache::new(&base, SECRET).cipher(Aes128Cbc);
    assert_eq!(vault.insert(b"key", b"value"), Ok(()));
    damage(&base, |value| value.truncate(15));
    assert_eq!((vault.get(b"key"), vault.damaged()), (Ok(None), 1));
    damage(&base, |value| value.truncate(0));
    assert_eq!((vault.get(b"key"), vault.damaged()), (Ok(None), 2));
}

pub(crate) fn other_secret_reads_a_miss() {
    let base = Base::new(LruCache::new());
    let one = EncryptedCache::new(&base, SECRET);
    let other = EncryptedCache::new(&base, b"another secret, as long.");
    assert_eq!(one.insert(b"key", b"value"), Ok(()));
    assert_eq!(other.get(b"key"), Ok(None));
    assert_eq!(other.insert(b"key", b"other"), Ok(()));
    assert!(is(one.get(b"key"), b"value"));
    assert!(is(other.get(b"key"), b"other"));
}

pub(crate) fn encrypted_value_too_long_changes_nothing() {
    fn one<X: Cipher>(cipher: X, longest: usize) {
        let base = RefCell::new(LruCache::<Bytes<16>, Bytes<32>, 2>::new());
        let Ok(vault) = EncryptedCache::new(&base, SECRET).csize(4) else {
            panic!("4 is in range")
        };
        let vault = vault.cipher(cipher);
        let bytes = [7; 32];
        assert_eq!(vault.insert(b"key", &bytes[..longest]), Ok(()));
        let refused = vault.insert(b"key", &bytes[..=longest]);
        assert!(matches!(refused, Err(Error::ValueTooLong { max: 32, .. })));
        let refused = vault.insert(b"new", &bytes);
        assert!(matches!(refused, Err(Error::ValueTooLong { max: 32, .. })));
        assert!(is(vault.get(b"key"), &bytes[..longest]));
        assert_eq!((vault.len(), vault.damaged()), (Ok(1), 0));
    }
    one(Salsa20, 28);
    one(ChaCha20, 28);
    // 27 bytes become two blocks of 16, which with the checksum is more than 32; 15 become one.
    one(Aes128Cbc, 15);

    // Hashes longer than the base's keys: an error too, and nothing stored.
    let base = RefCell::new(LruCache::<Bytes<16>, Bytes<32>, 2>::new());
    let Ok(vault) = EncryptedCache::new(&base, SECRET).hsize(32) else {
        panic!("32 is in range")
    };
    let refused = Err(Error::KeyTooLong { len: 32, max: 16 });
    assert_eq!(vault.insert(b"key", b"value"), refused);
    assert_eq!(vault.len(), Ok(0));
}

pub(crate) fn secrets_are_not_printed() {
    let secret = Secret::new(*SECRET);
    assert_eq!(printed(&secret), "Secret(..)");
    let vault = EncryptedCache::new(Base::new(LruCache::new()), SECRET);
    let at = Mapping::<[u8], Bytes<64>>::at(vault.mapping(), b"key");
    for text in [printed(&vault), printed(vault.mapping()), printed(&at)] {
        assert!(!text.contains("sixteen"));
        // Nor as numbers, the debug form of bytes: "si" is 115, 105.
        assert!(!text.contains("115, 105"));
    }
}

pub(crate) fn encryption_composes_with_prefixes_and_references() {
    static BASE: SpinCache<LruCache<Bytes<20>, Bytes<64>, 4>> = SpinCache::new(LruCache::new());
    let vault = EncryptedCache::new(PrefixedCache::new(&BASE, b"cfg."), SECRET);
    assert_eq!(vault.insert(b"wifi/psk", b"correct horse"), Ok(()));
    let shared = &vault;
    assert!(is(shared.get(b"wifi/psk"), b"correct horse"));
    let prefixed = BASE.with(|store| store.iter().all(|(key, _)| key.starts_with(b"cfg.")));
    assert_eq!(prefixed, Ok(true));
    assert_eq!(BASE.insert(b"other", b"1"), Ok(()));
    // The inner prefix separates the entries.
    assert_eq!((vault.clear(), BASE.len()), (Ok(()), Ok(1)));
    assert_eq!(BASE.clear(), Ok(()));
}
