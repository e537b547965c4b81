//! The counts of real servers.

use crate::{counter, exported, gauge};
use ctu_std::{Cache, CacheExt, MemCached, RedisCache};
use ctu_tests::servers::{MemcachedServer, RedisServer};
use metrics::Unit;
use metrics_util::debugging::DebugValue;

#[test]
fn counts_of_a_redis_server_are_exported() {
    let server = RedisServer::start();
    let cache = RedisCache::builder(server.url()).raw().build().unwrap();
    cache.insert(b"one", b"1".to_vec()).unwrap();
    for key in [b"one", b"two", b"one"] {
        cache.get(key).unwrap();
    }
    let stats = cache.stats().unwrap();
    assert!(stats.commands >= 4 && stats.connections > 0);
    let metrics = exported::by(|| stats.export("pages"));
    let expected = [
        ("redis.keyspace.hits", 2),
        ("redis.keyspace.misses", 1),
        ("redis.keys.expired", 0),
        ("redis.keys.evicted", 0),
        ("redis.commands.processed", stats.commands),
        ("redis.connections.received", stats.connections),
    ];
    let expected = expected.map(|(name, count)| (format!("{name}{{cache=pages}}"), counter(count)));
    assert_eq!(metrics, expected.into());
}

#[test]
fn counts_of_each_memcached_server_are_exported() {
    let servers = [MemcachedServer::start(), MemcachedServer::start()];
    let builder = MemCached::builder(servers[0].address()).server(servers[1].address());
    let cache = builder.raw().build().unwrap();
    for number in 0..20_u8 {
        cache.insert(&[number], vec![number]).unwrap();
        cache.get(&[number]).unwrap();
        cache.get(&[number, number]).unwrap();
    }
    let stats = cache.stats().unwrap();
    assert_eq!(stats.iter().map(|server| server.hits).sum::<u64>(), 20);
    let metrics = exported::by(|| stats.iter().for_each(|server| server.export("pages")));
    let mut expected = Vec::new();
    for server in &stats {
        let labels = format!("cache=pages,server={}", server.server);
        let of = |name: &str, more: &str| {
            let mut labels: Vec<_> = labels.split(',').chain(more.split(',')).collect();
            labels.retain(|label| !label.is_empty());
            labels.sort_unstable();
            format!("{name}{{{}}}", labels.join(","))
        };
        let bytes = DebugValue::Gauge((server.bytes as f64).into());
        expected.extend([
            (
                of("memcached.operations", "operation=get,type=hit"),
                counter(server.hits),
            ),
            (
                of("memcached.operations", "operation=get,type=miss"),
                counter(server.misses),
            ),
            (of("memcached.evictions", ""), counter(server.evicted)),
            (
                of("memcached.connections.total", ""),
                counter(server.connections),
            ),
            (
                of("memcached.current_items", ""),
                gauge(server.items as f64),
            ),
            (of("memcached.bytes", ""), (Some(Unit::Bytes), bytes)),
        ]);
    }
    assert_eq!(metrics, expected.into_iter().collect());
}
