use crate::{builder, shown};
use ctu_std::{Cache, CacheExt, MemCached, MemCachedError, NetError};
use ctu_tests::servers::MemcachedServer;
use std::time::Duration;

fn three() -> (Vec<MemcachedServer>, MemCached<u32, u32>) {
    let servers: Vec<_> = (0..3).map(|_| MemcachedServer::start()).collect();
    let builder = builder(servers[0].address()).server(servers[1].address());
    let builder = builder.server(servers[2].address());
    (servers, builder.build().unwrap())
}

#[test]
fn keys_are_spread_over_servers() {
    let (servers, cache) = three();
    let keys: Vec<u32> = (0..300).collect();
    cache
        .insert_many(keys.iter().map(|key| (key, *key)).collect(), None)
        .unwrap();
    let stats = cache.stats().unwrap();
    assert_eq!(stats.len(), 3);
    for (stats, server) in stats.iter().zip(&servers) {
        assert_eq!(stats.server, server.address());
        assert!((40..=200).contains(&stats.items), "{}", stats.items);
    }
    assert_eq!(cache.len(), Ok(300));
    let asked: Vec<&u32> = keys.iter().rev().collect();
    let found = cache.get_many(&asked).unwrap();
    assert!(
        asked
            .iter()
            .zip(&found)
            .all(|(key, found)| Some(**key) == *found)
    );
    let found = cache.get_many_with_ttl(&asked).unwrap();
    assert!(
        asked
            .iter()
            .zip(&found)
            .all(|(key, found)| Some((**key, None)) == *found)
    );
    for key in &keys {
        assert_eq!(cache.get(key), Ok(Some(*key)));
    }
    assert_eq!(cache.remove(&7), Ok(true));
    assert_eq!(cache.remove_many(&asked), Ok(299));
    cache.insert(&7, 7).unwrap();
    cache.clear().unwrap();
    assert_eq!(cache.get(&7), Ok(None));
}

#[test]
fn server_order_does_not_matter() {
    let (servers, cache) = three();
    let other: MemCached<u32, u32> = builder(servers[2].address())
        .server(servers[0].address())
        .server(servers[1].address())
        .server(servers[0].address())
        .build()
        .unwrap();
    for key in 0..50 {
        cache.insert(&key, key).unwrap();
        assert_eq!(other.get(&key), Ok(Some(key)));
    }
    assert_eq!(other.stats().unwrap().len(), 3);
}

#[test]
fn failed_server_affects_only_its_own_keys() {
    let (mut servers, cache) = three();
    let keys: Vec<u32> = (0..100).collect();
    cache
        .insert_many(keys.iter().map(|key| (key, *key)).collect(), None)
        .unwrap();
    servers[1].kill();
    let (lost, there): (Vec<_>, Vec<_>) = keys
        .iter()
        .map(|key| cache.get(key))
        .partition(Result::is_err);
    assert!(lost.len() > 10 && there.len() > 40);
    assert!(there.iter().all(|found| matches!(found, Ok(Some(_)))));
    let error = lost.into_iter().next().unwrap().unwrap_err();
    let text = format!(
        "no Memcached at {}: connection refused",
        servers[1].address()
    );
    assert_eq!(shown(error), text);
    // The others get theirs all the same.
    let error = cache
        .insert_many(keys.iter().map(|key| (key, key + 1)).collect(), None)
        .unwrap_err();
    let refused = matches!(error, MemCachedError::Net(NetError::Unreachable { .. }));
    assert!(refused, "{error}");
    let stored = keys
        .iter()
        .filter(|key| cache.get(key) == Ok(Some(*key + 1)));
    assert_eq!(stored.count(), there.len());
    servers[1].start_again();
    assert_eq!(
        keys.iter().filter(|key| cache.get(key) == Ok(None)).count(),
        100 - there.len()
    );
}

#[test]
fn hanging_server_leaves_time_for_the_others() {
    let (servers, long_deadline) = three();
    let keys: Vec<u32> = (0..100).collect();
    let keys: Vec<&u32> = keys.iter().collect();
    let one_each = || keys.iter().map(|key| (*key, **key)).collect::<Vec<_>>();
    let mut builder = builder(servers[0].address()).deadline(Duration::from_millis(600));
    for server in &servers[1..] {
        builder = builder.server(server.address());
    }
    let cache: MemCached<u32, u32> = builder.build().unwrap();
    cache.insert_many(one_each(), None).unwrap();
    let held = |server: &MemcachedServer| {
        let stats = server.ask_text("stats\r\n");
        let line = |name: &str| {
            let line = stats.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().parse::<u64>().unwrap()
        };
        // The connection of this request counts as well.
        (line("STAT curr_items "), line("STAT total_connections "))
    };
    let before: Vec<_> = servers.iter().map(held).collect();
    assert!(before.iter().all(|(items, _)| *items > 10));
    servers[0].pause();
    let late = |error: MemCachedError| {
        let late = matches!(error, MemCachedError::Net(NetError::TimedOut { .. }));
        assert!(late, "{error}");
    };
    late(cache.remove_many(&keys).unwrap_err());
    for (server, before) in servers.iter().zip(&before).skip(1) {
        assert_eq!(held(server), (0, before.1 + 1));
    }
    late(cache.insert_many(one_each(), None).unwrap_err());
    for (server, before) in servers.iter().zip(&before).skip(1) {
        assert_eq!(held(server), (before.0, before.1 + 2));
    }
    late(cache.clear().unwrap_err());
    for (server, before) in servers.iter().zip(&before).skip(1) {
        assert_eq!(held(server).1, before.1 + 3);
    }
    servers[0].resume();
    let there = long_deadline.get_many(&keys).unwrap().into_iter().flatten();
    assert!(there.count() as u64 <= before[0].0);
}
