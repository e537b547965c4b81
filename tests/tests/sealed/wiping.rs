//! Nothing secret stays in memory after it was rejected or dropped.

use crate::{SECRET, in_every_suite, ring};
use blake2::{
    Blake2sVarCore,
    digest::block_api::{Block, UpdateCore},
};
use ctu_core::{
    Aead, Buffer, Cache, CacheExt, Error, KeyRing, KeyedAead, Mapping, SealedCache, Sealing,
    SealingKey, Tag, XChaCha20Poly1305, heap::DictCache,
};
use hkdf::Hkdf;
use sha2::Sha256;
use std::{
    cell::RefCell,
    mem::{ManuallyDrop, size_of_val},
};

in_every_suite!(
    a_rejected_plaintext_is_wiped,
    a_retired_key_is_wiped,
    a_key_that_moves_up_when_another_retires_is_wiped,
    a_dropped_ring_is_wiped,
    the_secrets_of_a_cache_are_wiped,
);

thread_local! {
    /// The bytes of each buffer when it was dropped.
    static DROPPED: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer that records its bytes when it is dropped.
#[derive(Clone, Default)]
struct Watched(Vec<u8>);

impl Drop for Watched {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(std::mem::take(&mut self.0)));
    }
}

impl AsRef<[u8]> for Watched {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Watched {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Buffer for Watched {
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Buffer::append(&mut self.0, bytes)
    }

    fn truncate(&mut self, len: usize) {
        Buffer::truncate(&mut self.0, len);
    }
}

fn dropped() -> Vec<Vec<u8>> {
    DROPPED.with_borrow_mut(std::mem::take)
}

const VALUE: &[u8] =
    b"a value that no attacker sees, of more  than a block of any suite: 80 bytes or more";

fn a_rejected_plaintext_is_wiped<X: KeyedAead>() {
    let sealing = Sealing::new(ring::<X>());
    let at = Mapping::<[u8], Watched>::at(&sealing, b"key").unwrap();
    let sealed = sealing.encode(&at, Watched(VALUE.to_vec())).unwrap();
    // The last byte of the tag: all else is as it was.
    let mut forged = sealed.clone();
    let len = forged.0.len();
    forged.0[len - 2] ^= 1;
    dropped();
    assert!(sealing.decode(&at, forged).unwrap().is_none());
    let wiped = dropped();
    assert_eq!(wiped.len(), 1);
    assert_eq!(wiped[0][..VALUE.len()], [0; VALUE.len()]);
    // The control: a value that opens is not wiped.
    drop(sealing.decode(&at, sealed).unwrap());
    assert_eq!(dropped(), [VALUE]);
}

/// A cipher that decrypts before it fails, as hardware may.
struct Careless(Result<bool, Error>);

impl Aead for Careless {
    const SUITE: u8 = 128;
    const NAME: &'static str = "careless";
    type Nonce = [u8; 12];

    fn seal(&self, _: &[u8; 12], _: &[u8], text: &mut [u8]) -> Result<Tag, Error> {
        text.iter_mut().for_each(|byte| *byte ^= 0x55);
        self.0.map(|_| [0; 16])
    }

    fn open(&self, _: &[u8; 12], _: &[u8], text: &mut [u8], _: &Tag) -> Result<bool, Error> {
        text.iter_mut().for_each(|byte| *byte ^= 0x55);
        self.0
    }
}

fn careless(result: Result<bool, Error>) -> Sealing<KeyRing<Careless, 0>> {
    let key = SealingKey::held_by(Careless(result), SECRET).unwrap();
    Sealing::new(KeyRing::with_key(SECRET, 0, key).unwrap())
}

#[test]
fn a_plaintext_that_hardware_leaves_behind_is_wiped() {
    let at = Mapping::<[u8], Watched>::at(&careless(Ok(true)), b"key").unwrap();
    let sealed = careless(Ok(true))
        .encode(&at, Watched(VALUE.to_vec()))
        .unwrap();
    for (result, expected) in [
        (Ok(true), Ok(true)),
        (Ok(false), Ok(false)),
        (Err(Error::Busy), Err(Error::Busy)),
    ] {
        dropped();
        let sealing = careless(result);
        let found = sealing.decode(&at, sealed.clone());
        assert_eq!(found.map(|found| found.is_some()), expected);
        let shown = dropped().concat();
        assert_eq!(
            shown.windows(8).any(|part| part == &VALUE[..8]),
            result == Ok(true)
        );
        // A failure of the hardware is no forgery.
        assert_eq!(sealing.rejected(), usize::from(result == Ok(false)));
    }
    dropped();
    assert!(
        careless(Err(Error::Busy))
            .encode(&at, Watched(VALUE.to_vec()))
            .is_err()
    );
    assert!(
        !dropped()
            .concat()
            .windows(8)
            .any(|part| part == &VALUE[..8])
    );
}

#[test]
fn a_failure_of_the_hardware_reaches_the_caller() {
    let base = RefCell::new(DictCache::<Vec<u8>, Vec<u8>>::new());
    let cache = SealedCache::with_mapping(&base, careless(Ok(true)));
    cache.insert(b"key", VALUE.to_vec()).unwrap();
    let cache = SealedCache::with_mapping(&base, careless(Err(Error::Busy)));
    assert_eq!(cache.get(b"key"), Err(Error::Busy));
    assert_eq!(cache.insert(b"other", VALUE.to_vec()), Err(Error::Busy));
    assert_eq!(base.len(), Ok(1));
}

/// The keys that a ring derives from `secret` for id 0, and for the names, in the form in which they
/// are kept.
fn derived<X: KeyedAead>(secret: &[u8]) -> Vec<Vec<u8>> {
    let derive = |secret: &[u8], info: &[u8], len| {
        let mut key = vec![0; len];
        let hkdf = Hkdf::<Sha256>::new(Some(b"ctu sealed 1"), secret);
        hkdf.expand(info, &mut key).unwrap();
        key
    };
    let names = derive(secret, b"names", 32);
    let context = derive(&names, b"context", 32);
    let mut key = X::Key::default();
    let len = key.as_mut().len();
    vec![
        names,
        keyed(&context),
        derive(secret, &[&b"seal"[..], &[X::SUITE, 0]].concat(), len),
        keyed(&derive(
            secret,
            &[&b"nonce"[..], &[X::SUITE, 0]].concat(),
            32,
        )),
    ]
}

/// The form in which a key of BLAKE2s is kept: the state after the block of the key.
fn keyed(key: &[u8]) -> Vec<u8> {
    let mut state = Blake2sVarCore::new_with_params(&[], &[], 32, 32);
    let mut block = Block::<Blake2sVarCore>::default();
    block[..key.len()].copy_from_slice(key);
    state.update_blocks(&[block]);
    bytes(&state)
}

/// The size of the parts of a secret that the tests look for. It is above the size of any padding:
/// padding keeps bytes of the stack from before, copies that moves leave behind among them.
const PART: usize = 16;

fn shows(memory: &[u8], secrets: &[Vec<u8>]) -> Vec<bool> {
    let shows = |secret: &Vec<u8>| {
        let mut parts = secret.chunks_exact(PART);
        parts.any(|part| memory.windows(PART).any(|window| window == part))
    };
    secrets.iter().map(shows).collect()
}

/// A ring of `N` keys beside the writer that has no slot without a key. The bytes of such a slot
/// are not determined, as those of padding.
fn full_ring<X: KeyedAead, const N: usize>() -> KeyRing<X, N> {
    let mut ring = KeyRing::derived(SECRET, 0, SECRET).unwrap();
    for id in 1..=N {
        ring.add(id.try_into().unwrap(), other_secret(id).as_bytes())
            .unwrap();
    }
    ring
}

fn other_secret(id: usize) -> String {
    format!("secret number {id}, as long.")
}

/// The bytes of `value`, as they are in memory.
fn bytes<T>(value: &T) -> Vec<u8> {
    // SAFETY: only read, as bytes, and all of these types are full of arrays of bytes.
    unsafe { std::slice::from_raw_parts((&raw const *value).cast(), size_of_val(value)) }.to_vec()
}

/// The bytes where a value was, after it was dropped.
fn remains<T>(value: T) -> Vec<u8> {
    let mut value = ManuallyDrop::new(value);
    // SAFETY: it is dropped once, and not used after that but for its bytes.
    unsafe { ManuallyDrop::drop(&mut value) };
    bytes(&*value)
}

fn a_retired_key_is_wiped<X: KeyedAead>() {
    let secrets = derived::<X>(SECRET);
    let mut ring = full_ring::<X, 1>();
    // The names, the key of nonces; that of the cipher may be kept in a form of its own.
    let before = shows(&bytes(&ring), &secrets);
    assert!(before[0] && before[3]);
    ring.write_with(1).unwrap();
    assert_eq!(shows(&bytes(&ring), &secrets), before);
    ring.retire(0).unwrap();
    assert_eq!(shows(&bytes(&ring), &secrets), [true, false, false, false]);
}

fn a_key_that_moves_up_when_another_retires_is_wiped<X: KeyedAead>() {
    let mut ring = full_ring::<X, 3>();
    let nonces = |id: usize| {
        let mut key = vec![0; 32];
        let secret = other_secret(id);
        Hkdf::<Sha256>::new(Some(b"ctu sealed 1"), secret.as_bytes())
            .expand(
                &[&b"nonce"[..], &[X::SUITE, id.try_into().unwrap()]].concat(),
                &mut key,
            )
            .unwrap();
        keyed(&key)
    };
    let secrets = [1, 2, 3].map(nonces);
    assert_eq!(shows(&bytes(&ring), &secrets), [true; 3]);
    for (id, left) in [
        (1, [false, true, true]),
        (3, [false, true, false]),
        (2, [false; 3]),
    ] {
        ring.retire(id).unwrap();
        assert_eq!(shows(&bytes(&ring), &secrets), left);
    }
}

fn a_dropped_ring_is_wiped<X: KeyedAead>() {
    let secrets = derived::<X>(SECRET);
    assert_eq!(shows(&remains(full_ring::<X, 0>()), &secrets), [false; 4]);
    assert_eq!(shows(&remains(full_ring::<X, 1>()), &secrets), [false; 4]);
}

fn the_secrets_of_a_cache_are_wiped<X: KeyedAead>() {
    let secrets = derived::<X>(SECRET);
    let sealing = Sealing::new(full_ring::<X, 1>());
    assert!(shows(&bytes(&sealing), &secrets)[1]);
    assert_eq!(shows(&remains(sealing), &secrets), [false; 4]);
}

#[test]
fn the_default_suite_keeps_its_key_in_the_open_until_then() {
    // So that the tests above can see that it is gone.
    let secrets = derived::<XChaCha20Poly1305>(SECRET);
    assert!(shows(&bytes(&ring::<XChaCha20Poly1305>()), &secrets)[2]);
}

#[test]
fn a_location_is_wiped() {
    let sealing = Sealing::new(ring::<XChaCha20Poly1305>());
    let at = || Mapping::<[u8], Vec<u8>>::at(&sealing, b"key").unwrap();
    let name: Vec<u8> = std::borrow::Borrow::<[u8]>::borrow(&at()).to_vec();
    assert_eq!(shows(&bytes(&at()), std::slice::from_ref(&name)), [true]);
    assert_eq!(shows(&remains(at()), &[name]), [false]);
}
