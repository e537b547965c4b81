//! Iteration over all entries, with their facts.

use super::*;

#[test]
fn entries_come_with_age_time_left_and_weight() {
    let clock = ManualClock::new();
    let cache = ConcurrentCache::<u32, u32>::builder(10_000)
        .max_weight(1_000_000, |key, _| u64::from(*key))
        .clock(&clock)
        .expire_after_update(10 * SECOND)
        .build();
    (0..400).for_each(|key| cache.insert(&key, key * 2).unwrap());
    clock.advance(3 * SECOND);
    cache.insert_with_ttl(&7, 0u32, Duration::ZERO).unwrap();
    let mut entries: Vec<_> = cache.entries().collect();
    entries.sort_unstable_by_key(|entry| entry.key);
    assert_eq!(entries.len(), cache.len().unwrap());
    let last = entries.pop().unwrap();
    assert_eq!((last.key, last.value, last.weight), (399, 798, 399));
    assert_eq!(
        (last.age, last.remaining),
        (Some(3 * SECOND), Some(7 * SECOND))
    );
    assert!(entries.iter().all(|entry| entry.key != 7));
    assert_eq!(cache.keys().count(), cache.len().unwrap());
}

#[test]
fn entries_without_a_clock_have_neither_age_nor_end() {
    let cache = ConcurrentCache::<u32, u32>::with_capacity(10);
    cache.insert(&1, 1u32).unwrap();
    let entry = cache.entries().next().unwrap();
    assert_eq!((entry.age, entry.remaining, entry.weight), (None, None, 1));
}

#[test]
fn retain_sees_keys_and_values_and_may_use_the_cache() {
    let cache = ConcurrentCache::<u32, u32>::with_capacity(4 * SHARE);
    (0..400).for_each(|key| cache.insert(&key, key % 10).unwrap());
    let before = cache.len().unwrap();
    cache.retain_entries(|key, value| cache.peek(key) == Some(*value) && *value < 5);
    let left: Vec<_> = cache.entries().collect();
    assert!(left.iter().all(|entry| entry.value < 5) && left.len() * 2 <= before + 20);
    assert_eq!(cache.validate(), Ok(()));
}
