//! A dropped secret is wiped from memory.

use ctu_core::{Encryption, Mapping, Secret};
use std::mem::{ManuallyDrop, size_of_val};

/// The bytes where a value was, after it was dropped.
fn remains<T>(value: T) -> Vec<u8> {
    let mut value = ManuallyDrop::new(value);
    let size = size_of_val::<T>(&value);
    // SAFETY: it is dropped once, and its own memory is only read as bytes after that.
    unsafe {
        ManuallyDrop::drop(&mut value);
        std::slice::from_raw_parts((&raw const *value).cast::<u8>(), size).to_vec()
    }
}

#[test]
fn secret_is_wiped_on_drop() {
    assert_eq!(remains(Secret::new(*b"sixteen bytes!!!")), [0; 16]);
}

#[test]
fn secret_of_a_cache_is_wiped_on_drop() {
    let secret = b"thirty-two bytes that none knows";
    let left = remains(Encryption::new(secret));
    assert!(
        !left
            .windows(4)
            .any(|part| secret.windows(4).any(|known| known == part))
    );
}

#[test]
fn derived_key_material_is_wiped() {
    let encryption = Encryption::new(b"thirty-two bytes that none knows");
    let derive = || Mapping::<[u8], Vec<u8>>::at(&encryption, b"key").unwrap();
    let derived = derive();
    let at: &[u8] = std::borrow::Borrow::borrow(&derived);
    let at = at.to_vec();
    let left = remains(derive());
    assert!(
        !left
            .windows(4)
            .any(|part| at.windows(4).any(|known| known == part))
    );
}
