//! Counts, and estimates beside caches of the estimated size.

use super::*;
use ctu_core::Capability;

#[test]
fn operations_are_counted_by_their_effect() {
    let clock = ManualClock::new();
    let cache = ConcurrentCache::<u32, u32>::builder(2)
        .count()
        .clock(&clock)
        .build();
    cache.insert(&1, 1u32).unwrap();
    cache.insert(&1, 2u32).unwrap();
    (0..3).for_each(|_| assert!(cache.get(&1).unwrap().is_some()));
    assert_eq!((cache.get(&2), cache.peek(&1)), (Ok(None), Some(2)));
    cache.insert(&2, 2u32).unwrap();
    cache.insert(&3, 3u32).unwrap();
    cache.insert_with_ttl(&1, 4u32, Duration::ZERO).unwrap();
    cache.expire();
    cache.clear().unwrap();
    let stats = cache.stats().unwrap();
    assert_eq!((stats.hits, stats.misses, stats.hit_rate), (3, 1, 0.75));
    assert_eq!((stats.insertions, stats.entries, stats.capacity), (5, 0, 2));
    assert_eq!(stats.expired, 1);
    let left = stats.evicted + stats.replaced + stats.removed + stats.expired;
    assert_eq!(left, stats.insertions);
    assert!(
        stats
            .to_string()
            .starts_with("3 hits, 1 misses, hit rate 75.0 % (")
    );
    let uncounted = ConcurrentCache::<u32, u32>::with_capacity(2);
    let error = Error::Unsupported(Capability::Stats);
    assert_eq!(uncounted.stats(), Err(error));
    // Wrappers have the statistics of the cache.
    let counted = ConcurrentCache::<String, u32>::builder(2).count().build();
    let wrapped = ctu_core::StatsCache::new(counted);
    wrapped.insert("key", 1u32).unwrap();
    wrapped.get("key").unwrap();
    assert_eq!(wrapped.get_ref().stats().unwrap().hits, 1);
    assert_eq!(ctu_core::HasStats::hit_rate(wrapped.get_ref()), Ok(1.0));
}

/// The hit rate of a cache, and its estimates at half and twice the capacity.
fn rates(capacity: usize, keys: &[u32]) -> [f64; 3] {
    let cache = ConcurrentCache::<u32, u32>::builder(capacity)
        .count()
        .build();
    for key in keys {
        if cache.get(key).unwrap().is_none() {
            cache.insert(key, *key).unwrap();
        }
    }
    let stats = cache.stats().unwrap();
    [
        stats.hit_rate_at_half,
        stats.hit_rate,
        stats.hit_rate_at_twice,
    ]
}

#[test]
fn estimates_are_near_the_rates_of_caches_of_that_size() {
    // Skewed keys: the square of a uniform number.
    let mut random = crate::random::Random::new(1);
    let keys: Vec<_> = (0..200_000)
        .map(|_| {
            let share = random.up_to(1 << 20) as f64 / f64::from(1 << 20);
            (share * share * share * 20_000.0) as u32
        })
        .collect();
    let [half, _, twice] = rates(2_000, &keys);
    let ([_, at_half, _], [_, at_twice, _]) = (rates(1_000, &keys), rates(4_000, &keys));
    assert!((half - at_half).abs() < 0.08, "{half} for {at_half}");
    assert!((twice - at_twice).abs() < 0.08, "{twice} for {at_twice}");
}
