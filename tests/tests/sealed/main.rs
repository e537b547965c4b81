//! `SealedCache` against an attacker that owns the cache below, and against mistakes of its users.

mod bound;
mod expiry;
mod forgery;
mod misuse;
mod rotation;
mod secrets;
mod vectors;
mod wiping;

use ctu_core::{Cache, KeyRing, KeyedAead, SealedCache, heap::LruCache};
use std::cell::RefCell;

pub(crate) const SECRET: &[u8] = b"sixteen bytes or more...";

/// A cache below that an attacker can read and write.
pub(crate) type Base = RefCell<LruCache<Vec<u8>, Vec<u8>>>;

pub(crate) fn base() -> Base {
    RefCell::new(LruCache::with_capacity(64))
}

pub(crate) fn ring<X: KeyedAead>() -> KeyRing<X, 2> {
    KeyRing::derived(SECRET, 0, SECRET).expect("a secret that is long enough")
}

pub(crate) fn sealed<X: KeyedAead>(base: &Base) -> SealedCache<&Base, KeyRing<X, 2>> {
    SealedCache::with_keys(base, ring())
}

/// The only entry of a base.
pub(crate) fn entry(base: &Base) -> (Vec<u8>, Vec<u8>) {
    let store = base.borrow();
    let mut entries = store.iter();
    let (name, entry) = entries.next().expect("an entry");
    assert!(entries.next().is_none(), "only one");
    (name.clone(), entry.clone())
}

/// Puts `entry` in the place of the only entry.
pub(crate) fn replace(base: &Base, entry: &[u8]) {
    let (name, _) = self::entry(base);
    base.insert_entry(&name, entry.to_vec(), None)
        .expect("room");
}

/// Runs a generic test for every suite.
macro_rules! in_every_suite {
    ($($(#[$attribute:meta])* $test:ident),+ $(,)?) => {$(
        mod $test {
            #[test]
            fn xchacha20_poly1305() {
                super::$test::<ctu_core::XChaCha20Poly1305>();
            }
            #[test]
            fn aes_256_gcm_siv() {
                super::$test::<ctu_core::Aes256GcmSiv>();
            }
            #[test]
            fn ascon_aead128() {
                super::$test::<ctu_core::AsconAead128>();
            }
        }
    )+};
}
pub(crate) use in_every_suite;
