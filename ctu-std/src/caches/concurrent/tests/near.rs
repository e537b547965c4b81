//! Hot entries near a thread.

use super::super::ConcurrentCache;
use ctu_core::{Cache, CacheExt};

#[test]
fn replaced_entry_shows_the_new_value_also_where_it_is_near() {
    let cache = ConcurrentCache::<u32, u32>::with_capacity(10);
    for value in 0..50 {
        cache.insert(&1, value).unwrap();
        // Often enough to be brought near.
        for _ in 0..200 {
            assert_eq!(cache.get(&1), Ok(Some(value)));
        }
        assert_eq!(cache.near.entries().len(), 1);
        assert_eq!(cache.validate(), Ok(()));
    }
    assert_eq!((cache.pop(&1), cache.get(&1)), (Ok(Some(49)), Ok(None)));
    assert_eq!((cache.near.entries().len(), cache.validate()), (0, Ok(())));
}

#[test]
fn entry_is_near_after_two_samples_and_not_after_one() {
    let cache = ConcurrentCache::<u32, u32>::with_capacity(10);
    cache.insert_entry(&1, 10, None).unwrap();
    let mut hits = 0;
    while cache.near.entries().is_empty() {
        assert_eq!(cache.get(&1), Ok(Some(10)));
        hits += 1;
    }
    // The samples are 64 hits apart.
    assert!((65..=128).contains(&hits), "{hits}");
}

#[test]
fn entries_that_are_used_alike_stay_in_their_shards() {
    let cache = ConcurrentCache::<u32, u32>::with_capacity(100_000);
    for key in 0..100_000 {
        cache.insert_entry(&key, key, None).unwrap();
    }
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..500_000 {
        cache.get(&random.u32(0..100_000)).unwrap();
    }
    // Of 7,812 samples, as a hundred keys share a slot.
    let near = cache.near.entries().len();
    assert!(near < 200, "{near}");
}
