//! Stores and statistics as data.

use ctu_core::{Cache, CacheExt, LruCache, SpinCache, StatsCache, heap};

#[test]
fn store_round_trips_with_its_order() {
    let mut cache = LruCache::<String, u32, 4>::new();
    cache.extend([("one".into(), 1), ("two".into(), 2), ("three".into(), 3)]);
    cache.get("one");
    let json = serde_json::to_string(&cache).unwrap();
    assert_eq!(json, r#"[["two",2],["three",3],["one",1]]"#);
    let back: LruCache<String, u32, 4> = serde_json::from_str(&json).unwrap();
    assert_eq!(back, cache);
    assert_eq!(back.validate(), Ok(()));
}

#[test]
fn heap_store_is_extended_from_serialized_entries() {
    let mut cache = heap::LruCache::<u32, u32>::with_capacity(3);
    cache.extend([(1, 10), (2, 20)]);
    let kept: Vec<(u32, u32)> =
        serde_json::from_str(&serde_json::to_string(&cache).unwrap()).unwrap();
    let mut back = heap::LruCache::with_capacity(3);
    back.extend(kept);
    assert_eq!(back, cache);
}

#[test]
fn more_entries_than_the_capacity_is_an_error() {
    let error = serde_json::from_str::<LruCache<u32, u32, 1>>("[[1,2],[3,4]]").unwrap_err();
    assert!(error.to_string().contains("at most 1 pairs"), "{error}");
}

#[test]
fn statistics_round_trip() {
    let cache = StatsCache::new(SpinCache::new(LruCache::<u32, u32, 4>::new()));
    cache.insert(&1, 1u32).unwrap();
    cache.get(&1).unwrap();
    let stats = cache.stats().unwrap();
    let json = serde_json::to_string(&stats).unwrap();
    assert!(json.contains(r#""hits":1,"size":1"#), "{json}");
    let back: ctu_core::Stats = serde_json::from_str(&json).unwrap();
    assert_eq!(back, stats);
}
