use crate::{keys_of, secs};
use ctu_std::{Cache, CacheExt, RedisCache, StdClock, TtlCache, TwoLevelCache};
use ctu_tests::servers::RedisCluster;
use std::{thread, time::Duration};

#[test]
fn two_levels_survive_a_cluster_failover() {
    let mut cluster = RedisCluster::replicated(3);
    let second = RedisCache::cluster(cluster.urls()).prefix("");
    let second = second.deadline(secs(1)).build::<str, u32>().unwrap();
    let direct = second.clone();
    let millis = Duration::from_millis;
    let first = TtlCache::<String, u32, _>::with_capacity(1_000, millis(50), StdClock::new());
    let cache = TwoLevelCache::builder(first, second)
        .resilient()
        .open_for(millis(5), millis(40))
        .settle_time(millis(500))
        .build();
    let keys: Vec<String> = (0..3)
        .flat_map(|node| keys_of(&cluster, node, 20))
        .collect();
    for key in &keys {
        cache.insert(key.as_str(), 1_u32).unwrap();
    }
    (0..3).for_each(|master| cluster.replicate(master));
    cluster.node_mut(0).kill();
    // An outage of a node is not an error: missed operations are replayed.
    for (key, n) in keys.iter().zip(0..) {
        match n % 2 {
            0 => drop(cache.remove(key).unwrap()),
            _ => cache.insert(key.as_str(), 2_u32).unwrap(),
        }
    }
    let shown = |key: &String, n: u32| match (cache.get(key).unwrap(), n % 2) {
        (None, _) | (Some(2), 1) => {}
        (found, _) => panic!("{key}, {n}: {found:?}"),
    };
    let check = || keys.iter().zip(0..).for_each(|(key, n)| shown(key, n));
    check();
    cluster.fail_over(0);
    while cache.stats().journal > 0 {
        check();
        thread::yield_now();
    }
    check();
    // No other client finds an outdated value either.
    let all: Vec<&str> = keys.iter().map(String::as_str).collect();
    for (found, n) in direct.get_many(&all).unwrap().into_iter().zip(0..) {
        assert!(found.is_none() || (found == Some(2) && n % 2 == 1), "{n}");
    }
    for key in &keys {
        cache.insert(key.as_str(), 3_u32).unwrap();
        assert_eq!(cache.get(key), Ok(Some(3)));
    }
    assert_eq!(direct.get_many(&all), Ok(vec![Some(3); 60]));
}
