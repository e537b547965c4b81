//! `StatsCache` counts as CacheToolsUtils does.

use ctu_core::{Cache, CacheExt, LruCache, SpinCache, Stats, StatsCache};

type Counted = StatsCache<SpinCache<LruCache<u32, u32, 2>>>;

const fn counted() -> Counted {
    StatsCache::new(SpinCache::new(LruCache::new()))
}

pub(crate) fn stats_count_every_operation() {
    static CACHE: Counted = counted();
    let cache = &CACHE;
    for key in 0..3 {
        assert_eq!(cache.insert(&key, key), Ok(()));
    }
    for key in 0..4 {
        let there = key == 1 || key == 2;
        assert_eq!(cache.get(&key), Ok(there.then_some(key)));
    }
    assert_eq!(cache.contains(&1), Ok(true));
    assert_eq!(cache.get_with_ttl(&1), Ok(Some((1, None))));
    assert_eq!((cache.remove(&1), cache.remove(&1)), (Ok(true), Ok(false)));
    // As in Python: a read, and a removal if it found an entry.
    assert_eq!((cache.pop(&2), cache.pop(&2)), (Ok(Some(2)), Ok(None)));
    let mut expected = Stats::default();
    expected.tests = 1;
    expected.reads = 4 + 1 + 2;
    expected.writes = 3;
    expected.dels = 2 + 1;
    expected.hits = 2 + 1 + 1;
    expected.size = Some(0);
    assert_eq!(cache.stats(), Ok(expected));
}

pub(crate) fn stats_count_get_or_insert_with() {
    let cache = counted();
    for _ in 0..3 {
        assert_eq!(cache.get_or_insert_with(&1, || 10u32), Ok(10));
    }
    let stats = cache.stats().unwrap_or_default();
    assert_eq!((stats.reads, stats.writes, stats.hits, stats.size), (3, 1, 2, Some(1)));
}

pub(crate) fn reset_sets_all_counts_to_zero() {
    let cache = counted();
    assert_eq!(cache.insert(&1, 10), Ok(()));
    assert_eq!(cache.get(&1), Ok(Some(10)));
    cache.reset_stats();
    let mut nothing = Stats::default();
    nothing.size = Some(1);
    assert_eq!(cache.stats(), Ok(nothing));
}

pub(crate) fn hit_rate_is_zero_before_the_first_read() {
    let cache = counted();
    assert_eq!(cache.hit_rate(), 0.0);
    assert_eq!(cache.get(&1), Ok(None));
    assert_eq!(cache.hit_rate(), 0.0);
}

pub(crate) fn stats_have_a_text_form() {
    use core::fmt::Write;
    let cache = counted();
    assert_eq!(cache.insert(&1, 10), Ok(()));
    for key in [1, 2, 3] {
        assert!(cache.get(&key).is_ok());
    }
    let mut text = heapless::String::<128>::new();
    assert!(write!(text, "{}", cache.stats().unwrap_or_default()).is_ok());
    assert_eq!(
        text,
        "0 tests, 3 reads, 1 writes, 0 dels, 1 hits, hit rate 33.3 %, size 1"
    );
}
