//! Nonces with a repeated, constant or absent source of salt.

use crate::{base, entry, in_every_suite, ring, sealed};
use ctu_core::{Cache, CacheExt, KeyedAead, Mapping, Salt, Sealing, WallClock};
use std::{cell::Cell, collections::HashSet, time::Duration};

in_every_suite!(
    no_nonce_is_used_for_two_texts,
    equal_entries_are_all_that_a_constant_salt_shows,
);

/// The bytes before the tag and the id.
fn nonce<X: KeyedAead>(entry: &[u8]) -> Vec<u8> {
    let end = entry.len() - 17;
    entry[end - X::STORED_NONCE..end].to_vec()
}

struct At(u64);

impl WallClock for At {
    fn now(&self) -> Option<u64> {
        Some(self.0)
    }
}

fn no_nonce_is_used_for_two_texts<X: KeyedAead>() {
    let mut nonces = HashSet::new();
    let mut entries = 0;
    let mut seal = |key: &[u8], value: &[u8], context: &[u8], epoch: u32, ttl: Option<u64>| {
        let sealing = Sealing::new(ring::<X>())
            .context(context)
            .epoch(epoch)
            .wall_clock(At(0));
        let at = Mapping::<[u8], Vec<u8>>::at(&sealing, key).unwrap();
        let ttl = ttl.map(Duration::from_secs);
        let entry = sealing.encode_for(&at, value.to_vec(), ttl).unwrap();
        nonces.insert(nonce::<X>(&entry));
        entries += 1;
    };
    // Texts that differ in one bit or in their length only, zeros at the end included.
    for len in 0..200 {
        seal(b"key", &vec![0; len], b"", 0, None);
    }
    for bit in 0..64 * 8 {
        let mut value = [0; 64];
        value[bit / 8] = 1 << (bit % 8);
        seal(b"key", &value, b"", 0, None);
    }
    // One text, bound to other data.
    for i in 1..100 {
        seal(format!("key {i}").as_bytes(), b"", b"", 0, None);
        seal(b"key", b"", format!("context {i}").as_bytes(), 0, None);
        seal(b"key", b"", b"", i, None);
        seal(b"key", b"", b"", 0, Some(u64::from(i)));
    }
    assert_eq!(nonces.len(), entries);
}

fn equal_entries_are_all_that_a_constant_salt_shows<X: KeyedAead>() {
    fn seal<X: KeyedAead>(salt: impl Salt, value: &[u8]) -> Vec<u8> {
        let base = base();
        let cache = sealed::<X>(&base).salt(salt);
        cache.insert(b"key", value.to_vec()).unwrap();
        assert_eq!(cache.get(b"key"), Ok(Some(value.to_vec())));
        entry(&base).1
    }
    let constant = || [7; 16];
    assert_eq!(seal::<X>(constant, b"0000"), seal::<X>(constant, b"0000"));
    // Of two PINs, neither the texts nor their difference show.
    let (one, other) = (seal::<X>(constant, b"0000"), seal::<X>(constant, b"1234"));
    let difference: Vec<u8> = one.iter().zip(&other).map(|(a, b)| a ^ b).collect();
    assert_ne!(difference[..4], *b"\0\x02\x03\x04");
    let count = Cell::new(0u8);
    let counting = || {
        count.set(count.get() + 1);
        [count.get(); 16]
    };
    assert_ne!(seal::<X>(counting, b"0000"), seal::<X>(counting, b"0000"));
}
