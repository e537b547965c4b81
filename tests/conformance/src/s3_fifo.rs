//! `S3FifoCache`: a store that resists scans.

use crate::support::Random;
use core::hash::BuildHasherDefault;
use ctu_core::{Bytes, LruCache, S3FifoCache, SmallS3FifoCache};

pub(crate) fn scan_does_not_displace_used_entries() {
    let mut cache = SmallS3FifoCache::<u32, u32, 32>::new();
    for key in (0..8).chain(0..8).chain(0..8) {
        cache.get_or_insert_with(key, || key);
    }
    for key in 100..1_100 {
        assert_eq!(cache.insert(key, key).is_some(), key >= 124);
    }
    assert!((0..8).all(|key| cache.peek(&key) == Some(&key)));
    assert_eq!((cache.len(), cache.is_full(), cache.validate()), (32, true, Ok(())));
}

pub(crate) fn new_entry_without_two_hits_leaves_first() {
    let mut cache = S3FifoCache::<u32, u32, 3>::new();
    for key in 0..3 {
        assert_eq!(cache.insert(key, key), None);
    }
    for key in [0, 0, 1] {
        assert_eq!(cache.get(&key), Some(&key));
    }
    // 0 moves to the main queue, one hit of 1 is not enough.
    assert_eq!(cache.insert(3, 3), Some((1, 1)));
    assert_eq!(cache.insert(3, 4), Some((3, 3)));
    assert_eq!(cache.insert(4, 4), Some((2, 2)));
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn evicted_key_that_comes_back_stays() {
    let mut cache = S3FifoCache::<u32, u32, 8>::new();
    for key in 0..8 {
        cache.insert(key, key);
    }
    assert_eq!(cache.insert(8, 8), Some((0, 0)));
    // It is remembered, and so enters the main queue.
    assert_eq!(cache.insert(0, 1), Some((1, 1)));
    for key in 100..200 {
        cache.insert(key, key);
    }
    assert_eq!(cache.get(&0), Some(&1));
    // An empty store remembers no key.
    cache.clear();
    for key in [7, 100, 101, 102, 103, 104, 105, 106, 107] {
        cache.insert(key, key);
    }
    assert_eq!(cache.get(&7), None);
    assert_eq!((cache.len(), cache.validate()), (8, Ok(())));
}

/// Every key comes twice, and a fixed small queue would have evicted it in between.
pub(crate) fn small_queue_grows_where_keys_come_back() {
    let mut cache = SmallS3FifoCache::<u32, u32, 32>::new();
    let mut found = [0; 2];
    for step in 0..2_000_u32 {
        cache.get_or_insert_with(step, || step);
        if let Some(key) = step.checked_sub(16) {
            let late = usize::from(step >= 1_000);
            found[late] += u32::from(cache.get(&key).is_some());
            cache.get_or_insert_with(key, || key);
        }
    }
    assert!(found[1] >= 900);
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn skewed_keys_with_scans_are_found_more_often_than_by_lru() {
    let mut cache = SmallS3FifoCache::<u32, u32, 64>::new();
    let mut lru = LruCache::<u32, u32, 64>::new();
    let mut random = Random::new(0x5EED);
    let mut found = (0, 0);
    for step in 0..8_000 {
        let key = match step % 256 {
            0..64 => 10_000 + step,
            _ => random.below(200).min(random.below(200)).min(random.below(200)),
        };
        found.0 += u32::from(cache.get(&key).is_some());
        found.1 += u32::from(lru.get(&key).is_some());
        cache.get_or_insert_with(key, || key);
        lru.get_or_insert_with(key, || key);
    }
    assert!(found.0 > found.1 + found.1 / 10);
}

pub(crate) fn eviction_moves_eight_entries_at_most() {
    let mut cache = S3FifoCache::<u32, u32, 100>::new();
    for key in 0..100 {
        cache.insert(key, key);
    }
    for key in (0..100).chain(0..100).chain(0..100) {
        cache.get(&key);
    }
    assert_eq!(cache.insert(100, 100), Some((8, 8)));
}

pub(crate) fn removed_entries_leave_room() {
    let mut cache = S3FifoCache::<u32, u32, 16>::new();
    let mut random = Random::new(0x0053_F1F0);
    for step in 0..2_000 {
        let key = random.below(40);
        match random.below(4) {
            0 => assert_eq!(cache.contains(&key), cache.remove(&key).is_some()),
            1 => assert_eq!(cache.contains(&key), cache.get(&key).is_some()),
            _ => {
                let (full, new) = (cache.is_full(), !cache.contains(&key));
                let displaced = cache.insert(key, step);
                assert_eq!(displaced.is_some_and(|(other, _)| other != key), full && new);
            }
        }
        assert_eq!(cache.validate(), Ok(()));
    }
    cache.retain(|key, _| key % 2 == 0);
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn keys_of_one_hash_are_bounded_in_their_bucket() {
    #[derive(Default)]
    struct Constant;
    impl core::hash::Hasher for Constant {
        fn write(&mut self, _: &[u8]) {}
        fn finish(&self) -> u64 {
            7
        }
    }
    let mut cache = S3FifoCache::<u32, u32, 30, _>::with_hasher(BuildHasherDefault::<Constant>::default());
    for key in 0..60 {
        assert_eq!(cache.insert(key, key).is_some(), key >= 12);
        assert_eq!(cache.get(&key), Some(&key));
        assert_eq!(cache.validate(), Ok(()));
    }
    assert_eq!(cache.len(), 12);
}

pub(crate) fn s3_fifo_entry_takes_eight_or_five_bytes_over_key_and_value() {
    let bytes = size_of::<Bytes<20>>() + size_of::<Bytes<64>>();
    type Large<const N: usize> = S3FifoCache<Bytes<20>, Bytes<64>, N>;
    type Small<const N: usize> = SmallS3FifoCache<Bytes<20>, Bytes<64>, N>;
    assert!(size_of::<Large<128>>() - size_of::<Large<64>>() <= 64 * (bytes + 8));
    assert!(size_of::<Small<128>>() - size_of::<Small<64>>() <= 64 * (bytes + 5));
    assert!(size_of::<Large<256>>() <= 256 * (bytes + 8) + 16);
}

pub(crate) fn s3_fifo_works_at_every_small_capacity() {
    fn fill<const N: usize>() {
        let mut large = S3FifoCache::<u32, u32, N>::new();
        let mut small = SmallS3FifoCache::<u32, u32, N>::new();
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
    fill::<3>();
    fill::<9>();
    fill::<17>();
}
