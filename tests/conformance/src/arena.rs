//! `ArenaLruCache` and `ArenaFixedCache`: keys and values of different lengths in one array.

use crate::support::Random;
use core::cell::RefCell;
use ctu_core::{
    ArenaFixedCache, ArenaLruCache, Bytes, Cache as _, CacheExt as _, Error,
    LruCache, PrefixedCache, SmallFixedCache, SpinCache, stores::Sweep,
};

type Lru<const N: usize, const BYTES: usize> = ArenaLruCache<Bytes<64>, N, BYTES>;
type Fixed<const N: usize, const BYTES: usize> = ArenaFixedCache<Bytes<64>, N, BYTES>;

pub(crate) fn arena_evicts_the_least_recently_used_until_there_is_room() {
    // Three entries of 3 + 1 + 6 bytes.
    let mut store = Lru::<8, 30>::new();
    for key in [b"a", b"b", b"c"] {
        assert_eq!(store.insert(key, b"value."), Ok(()));
    }
    assert_eq!((store.len(), store.free_bytes()), (3, 0));
    assert_eq!(store.get(b"a"), Some(&b"value."[..]));
    assert_eq!(store.peek(b"b"), Some(&b"value."[..]));
    assert_eq!(store.insert(b"d", b"longer value"), Ok(()));
    assert_eq!(store.len(), 1 + 1);
    assert!(store.contains(b"a") && store.contains(b"d"));
    // The table is full before the array.
    let mut store = Lru::<2, 60>::new();
    for key in [b"a", b"b", b"c"] {
        assert_eq!(store.insert(key, b""), Ok(()));
    }
    assert!(store.iter().map(|(key, _)| key).eq([b"c", b"b"]));
    assert_eq!(store.validate(), Ok(()));
}

pub(crate) fn arena_without_room_refuses_an_entry() {
    let mut store = Fixed::<3, 30>::new();
    assert_eq!(store.insert(b"a", b"12345678"), Ok(()));
    assert_eq!(store.insert(b"b", b"12345678"), Ok(()));
    assert_eq!(store.insert(b"c", b"1234"), Err(Error::Full));
    assert_eq!(store.insert(b"a", b"123456789abcdef"), Err(Error::Full));
    assert_eq!(store.get(b"a"), Some(&b"12345678"[..]));
    // Its own bytes count as room for its new value.
    assert_eq!(store.insert(b"a", b"123456789abcde"), Ok(()));
    assert_eq!(store.get(b"a"), Some(&b"123456789abcde"[..]));
    assert_eq!(store.free_bytes(), 0);
    assert!(store.remove(b"b") && !store.remove(b"b"));
    assert_eq!(store.insert(b"c", b""), Ok(()));
    assert_eq!(store.insert(b"d", b""), Ok(()));
    assert_eq!((store.insert(b"e", b""), store.len()), (Err(Error::Full), 3));
    let cache = SpinCache::new(store);
    assert_eq!(cache.insert(b"e", b""), Err(Error::Full));
    assert_eq!(cache.get(b"c").map(|value| value.is_some()), Ok(true));
}

pub(crate) fn arena_refuses_entries_above_its_bytes() {
    let mut store = Lru::<4, 300>::new();
    assert_eq!(store.insert(b"a", b"stays"), Ok(()));
    let long = [0; 300];
    let key_error = Error::KeyTooLong { len: 255, max: 254 };
    assert_eq!(store.insert(&long[..255], b""), Err(key_error));
    let value_error = Error::ValueTooLong { len: 297, max: 296 };
    assert_eq!(store.insert(b"k", &long[..297]), Err(value_error));
    assert_eq!(store.get(b"a"), Some(&b"stays"[..]));
    assert_eq!(store.insert(b"k", &long[..296]), Ok(()));
    assert_eq!(store.insert(&long[..254], &long[..43]), Ok(()));
    assert_eq!((store.len(), store.validate()), (1, Ok(())));
    let stored = Error::StoredTooLong { len: 65, max: 64 };
    assert_eq!(store.insert(b"k", &long[..65]), Ok(()));
    assert_eq!(store.get_copy(b"k"), Err(stored));
    let mut small = Fixed::<4, 10>::new();
    let key_error = Error::KeyTooLong { len: 8, max: 7 };
    assert_eq!(small.insert(b"12345678", b""), Err(key_error));
    assert_eq!(small.insert(b"1234567", b""), Ok(()));
}

pub(crate) fn entry_of_an_arena_takes_six_bytes_over_key_and_value() {
    // Eight more entries of 10 and 12 bytes.
    let more = size_of::<Lru<40, { 40 * 25 }>>() - size_of::<Lru<32, { 32 * 25 }>>();
    assert!(more <= 8 * (10 + 12 + 6));
    // The figures of `docs/boards.md`.
    assert_eq!(size_of::<LruCache<Bytes<20>, Bytes<64>, 32>>(), 3078);
    assert_eq!(size_of::<SmallFixedCache<Bytes<20>, Bytes<64>, 32>>(), 2884);
    assert_eq!(size_of::<Lru<32, 800>>(), 902);
    assert_eq!(size_of::<Fixed<32, 800>>(), 902);
}

pub(crate) fn arena_is_a_cache() {
    let cache = RefCell::new(Lru::<4, 64>::new());
    assert_eq!(cache.insert(b"key", b"value"), Ok(()));
    let second = core::time::Duration::from_secs(1);
    let refused = cache.insert_with_ttl(b"key", b"value", second);
    assert_eq!(refused, Err(Error::TtlUnsupported));
    assert_eq!(cache.pop(b"key").map(|value| value.as_deref() == Some(b"value")), Ok(true));
    assert_eq!((cache.get(b"key"), cache.len()), (Ok(None), Ok(0)));
    let prefixed = PrefixedCache::new(&cache, b"p.");
    assert_eq!(prefixed.insert(b"a", b"1"), Ok(()));
    assert_eq!(cache.insert(b"b", b"2"), Ok(()));
    assert_eq!(prefixed.clear(), Ok(()));
    assert_eq!((cache.len(), cache.contains(b"b")), (Ok(1), Ok(true)));
    assert_eq!((cache.clear(), cache.is_empty()), (Ok(()), Ok(true)));
}

pub(crate) fn sweep_of_an_arena_visits_every_entry() {
    let mut store = Lru::<40, 400>::new();
    for key in 0..40u8 {
        assert_eq!(store.insert(&[key], &[key; 5]), Ok(()));
    }
    let mut sweep = Sweep::new();
    let mut turn = 0u8;
    while store.retain_step(&mut sweep, 3, |key, value| {
        assert!(value.iter().all(|byte| *byte == key[0]));
        key[0] % 2 == 0
    }) {
        // Lookups, rewrites and removals in between.
        turn += 1;
        store.get(&[(turn * 7) % 40]);
        assert_eq!(store.insert(&[(turn % 4) * 2], &[(turn % 4) * 2; 5]), Ok(()));
        store.remove(&[turn * 3]);
        assert_eq!(store.validate(), Ok(()));
    }
    assert!(store.iter().all(|(key, _)| key[0] % 2 == 0));
    assert!(store.contains(&[2]) && store.contains(&[38]));
}

pub(crate) fn arena_moves_its_records_together() {
    // Different lengths, so that holes fit no new record.
    let mut store = Lru::<16, 160>::new();
    let mut random = Random::new(0x00A2_E4A0);
    for step in 0..600 {
        let key = random.below(20) as u8;
        match random.below(8) {
            0 => drop(store.remove(&[key])),
            1 | 2 => drop(store.get(&[key]).is_some()),
            _ => {
                let value = [key; 40];
                let len = random.below(40) as usize;
                assert_eq!(store.insert(&[key], &value[..len]), Ok(()));
                assert_eq!(store.get(&[key]), Some(&value[..len]));
            }
        }
        assert_eq!(store.validate(), Ok(()));
        let right = |(key, value): (&[u8], &[u8])| value.iter().all(|byte| *byte == key[0]);
        assert!(store.iter().all(right), "step {step}");
    }
}
