//! `ClockCache` and `FixedCache`: stores without a recency list.

use crate::support::Random;
use core::hash::{BuildHasher, Hasher};
use ctu_core::{
    Bytes, Cache as _, CacheExt as _, ClockCache, Error, FixedCache, SmallClockCache, SmallFixedCache,
    SpinCache, stores::Sweep,
};

pub(crate) fn clock_evicts_an_entry_without_a_hit() {
    let mut cache = ClockCache::<u32, u32, 4>::new();
    for key in 0..4 {
        assert_eq!(cache.insert(key, key), None);
    }
    for key in [0, 1, 3] {
        assert_eq!(cache.get(&key), Some(&key));
    }
    assert!(cache.is_full() && cache.peek(&2).is_some());
    assert_eq!(cache.insert(4, 4), Some((2, 2)));
    assert_eq!(cache.insert(4, 5), Some((4, 4)));
    // The hand has cleared the marks before it.
    assert_eq!(cache.insert(5, 5), Some((0, 0)));
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn clock_evicts_after_eight_entries_at_the_latest() {
    let mut cache = SmallClockCache::<u32, u32, 100>::new();
    for key in 0..100 {
        cache.insert(key, key);
    }
    for key in 0..100 {
        cache.get(&key);
    }
    assert_eq!(cache.insert(100, 100), Some((7, 7)));
    assert_eq!(cache.insert(101, 101), Some((15, 15)));
}

pub(crate) fn full_store_refuses_a_new_key() {
    let mut store = FixedCache::<u32, u32, 2>::new();
    assert_eq!(store.insert(1, 10), Ok(None));
    assert_eq!(store.insert(2, 20), Ok(None));
    assert_eq!(store.insert(3, 30), Err(Error::Full));
    assert_eq!(store.insert(2, 21), Ok(Some(20)));
    assert_eq!((store.len(), store.capacity(), store.peek(&3)), (2, 2, None));
    assert_eq!(store.remove(&1), Some(10));
    assert_eq!(store.insert(3, 30), Ok(None));
    let cache = SpinCache::new(store);
    assert_eq!(cache.insert(&4, 40), Err(Error::Full));
    assert_eq!(cache.try_insert(&4, 40u32), Err(Error::Full));
    assert_eq!(cache.get_or_insert_with(&4, || 40), Err(Error::Full));
    assert_eq!((cache.get(&3), cache.len()), (Ok(Some(30)), Ok(2)));
}

struct Constant;

impl Hasher for Constant {
    fn write(&mut self, _: &[u8]) {}
    fn finish(&self) -> u64 {
        u64::MAX
    }
}

impl BuildHasher for Constant {
    type Hasher = Self;
    fn build_hasher(&self) -> Self {
        Self
    }
}

pub(crate) fn keys_of_one_hash_fill_a_fixed_store() {
    let mut store = FixedCache::<u32, u32, 30, Constant>::with_hasher(Constant);
    for key in 0..30 {
        assert_eq!(store.insert(key, key), Ok(None));
    }
    assert!((0..30).all(|key| store.get(&key) == Some(&key)));
    // A bucket of a store that evicts is bounded.
    let mut cache = ClockCache::<u32, u32, 30, Constant>::with_hasher(Constant);
    for key in 0..30 {
        assert_eq!(cache.insert(key, key).is_some(), key >= 12);
    }
    assert_eq!((cache.len(), cache.validate()), (12, Ok(())));
}

pub(crate) fn unordered_entry_takes_four_or_two_bytes_over_key_and_value() {
    let bytes = size_of::<Bytes<20>>() + size_of::<Bytes<64>>();
    type Large<const N: usize> = ClockCache<Bytes<20>, Bytes<64>, N>;
    type Small<const N: usize> = SmallClockCache<Bytes<20>, Bytes<64>, N>;
    type Fixed<const N: usize> = SmallFixedCache<Bytes<20>, Bytes<64>, N>;
    assert!(size_of::<Large<128>>() - size_of::<Large<64>>() <= 64 * (bytes + 4));
    assert!(size_of::<Small<128>>() - size_of::<Small<64>>() <= 64 * (bytes + 2));
    assert!(size_of::<Fixed<128>>() - size_of::<Fixed<64>>() <= 64 * (bytes + 2));
}

pub(crate) fn sweeps_of_unordered_stores_visit_every_entry() {
    let mut store = SmallFixedCache::<u32, u32, 9>::new();
    for key in 0..9 {
        assert_eq!(store.insert(key, key), Ok(None));
    }
    for (_, value) in store.iter_mut() {
        *value += 1;
    }
    let mut sweep = Sweep::new();
    while store.retain_step(&mut sweep, 2, |key, value| {
        assert_eq!(*value, *key + 1);
        key % 2 == 0
    }) {
        assert_eq!(store.validate(), Ok(()));
    }
    assert_eq!((store.len(), store.iter().count()), (5, 5));
    store.clear();
    assert!(store.is_empty() && store.get(&2).is_none());
}

pub(crate) fn clock_works_at_every_small_capacity() {
    fn fill<const N: usize>() {
        let mut large = ClockCache::<u32, u32, N>::new();
        let mut small = SmallClockCache::<u32, u32, N>::new();
        let mut random = Random::new(0x00C1_0C5A);
        for step in 0..400 {
            let key = random.below(2 * N as u32 + 1);
            match random.below(8) {
                0..=3 => assert_eq!(small.insert(key, step), large.insert(key, step)),
                4..=6 => assert_eq!(small.get(&key), large.get(&key)),
                _ => assert_eq!(small.remove(&key), large.remove(&key)),
            }
            assert_eq!((small.validate(), large.validate()), (Ok(()), Ok(())));
            assert!(small.iter().eq(large.iter()));
        }
    }
    fill::<1>();
    fill::<2>();
    fill::<9>();
    fill::<17>();
}

pub(crate) fn computed_values_are_stored_once() {
    let mut clock: ClockCache<u32, u32, 2> = [(1, 10), (2, 20)].into_iter().collect();
    assert_eq!(clock.get_or_insert_with(1, || unreachable!()), Some(&mut 10));
    assert_eq!(clock.try_get_or_insert_with(3, || Err("none")), Err("none"));
    assert_eq!((&clock).into_iter().count(), 2);
    assert_eq!(clock.get_or_insert_with(3, || 30), Some(&mut 30));
    clock.extend([(3, 31)]);
    assert_eq!((clock.peek(&3), clock.len()), (Some(&31), 2));
    let mut fixed = FixedCache::<u32, u32, 1>::new();
    assert_eq!(fixed.get_or_insert_with(1, || 10), Ok(&mut 10));
    assert_eq!(fixed.get_or_insert_with(1, || unreachable!()), Ok(&mut 10));
    assert_eq!(fixed.get_or_insert_with(2, || unreachable!()), Err(Error::Full));
}
