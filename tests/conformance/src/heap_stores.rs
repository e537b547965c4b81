//! Stores with a capacity chosen at run time: the same logic on a heap.

use crate::support::{Dial, Random};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use ctu_core::heap::{DictCache, LruCache, TtlCache};
use ctu_core::{Cache, CacheExt, Error, MAX_INLINE_KEY, PrefixedCache, SpinCache};

pub(crate) fn heap_lru_matches_the_inline_one() {
    let mut random = Random::new(0xB0BA_CAFE);
    let mut on_heap = LruCache::<u32, u32>::with_capacity(6);
    let mut inline = ctu_core::LruCache::<u32, u32, 6>::new();
    for step in 0..600 {
        let key = random.below(10);
        match random.below(8) {
            0..=2 => assert_eq!(on_heap.insert(key, step), inline.insert(key, step)),
            3..=5 => assert_eq!(on_heap.get(&key), inline.get(&key)),
            6 => assert_eq!(on_heap.remove(&key), inline.remove(&key)),
            _ => assert_eq!(on_heap.pop_lru(), inline.pop_lru()),
        }
        assert_eq!(on_heap.validate(), Ok(()));
        assert!(on_heap.iter().eq(inline.iter()));
    }
}

pub(crate) fn heap_ttl_matches_the_inline_one() {
    let mut random = Random::new(0x0DDB_A115);
    let clock = Dial::<64>::at(0);
    let ttl = Duration::from_millis(20);
    let mut on_heap = TtlCache::<u32, u32, _>::with_capacity(5, ttl, &clock);
    let mut inline = ctu_core::TtlCache::<u32, u32, 5, _>::new(ttl, &clock);
    for step in 0..600 {
        clock.pass_ms(random.below(4).into());
        let key = random.below(9);
        let own = Duration::from_millis(random.below(60).into());
        match random.below(8) {
            0..=1 => assert_eq!(on_heap.insert(key, step), inline.insert(key, step)),
            2..=3 => assert_eq!(
                on_heap.insert_with_ttl(key, step, own),
                inline.insert_with_ttl(key, step, own)
            ),
            4..=6 => assert_eq!(on_heap.get(&key), inline.get(&key)),
            _ => assert_eq!(on_heap.remove(&key), inline.remove(&key)),
        }
        assert_eq!(on_heap.validate(), Ok(()));
        assert!(on_heap.iter().eq(inline.iter()));
    }
}

pub(crate) fn capacity_zero_keeps_nothing() {
    let mut cache = LruCache::<u32, u32>::with_capacity(0);
    assert_eq!(cache.insert(1, 10), Some((1, 10)));
    assert_eq!(cache.get_or_insert_with(1, || 10), None);
    assert_eq!(cache.get(&1), None);
    assert!(cache.is_empty());
}

pub(crate) fn lower_capacity_evicts_entries() {
    let mut cache: LruCache<u32, u32> = (0..6).map(|key| (key, key)).collect();
    cache.get(&0);
    cache.set_capacity(2);
    assert!(cache.iter().eq([(&0, &0), (&5, &5)]));
    assert_eq!(cache.insert(6, 6), Some((5, 5)));
    cache.set_capacity(3);
    assert_eq!((cache.insert(7, 7), cache.len(), cache.validate()), (None, 3, Ok(())));
    cache.set_capacity(0);
    assert_eq!((cache.insert(1, 1), cache.len()), (Some((1, 1)), 0));

    let clock = Dial::<64>::at(0);
    let mut cache = TtlCache::with_capacity(4, Duration::from_secs(1), &clock);
    cache.extend([(1, 10), (2, 20)]);
    clock.pass(Duration::from_millis(500));
    cache.extend([(3, 30), (4, 40)]);
    cache.get(&1);
    clock.pass(Duration::from_millis(500));
    cache.set_capacity(2);
    assert!(cache.iter().eq([(&4, &40), (&3, &30)]));
    cache.set_capacity(1);
    assert_eq!([3, 4].map(|key| cache.get(&key).copied()), [None, Some(40)]);
}

pub(crate) fn dict_never_evicts() {
    let cache = SpinCache::new(DictCache::<u32, u32>::new());
    for key in 0..100 {
        assert_eq!(cache.insert(&key, !key), Ok(()));
    }
    assert!((0..100).all(|key| cache.get(&key) == Ok(Some(!key))));
    assert_eq!(cache.retain(&mut |key| *key < 10), Ok(()));
    assert_eq!((cache.len(), cache.remove(&5)), (Ok(10), Ok(true)));
    let second = Duration::from_secs(1);
    assert_eq!(cache.insert_with_ttl(&1, 1, second), Err(Error::TtlUnsupported));
    assert_eq!((cache.clear(), cache.len()), (Ok(()), Ok(0)));
}

pub(crate) fn strings_and_vectors_are_keys() {
    let cache = SpinCache::new(LruCache::<String, Vec<u8>>::with_capacity(2));
    assert_eq!(cache.insert("key", b"value"), Ok(()));
    assert_eq!(cache.get("key").map(|v| v.as_deref() == Some(b"value")), Ok(true));
    let cache = SpinCache::new(LruCache::<Vec<u8>, String>::with_capacity(2));
    assert_eq!(cache.insert(b"key", "value"), Ok(()));
    assert_eq!(cache.get(b"key").map(|v| v.as_deref() == Some("value")), Ok(true));
}

pub(crate) fn long_prefixes_use_the_heap() {
    let base = SpinCache::new(LruCache::<Vec<u8>, u32>::with_capacity(2));
    let cache = PrefixedCache::new(&base, b"prefix.");
    let long = [b'x'; MAX_INLINE_KEY];
    assert_eq!(cache.insert(&long, 1), Ok(()));
    assert_eq!(cache.get(&long), Ok(Some(1)));
    let mut key = Vec::from(b"prefix.");
    key.extend_from_slice(&long);
    assert_eq!(base.get(&key), Ok(Some(1)));
    assert_eq!((cache.clear(), base.len()), (Ok(()), Ok(0)));
}

pub(crate) fn batches_match_single_operations() {
    let base = SpinCache::new(LruCache::<Vec<u8>, u32>::with_capacity(8));
    let cache = PrefixedCache::new(&base, b"p.");
    let entries = Vec::from([(&b"a"[..], 1), (b"b", 2), (b"c", 3)]);
    assert_eq!(cache.insert_many(entries, None), Ok(()));
    assert_eq!(base.get(b"p.b"), Ok(Some(2)));
    let found = cache.get_many(&[b"c", b"d", b"a"]);
    assert_eq!(found, Ok(Vec::from([Some(3), None, Some(1)])));
    assert_eq!(cache.remove_many(&[b"a", b"d"]), Ok(1));
    assert_eq!(base.len(), Ok(2));
}
