//! The rule for capacity 0: writes succeed, and lookups find nothing.

use ctu_std::{
    AdaptiveCache, ConcurrentCache, DictCache, LockedCache, LruCache, ManualClock, ShardedCache,
    SingleFlightCache, StatsCache, TtlCache, TwoLevelCache, prelude::*,
};
use std::{fmt::Debug, time::Duration};

const HOUR: Duration = Duration::from_secs(3600);

fn keeps_nothing<C>(cache: C)
where
    C: Cache<Key = u32, Value = u32, Error: PartialEq + Debug>,
{
    assert_eq!(cache.insert(&1, 10u32), Ok(()));
    assert_eq!((cache.get(&1), cache.contains(&1)), (Ok(None), Ok(false)));
    assert_eq!(cache.insert_many(vec![(&1, 10), (&2, 20)], None), Ok(()));
    assert_eq!(cache.get_many(&[&1, &2]), Ok(vec![None, None]));
    // The computed value goes to the caller, and the next caller computes again.
    assert_eq!(cache.get_or_insert_with(&1, || 11u32), Ok(11));
    assert_eq!(cache.get_or_insert_with(&1, || 12u32), Ok(12));
    assert_eq!((cache.remove(&1), cache.pop(&1)), (Ok(false), Ok(None)));
    assert_eq!(cache.retain(&mut |_| true), Ok(()));
    assert_eq!(cache.clear(), Ok(()));
    assert_eq!((cache.len(), cache.is_empty()), (Ok(0), Ok(true)));
}

#[test]
fn every_cache_of_capacity_zero_keeps_nothing() {
    let clock = ManualClock::new();
    keeps_nothing(LockedCache::new(LruCache::<u32, u32>::with_capacity(0)));
    keeps_nothing(LockedCache::new(TtlCache::<u32, u32, _>::with_capacity(
        0, HOUR, &clock,
    )));
    keeps_nothing(LockedCache::new(AdaptiveCache::<u32, u32>::with_capacity(
        0,
    )));
    keeps_nothing(ShardedCache::new(4, || {
        LruCache::<u32, u32>::with_capacity(0)
    }));
    keeps_nothing(ConcurrentCache::<u32, u32>::with_capacity(0));
    keeps_nothing(ConcurrentCache::<u32, u32, _>::with_ttl(0, HOUR, &clock));
    let inner = || ConcurrentCache::<u32, u32>::with_capacity(0);
    keeps_nothing(StatsCache::new(inner()));
    keeps_nothing(SingleFlightCache::new(inner()));
    keeps_nothing(TwoLevelCache::builder(inner(), inner()).build());
    // A dict has no capacity.
    let dict = LockedCache::new(DictCache::<u32, u32>::new());
    assert_eq!((dict.insert(&1, 10u32), dict.len()), (Ok(()), Ok(1)));
}

/// The tables beside the levels follow the same rule.
#[test]
fn two_levels_work_with_side_tables_of_capacity_zero() {
    let level = || LruCache::<u32, u32>::with_capacity(8);
    let builder = TwoLevelCache::builder(level(), level());
    let cache = builder
        .resilient()
        .manual_recovery()
        .journal(0)
        .grace(HOUR, 0)
        .negative(HOUR, 0)
        .build();
    cache.insert(&1, 10u32).unwrap();
    assert_eq!(cache.get(&1).unwrap(), Some(10));
    assert_eq!(cache.get(&2).unwrap(), None);
    assert_eq!(cache.get_or_insert_with(&2, || 20u32).unwrap(), 20);
    assert!(cache.remove(&1).unwrap());
    assert_eq!(cache.get(&1).unwrap(), None);
}
