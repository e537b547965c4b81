//! Stores and statistics as data.

use ctu_core::{Cache, CacheExt, FixedCache, LruCache, S3FifoCache, SpinCache, StatsCache, heap};

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
fn stores_without_a_recency_list_round_trip() {
    let mut cache: S3FifoCache<String, u32, 4> = [("one".into(), 1)].into_iter().collect();
    cache.insert("two".into(), 2);
    let json = serde_json::to_string(&cache).unwrap();
    assert_eq!(json, r#"[["one",1],["two",2]]"#);
    let back: S3FifoCache<String, u32, 2> = serde_json::from_str(&json).unwrap();
    assert!(back.iter().eq(cache.iter()));
    assert_eq!((back.validate(), back.is_full()), (Ok(()), true));
    let fixed: FixedCache<String, u32, 2> = serde_json::from_str(&json).unwrap();
    assert!(fixed.iter().eq(cache.iter()));
    let error = serde_json::from_str::<FixedCache<String, u32, 1>>(&json).unwrap_err();
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
