//! Entries changed by an attacker that can write to the cache below.

use crate::{base, entry, in_every_suite, replace, sealed};
use ctu_core::{Cache, CacheExt, KeyedAead};

in_every_suite!(
    every_flipped_bit_is_rejected,
    every_cut_is_rejected,
    every_extension_is_rejected,
    random_bytes_are_rejected,
    every_pair_of_swapped_entries_is_rejected,
);

const LENGTHS: [usize; 8] = [0, 1, 15, 16, 17, 63, 64, 200];

fn value(len: usize) -> Vec<u8> {
    (0..len).map(|i| i as u8).collect()
}

fn every_flipped_bit_is_rejected<X: KeyedAead>() {
    for len in LENGTHS {
        let base = base();
        let cache = sealed::<X>(&base);
        cache.insert(b"key", value(len)).unwrap();
        let (_, good) = entry(&base);
        for bit in 0..good.len() * 8 {
            let mut forged = good.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            replace(&base, &forged);
            assert_eq!(
                cache.get(b"key"),
                Ok(None),
                "bit {bit} of {} bytes",
                good.len()
            );
        }
        assert_eq!(cache.rejected(), good.len() * 8);
        replace(&base, &good);
        assert_eq!(cache.get(b"key"), Ok(Some(value(len))));
    }
}

fn every_cut_is_rejected<X: KeyedAead>() {
    let base = base();
    let cache = sealed::<X>(&base);
    cache.insert(b"key", value(64)).unwrap();
    let (_, good) = entry(&base);
    for from in 0..=good.len() {
        for to in from..=good.len() {
            if to - from < good.len() {
                replace(&base, &good[from..to]);
                assert_eq!(cache.get(b"key"), Ok(None), "bytes {from} to {to}");
            }
        }
    }
}

fn every_extension_is_rejected<X: KeyedAead>() {
    let base = base();
    let cache = sealed::<X>(&base);
    cache.insert(b"key", value(16)).unwrap();
    let (_, good) = entry(&base);
    for at in 0..=good.len() {
        for more in [&[0][..], &[0xFF], &[0; 16], &good] {
            let forged = [&good[..at], more, &good[at..]].concat();
            replace(&base, &forged);
            assert_eq!(cache.get(b"key"), Ok(None), "{} bytes at {at}", more.len());
        }
    }
}

fn random_bytes_are_rejected<X: KeyedAead>() {
    use rand::{Rng, RngExt, SeedableRng};
    let mut random = rand::rngs::StdRng::seed_from_u64(17);
    let base = base();
    let cache = sealed::<X>(&base);
    cache.insert(b"key", value(16)).unwrap();
    for _ in 0..2_000 {
        let mut forged = vec![0; random.random_range(0..200)];
        random.fill_bytes(&mut forged);
        // The id of the key in use, so that more than the id is looked at.
        if let Some(id) = forged.last_mut() {
            *id = 0;
        }
        replace(&base, &forged);
        assert_eq!(cache.get(b"key"), Ok(None));
    }
    assert_eq!(cache.rejected(), 2_000);
}

fn every_pair_of_swapped_entries_is_rejected<X: KeyedAead>() {
    let base = base();
    let cache = sealed::<X>(&base);
    let keys: Vec<Vec<u8>> = (0..12).map(|len| vec![b'k'; len]).collect();
    let entries: Vec<_> = keys
        .iter()
        .map(|key| {
            cache.insert(key, b"value".to_vec()).unwrap();
            let stored = entry(&base);
            base.clear().unwrap();
            stored
        })
        .collect();
    for (i, key) in keys.iter().enumerate() {
        for (j, (_, other)) in entries.iter().enumerate() {
            base.insert_entry(&entries[i].0, other.clone(), None)
                .unwrap();
            let expected = (i == j).then(|| b"value".to_vec());
            assert_eq!(cache.get(key), Ok(expected), "entry {j} at key {i}");
        }
    }
}
