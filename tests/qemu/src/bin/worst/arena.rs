//! The worst cases of a store in one array of bytes.

use crate::timed::{begin, report, run};
use core::hint::black_box;
use ctu_core::{
    Bytes, Cache, IntoValue, LockedCache,
    stores::{Arena, ArenaRule},
};
use rustc_hash::FxHasher;

/// The number of entries, and the bytes that they share: 20 of key, 64 of value, 3 of head.
const N: usize = 32;
const BYTES: usize = N * 87;

type Value = Bytes<64>;

/// Keys of twenty bytes that differ in the last ones, with one tag: each lookup compares all keys.
fn keys() -> [[u8; 20]; 3 * N] {
    let mut numbers = 0u32..;
    let tag = |key: &[u8]| {
        let mut hasher = FxHasher::default();
        core::hash::Hasher::write(&mut hasher, key);
        core::hash::Hasher::finish(&hasher) as u8
    };
    [(); 3 * N].map(|()| {
        let mut key = *b"sensor/of/room/.....";
        loop {
            if let (Some(end), Some(number)) = (key.last_chunk_mut(), numbers.next()) {
                *end = number.to_be_bytes();
            }
            if tag(&key) == 7 {
                return key;
            }
        }
    })
}

/// Every operation, with holes of all sizes between the records.
pub(crate) fn provoke<R: ArenaRule>(
    subject: &str,
    cache: &LockedCache<crate::Timed, Arena<Value, N, BYTES, R>>,
) {
    let keys = keys();
    let get = |at: usize| {
        let key = black_box(&keys[at % keys.len()][..]);
        run("get", || cache.get(key).is_ok());
        run("get", || cache.get_with_ttl(key).is_ok());
    };
    let put = |at: usize, len: usize| {
        let key = black_box(&keys[at % keys.len()][..]);
        let value: Value = (&[7; 64][..len]).into_value().unwrap_or_default();
        run("insert", || {
            cache.insert_entry(key, black_box(value), None).is_ok()
        });
    };
    let remove = |at: usize| {
        let key = black_box(&keys[at % keys.len()][..]);
        run("remove", || cache.remove(key).is_ok())
    };
    begin();
    for round in 0..3 {
        // Full, with values of all lengths.
        for i in 0..3 * N {
            put(i, i * 37 % 65);
        }
        for i in 0..3 * N {
            get(i);
        }
        // A hole before each record; the longest values then move all of them.
        for i in 0..N {
            put(i, 64);
        }
        for i in 0..N {
            put(N + i, 0);
            remove(i);
            put(i, 1 + (round + i) % 64);
        }
        for i in (0..3 * N).step_by(2) {
            remove(i);
        }
        for i in 0..N {
            put(2 * i, 64);
        }
        // One long value in place of many short ones.
        for i in 0..2 * N {
            put(i, 0);
        }
        for i in 0..N {
            put(2 * N + i, 64);
            get(i);
        }
        run("sweep", || cache.len().is_ok());
        run("sweep", || cache.retain(&mut |_| false).is_ok());
    }
    report(subject, size_of_val(cache));
}
