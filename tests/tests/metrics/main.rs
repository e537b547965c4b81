//! Caches hand counts and durations to the facade `metrics`, under the documented names.

mod exported;
#[cfg(feature = "servers")]
mod servers;

use ctu_std::{
    Bytes, ConcurrentCache, LruCache, ManualClock, MeteredCache, Ready, SpinCache, StatsCache,
    prelude::*,
    test_util::{Fault, FaultyCache},
};
use exported::Metric;
use metrics::Unit;
use metrics_util::debugging::DebugValue;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

fn counter(count: u64) -> Metric {
    (Some(Unit::Count), DebugValue::Counter(count))
}

fn gauge(value: f64) -> Metric {
    (Some(Unit::Count), DebugValue::Gauge(value.into()))
}

#[test]
fn counts_of_a_stats_cache_are_exported() {
    let metrics = exported::by(|| {
        let store = SpinCache::new(LruCache::<u32, u32>::with_capacity(8));
        let cache = StatsCache::new(store);
        (0..5).for_each(|key| cache.insert(&key, key).unwrap());
        for key in 3..6 {
            cache.get(&key).unwrap();
        }
        cache.contains(&1).unwrap();
        cache.remove(&1).unwrap();
        // The second export replaces the first.
        cache.stats().unwrap().export("pages");
        cache.stats().unwrap().export("pages");
    });
    let expected = [
        ("ctu.cache.entry.count{cache=pages}", gauge(4.0)),
        (
            "ctu.cache.operations{cache=pages,operation=contains}",
            counter(1),
        ),
        (
            "ctu.cache.operations{cache=pages,operation=insert}",
            counter(5),
        ),
        (
            "ctu.cache.operations{cache=pages,operation=remove}",
            counter(1),
        ),
        ("ctu.cache.requests{cache=pages,result=hit}", counter(2)),
        ("ctu.cache.requests{cache=pages,result=miss}", counter(1)),
    ];
    let expected = expected.map(|(name, metric)| (name.to_owned(), metric));
    assert_eq!(metrics, BTreeMap::from(expected));
}

#[test]
fn statistics_of_a_concurrent_cache_are_exported() {
    let clock = ManualClock::new();
    let metrics = exported::by(|| {
        let cache = ConcurrentCache::<u32, u32>::builder(2)
            .max_weight(100, |_, value| u64::from(*value))
            .count()
            .clock(&clock)
            .build();
        for key in 0..4 {
            cache.insert(&key, 10u32).unwrap();
        }
        cache.insert(&3, 20u32).unwrap();
        cache.remove(&3).unwrap();
        cache.get(&3).unwrap();
        cache.stats().unwrap().export("pages");
    });
    let plain = |value: f64| (None, DebugValue::Gauge(value.into()));
    for (name, expected) in [
        ("requests{cache=pages,result=hit}", counter(0)),
        ("requests{cache=pages,result=miss}", counter(1)),
        ("insertions{cache=pages}", counter(5)),
        ("removals{cache=pages,cause=evicted}", counter(2)),
        ("removals{cache=pages,cause=expired}", counter(0)),
        ("removals{cache=pages,cause=replaced}", counter(1)),
        ("removals{cache=pages,cause=removed}", counter(1)),
        ("hit_ratio{cache=pages,capacity=same}", plain(0.0)),
        ("entry.count{cache=pages}", gauge(1.0)),
        ("entry.limit{cache=pages}", gauge(2.0)),
        ("weight.usage{cache=pages}", plain(10.0)),
        ("weight.limit{cache=pages}", plain(100.0)),
    ] {
        let name = format!("ctu.cache.{name}");
        assert_eq!(metrics.get(&name), Some(&expected), "{name}");
    }
    // Beside the hit ratios at half and at twice the capacity.
    assert_eq!(metrics.len(), 14);
}

/// The number of durations of each histogram, all in seconds and together within `limit`.
fn durations(metrics: BTreeMap<String, Metric>, limit: Duration) -> BTreeMap<String, usize> {
    let mut sum = 0.0;
    let counts = metrics.into_iter().map(|(name, (unit, value))| {
        assert_eq!(unit, Some(Unit::Seconds), "{name}");
        let DebugValue::Histogram(times) = value else {
            panic!("{name} is no histogram");
        };
        sum += times.iter().map(|time| time.0).sum::<f64>();
        (name, times.len())
    });
    let counts = counts.collect();
    // Of operations that follow each other: a larger unit or a smaller one would not do.
    assert!(
        sum > 0.0 && sum <= limit.as_secs_f64(),
        "{sum} of {limit:?}"
    );
    counts
}

fn names<const N: usize>(metric: &str, counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    let counts = counts.into_iter();
    counts
        .map(|(labels, count)| (format!("{metric}{{{labels}}}"), count))
        .collect()
}

#[test]
fn durations_are_recorded_by_operation_and_result() {
    let begun = Instant::now();
    let metrics = exported::by(|| {
        let store = SpinCache::new(LruCache::<u32, u32>::with_capacity(8));
        let cache = MeteredCache::new(store, "pages");
        cache.insert(&1, 10u32).unwrap();
        for key in 0..3 {
            cache.get(&key).unwrap();
        }
        cache.get_many(&[&1, &2]).unwrap();
        cache.get_many(&[&1]).unwrap();
        assert_eq!(cache.get_or_insert_with(&2, || 20u32), Ok(20));
        assert_eq!(cache.get_or_insert_with(&2, || 30u32), Ok(20));
        cache.contains(&1).unwrap();
        cache.pop(&1).unwrap();
        cache.remove(&2).unwrap();
        cache.retain(&mut |_| true).unwrap();
        cache.len().unwrap();
        cache.clear().unwrap();
    });
    let expected = names(
        "ctu.cache.operation.duration",
        [
            ("cache=pages,operation=insert", 1),
            // A lookup of a key without a value is a miss, however many others have one.
            ("cache=pages,operation=get,result=hit", 3),
            ("cache=pages,operation=get,result=miss", 4),
            ("cache=pages,operation=compute", 1),
            ("cache=pages,operation=contains", 1),
            ("cache=pages,operation=pop,result=hit", 1),
            ("cache=pages,operation=remove", 1),
            ("cache=pages,operation=retain", 1),
            ("cache=pages,operation=len", 1),
            ("cache=pages,operation=clear", 1),
        ],
    );
    assert_eq!(durations(metrics, begun.elapsed()), expected);
}

#[tokio::test]
async fn durations_of_an_async_cache_are_recorded() {
    let begun = Instant::now();
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    // For this thread, which runs the test alone.
    let guard = metrics::set_default_local_recorder(&recorder);
    let store = SpinCache::new(LruCache::<u32, u32>::with_capacity(8));
    let cache = MeteredCache::new(Ready(store), "pages");
    cache.insert(&1, 10u32).await.unwrap();
    let made = cache.get_or_insert_with(&2, || async { 20u32 }).await;
    assert_eq!(made, Ok(20));
    assert_eq!(cache.get(&2).await, Ok(Some(20)));
    drop(guard);
    let metrics = exported::of(snapshotter.snapshot());
    let expected = names(
        "ctu.cache.operation.duration",
        [
            ("cache=pages,operation=insert", 1),
            ("cache=pages,operation=get,result=miss", 1),
            ("cache=pages,operation=compute", 1),
            ("cache=pages,operation=get,result=hit", 1),
        ],
    );
    assert_eq!(durations(metrics, begun.elapsed()), expected);
}

#[test]
fn failures_have_the_kind_of_their_error() {
    let begun = Instant::now();
    let metrics = exported::by(|| {
        let store = SpinCache::new(LruCache::<Bytes<4>, u32>::with_capacity(8));
        let cache = MeteredCache::new(FaultyCache::new(store), "pages");
        assert!(cache.insert(b"too long", 1u32).is_err());
        cache.get_ref().fail(Fault::Unreachable);
        assert!(cache.get(b"key").is_err());
        cache.get_ref().fail(Fault::Overloaded);
        assert!(cache.remove(b"key").is_err());
        cache.get_ref().fail(Fault::Refused);
        assert!(cache.clear().is_err());
        cache.get_ref().work();
        assert_eq!(cache.get(b"key").unwrap(), None);
        let failed = cache.get_or_try_insert_with(b"key", || Err::<u32, _>("no value"));
        assert_eq!(failed.unwrap(), Err("no value"));
    });
    let mut counts = durations(metrics, begun.elapsed());
    counts.retain(|name, _| name.contains("error.type"));
    let expected = names(
        "ctu.cache.operation.duration",
        [
            ("cache=pages,error.type=key_too_long,operation=insert", 1),
            ("cache=pages,error.type=outage,operation=get", 1),
            ("cache=pages,error.type=overload,operation=remove", 1),
            ("cache=pages,error.type=_OTHER,operation=clear", 1),
        ],
    );
    assert_eq!(counts, expected);
}

#[test]
fn operations_of_a_server_are_those_of_a_database_client() {
    let begun = Instant::now();
    let metrics = exported::by(|| {
        let server = SpinCache::new(LruCache::<u32, u32>::with_capacity(8));
        let cache = MeteredCache::of_server(server, "pages", "redis");
        cache.insert(&1, 10u32).unwrap();
        cache.get(&1).unwrap();
    });
    let expected = names(
        "db.client.operation.duration",
        [
            (
                "cache=pages,db.operation.name=insert,db.system.name=redis",
                1,
            ),
            (
                "cache=pages,db.operation.name=get,db.system.name=redis,result=hit",
                1,
            ),
        ],
    );
    assert_eq!(durations(metrics, begun.elapsed()), expected);
}
