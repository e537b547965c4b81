//! Damage at any byte is detected; entries, order, times and uses come back.

use super::*;
use crate::caches::ConcurrentCache;
use ctu_core::{
    Cache, CacheExt, LruCache, ManualClock,
    heap::{AdaptiveCache, AdaptiveTtlCache, TimeLimits, TtlCache},
};

const SECOND: Duration = Duration::from_secs(1);

fn saved<S: SaveSnapshot>(store: &S) -> Vec<u8> {
    let mut bytes = Vec::new();
    Snapshot::new()
        .at(UNIX_EPOCH)
        .save(store, &mut bytes)
        .unwrap();
    bytes
}

fn load<S: LoadSnapshot>(store: &mut S, bytes: &[u8]) -> Result<Loaded, SnapshotError> {
    Snapshot::new()
        .at(UNIX_EPOCH + 3 * SECOND)
        .load(store, bytes)
}

#[test]
fn recency_order_comes_back_and_a_smaller_store_keeps_the_last_used() {
    let mut store = LruCache::<u32, String, 8>::new();
    (0..8).for_each(|key| drop(store.insert(key, key.to_string())));
    store.get(&3);
    let bytes = saved(&store);
    let mut again = LruCache::<u32, String, 8>::new();
    assert_eq!(load(&mut again, &bytes).unwrap().entries, 8);
    assert_eq!(store, again);
    let mut smaller = LruCache::<u32, String, 2>::new();
    load(&mut smaller, &bytes).unwrap();
    assert_eq!(
        smaller.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
        [3, 7]
    );
}

#[test]
fn remaining_times_go_on_between_save_and_load() {
    let clock = ManualClock::new();
    let mut store = TtlCache::<u32, u32, _>::with_capacity(8, 10 * SECOND, &clock);
    store.insert(1, 10);
    store.insert_with_ttl(2, 20, 2 * SECOND).unwrap();
    clock.advance(SECOND);
    let bytes = saved(&store);
    let fresh = ManualClock::new();
    let mut again = TtlCache::<u32, u32, _>::with_capacity(8, 60 * SECOND, &fresh);
    let loaded = load(&mut again, &bytes).unwrap();
    assert_eq!((loaded.entries, loaded.expired), (1, 1));
    assert_eq!(again.remaining(&1), Some(6 * SECOND));
    let cache = ConcurrentCache::<u32, u32, _>::with_ttl(8, 60 * SECOND, &fresh);
    load(&mut &cache, &bytes).unwrap();
    assert_eq!(cache.get_with_ttl(&1), Ok(Some((10, Some(6 * SECOND)))));
    // Without expiry the entries would live for ever.
    let mut lru = LruCache::<u32, u32, 8>::new();
    let refused = load(&mut lru, &bytes);
    assert!(matches!(
        refused,
        Err(SnapshotError::Cache(Error::TtlUnsupported))
    ));
    assert!(lru.is_empty());
}

#[test]
fn uses_of_adaptive_caches_come_back() {
    let mut store = AdaptiveCache::<u32, u32>::with_capacity(100);
    let cache = ConcurrentCache::<u32, u32>::with_capacity(1_000);
    for _ in 0..10 {
        for key in 0..20 {
            store.insert(key, key);
            cache.insert(&key, key).unwrap();
        }
    }
    for bytes in [saved(&store), saved(&cache)] {
        let mut again = AdaptiveCache::<u32, u32>::with_capacity(100);
        assert_eq!(load(&mut again, &bytes).unwrap().entries, 20);
        // A scan does not push them out.
        again.extend((1_000..1_400).map(|key| (key, key)));
        let kept = (0..20).filter(|key| again.contains(key)).count();
        assert!(kept >= 18, "{kept}");
        let warm = ConcurrentCache::<u32, u32>::with_capacity(100);
        load(&mut &warm, &bytes).unwrap();
        (1_000..1_400).for_each(|key| warm.insert(&key, key).unwrap());
        let kept = (0..20).filter(|key| warm.contains(key).unwrap()).count();
        assert!(kept >= 18, "{kept}");
    }
}

#[test]
fn times_of_an_adaptive_store_come_back() {
    let clock = ManualClock::new();
    let limits = TimeLimits::new().expire_after_read(5 * SECOND);
    let new = || AdaptiveTtlCache::<u32, u32, _>::with_limits(10, limits, &clock);
    let mut store = new();
    store.insert(1, 10);
    store.insert_with_ttl(2, 20, 9 * SECOND).unwrap();
    store.insert_with_ttl(3, 30, 4 * SECOND).unwrap();
    clock.advance(4 * SECOND);
    let bytes = saved(&store);
    let mut again = new();
    assert_eq!(load(&mut again, &bytes).unwrap().entries, 2);
    let left = [1, 2, 3].map(|key| again.remaining(&key));
    // The time to idle starts anew.
    assert_eq!(left, [Some(5 * SECOND), Some(2 * SECOND), None]);
    clock.advance(2 * SECOND);
    assert_eq!((again.peek(&1), again.peek(&2)), (Some(&10), None));
}

#[test]
fn time_to_idle_starts_anew_and_heavy_entries_are_refused() {
    let clock = ManualClock::new();
    let builder = || ConcurrentCache::<u32, u64>::builder(10);
    let cache = builder()
        .clock(&clock)
        .expire_after_read(5 * SECOND)
        .build();
    cache.insert(&1, 10u64).unwrap();
    cache.insert(&2, 99u64).unwrap();
    clock.advance(4 * SECOND);
    let bytes = saved(&cache);
    let warm = builder()
        .max_weight(50, |_, value| *value)
        .clock(&clock)
        .expire_after_read(5 * SECOND)
        .build();
    let loaded = load(&mut &warm, &bytes).unwrap();
    assert_eq!((loaded.entries, loaded.refused), (1, 1));
    clock.advance(4 * SECOND);
    assert_eq!(warm.get(&1), Ok(Some(10)));
    clock.advance(4 * SECOND);
    assert_eq!(warm.get(&1), Ok(Some(10)));
}

#[test]
fn damage_at_any_byte_and_any_early_end_load_nothing() {
    let mut store = LruCache::<u32, String, 8>::new();
    (0..8).for_each(|key| drop(store.insert(key, key.to_string())));
    let bytes = saved(&store);
    for place in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut damaged = bytes.clone();
            damaged[place] ^= bit;
            let mut again = LruCache::<u32, String, 8>::new();
            assert!(
                load(&mut again, &damaged).is_err(),
                "bit {bit} of byte {place}"
            );
            assert!(again.is_empty());
        }
        let mut again = LruCache::<u32, String, 8>::new();
        let short = load(&mut again, &bytes[..place]);
        assert!(
            matches!(
                short,
                Err(SnapshotError::Damaged(_) | SnapshotError::NotASnapshot)
            ),
            "{place} bytes: {short:?}"
        );
    }
}

#[test]
fn another_version_schema_or_type_is_named() {
    let mut store = LruCache::<u32, String, 8>::new();
    store.insert(1, "one".into());
    let mut bytes = saved(&store);
    let error = Snapshot::new().schema(2).load(&mut store, &bytes[..]);
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "snapshot of schema 0, expected is 2");
    let mut other = LruCache::<u32, [u64; 5], 8>::new();
    assert!(matches!(
        load(&mut other, &bytes),
        Err(SnapshotError::Decode(_))
    ));
    bytes[7] = 9;
    let error = load(&mut store, &bytes).unwrap_err().to_string();
    assert_eq!(error, "snapshot of version 9, version 1 is read");
    assert!(matches!(
        load(&mut store, b"{}"),
        Err(SnapshotError::NotASnapshot)
    ));
}

#[test]
fn many_blocks_come_back_in_order() {
    let mut store = ctu_core::heap::LruCache::<u32, String>::with_capacity(5_000);
    (0..5_000).for_each(|key| drop(store.insert(key, "x".repeat(key as usize % 300))));
    let bytes = saved(&store);
    assert!(bytes.len() > 2 * (256 << 10));
    let mut again = ctu_core::heap::LruCache::<u32, String>::with_capacity(5_000);
    load(&mut again, &bytes).unwrap();
    assert!(store == again);
}
