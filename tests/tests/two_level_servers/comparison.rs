//! The same operations as `tests/compare/two_level.py`, which shows the results of Python's cache.

use crate::node::Second;
use ctu_std::{
    Cache, CacheExt, PrefixedRedisCache, StdClock, TtlCache, TwoLevelCache, test_util::NetworkFault,
};
use ctu_tests::servers::RedisServer;
use std::{thread, time::Duration};

const KEYS: u64 = 100;
const READS: u64 = 20;
const OLD: u64 = 1;
const NEW: u64 = 2;

#[test]
fn outage_loses_nothing_that_python_loses() {
    let server = RedisServer::start();
    let network = server.proxy();
    let direct = PrefixedRedisCache::<str, u64>::at(server.port(), Duration::from_secs(60));
    // Longer than Python's, so that a busy machine is not taken for an outage.
    let second = PrefixedRedisCache::<str, u64>::at(network.port(), Duration::from_millis(500));
    let first =
        TtlCache::<String, u64, _>::with_capacity(1_000, Duration::from_secs(600), StdClock::new());
    let millis = Duration::from_millis;
    let cache = TwoLevelCache::builder(first, second).resilient();
    let cache = cache
        .open_for(millis(10), millis(50))
        .settle_time(millis(100))
        .build();
    let key = |key: u64| format!("k{key}");
    for n in 0..KEYS {
        cache.insert(&key(n), OLD).unwrap();
        direct.insert(&key(n), OLD).unwrap();
    }
    network.fail(NetworkFault::Closed);
    let mut errors = 0;
    for n in 0..KEYS {
        let done = match n % 2 {
            0 => cache.remove(&key(n)).map(drop),
            _ => cache.insert(&key(n), NEW),
        };
        errors += u32::from(done.is_err());
    }
    assert_eq!(direct.get(&key(0)), Ok(Some(OLD)));
    network.work();
    cache.first().clear().unwrap();
    let reads = || -> Vec<_> { (0..KEYS).map(|n| cache.get(&key(n)).unwrap()).collect() };
    // At once, and when all is made good.
    let mut found = reads();
    while cache.stats().journal > 0 {
        thread::yield_now();
    }
    found.extend(reads());
    let back = found
        .iter()
        .step_by(2)
        .filter(|value| value.is_some())
        .count();
    let older = found
        .iter()
        .skip(1)
        .step_by(2)
        .filter(|value| **value == Some(OLD))
        .count();
    network.fail(NetworkFault::BlackHole);
    let before = cache.stats().outages;
    for n in 0..READS {
        assert_eq!(cache.get(&format!("none{n}")), Ok(None));
    }
    let late = cache.stats().outages - before;
    println!(
        "deleted in the outage, and there again: {back} of {}",
        KEYS / 2
    );
    println!(
        "written in the outage, and older again: {older} of {}",
        KEYS / 2
    );
    println!("operations that were errors: {errors}");
    println!("deadlines waited for in {READS} reads of a black hole: {late}");
    assert_eq!((back, older, errors), (0, 0, 0));
}
