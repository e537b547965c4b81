//! Values at the second level that cannot be decoded: an older schema, another program's.

use crate::{
    millis,
    remote::{DAMAGED, Fault},
    secs,
    switches::{builder, resilient},
};
use ctu_std::{BreakerState, Cache, CacheError, CacheExt};

#[test]
fn corrupt_value_in_a_probe_closes_the_breaker() {
    let (clock, cache) = resilient();
    cache.second().insert_entry(&1, DAMAGED, None).unwrap();
    cache.second().fail(Fault::Lost);
    assert_eq!(cache.get(&2), Ok(None));
    assert_eq!(cache.stats().breaker, BreakerState::Open);
    cache.second().fail(Fault::None);
    clock.advance(secs(10));
    assert_eq!(cache.get(&1), Ok(None));
    assert_eq!(cache.stats().breaker, BreakerState::Closed);
}

#[test]
fn corrupt_value_between_failures_resets_the_count() {
    let (clock, cache) = resilient();
    cache.second().insert_entry(&1, DAMAGED, None).unwrap();
    for _ in 0..20 {
        cache.second().fail(Fault::Refused);
        assert_eq!(cache.get(&2), Ok(None));
        cache.second().fail(Fault::None);
        assert_eq!(cache.get(&1), Ok(None));
        clock.advance(millis(1));
    }
    assert_eq!(cache.stats().breaker, BreakerState::Closed);
}

#[test]
fn corrupt_value_is_a_counted_miss_and_overwritten() {
    let (_clock, cache) = resilient();
    cache.second().insert_entry(&1, DAMAGED, None).unwrap();
    assert_eq!(cache.get(&1), Ok(None));
    assert_eq!(cache.get_with_ttl(&1), Ok(None));
    assert_eq!(cache.contains(&1), Ok(false));
    let stats = cache.stats();
    assert_eq!((stats.damaged, stats.misses, stats.errors), (3, 2, 0));
    assert_eq!(cache.get_or_insert_with(&1, || 5u32), Ok(5));
    assert_eq!(cache.second().get(&1), Ok(Some(5)));
    assert_eq!(cache.get(&1), Ok(Some(5)));
}

#[test]
fn batch_returns_the_intact_values() {
    let (_clock, cache) = resilient();
    for (key, value) in [(1, 10), (2, DAMAGED), (4, 40)] {
        cache.second().insert_entry(&key, value, None).unwrap();
    }
    let found = cache.get_many(&[&1, &2, &3, &4]);
    assert_eq!(found, Ok(vec![Some(10), None, None, Some(40)]));
    let stats = cache.stats();
    let counts = (stats.second_hits, stats.misses, stats.damaged);
    assert_eq!((counts, stats.errors), ((2, 2, 1), 0));
}

/// `get` fails on a corrupt value, as in Python. A computation replaces the value.
#[test]
fn corrupt_value_is_an_error_without_resilience() {
    let (_clock, builder) = builder();
    let cache = builder.build();
    cache.second().insert_entry(&1, DAMAGED, None).unwrap();
    assert!(cache.get(&1).unwrap_err().is_corrupt());
    assert!(cache.contains(&1).unwrap_err().is_corrupt());
    assert!(cache.get_many(&[&1, &2]).unwrap_err().is_corrupt());
    let stats = cache.stats();
    assert_eq!((stats.damaged, stats.errors), (0, 3));
    assert_eq!(cache.get_or_insert_with(&1, || 5u32), Ok(5));
    let stats = cache.stats();
    assert_eq!((stats.damaged, stats.errors), (1, 3));
    assert_eq!(cache.second().get(&1), Ok(Some(5)));
}

/// A corrupt value is not a missing one, so negative caching does not record it.
#[test]
fn corrupt_value_is_not_cached_as_missing() {
    let (_clock, builder) = builder();
    let cache = builder.manual_recovery().negative(secs(2), 10).build();
    cache.second().insert_entry(&1, DAMAGED, None).unwrap();
    assert_eq!(cache.get(&1), Ok(None));
    cache.second().insert_entry(&1, 5, None).unwrap();
    assert_eq!(cache.get(&1), Ok(Some(5)));
}
