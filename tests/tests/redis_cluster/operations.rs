use crate::{
    at,
    forms::{Form, in_both_forms},
    raw, secs,
};
use ctu_std::{Cache, CacheExt, Error, PrefixedRedisCache, RedisCache, RedisError};
use ctu_tests::servers::RedisCluster;
use std::{collections::BTreeSet, time::Duration};

in_both_forms! {
    cluster_operations_match_a_single_server
    value_of_another_type_is_an_error
    entries_are_counted_on_all_nodes
    build_needs_no_server_and_rejects_other_databases
}

fn prefixed(cluster: &RedisCluster, prefix: &str) -> PrefixedRedisCache<str, u32> {
    let builder = RedisCache::cluster(cluster.urls()).prefix(prefix);
    builder.deadline(secs(60)).build().unwrap()
}

/// How many keys each master has.
fn sizes(cluster: &RedisCluster) -> Vec<usize> {
    let size = |master| cluster.node(master).cli(&["dbsize"]).parse().unwrap();
    (0..cluster.masters()).map(size).collect()
}

fn cluster_operations_match_a_single_server<C: Form>() {
    let cluster = RedisCluster::start(3);
    let cache: C = at(&cluster.urls()[1..2]);
    for n in 0..30_u8 {
        let (key, value) = (format!("key {n}"), vec![n]);
        let key = key.as_bytes();
        assert_eq!(cache.get(key), Ok(None));
        cache.insert(key, &value).unwrap();
        assert_eq!(cache.get(key), Ok(Some(value.clone())));
        assert_eq!(cache.contains(key), Ok(true));
        let (found, left) = cache.get_with_ttl(key).unwrap().unwrap();
        assert!(found == value && left.is_some_and(|left| left <= secs(600)));
        assert!(cache.ttl(key).unwrap().is_some());
        assert_eq!(cache.touch(key, Some(secs(5000))), Ok(true));
        assert!(cache.ttl(key).unwrap().unwrap() > secs(600));
        if n % 3 == 0 {
            assert_eq!(cache.remove(key), Ok(true));
            assert_eq!(cache.remove(key), Ok(false));
        } else if n % 3 == 1 {
            assert_eq!(cache.pop(key), Ok(Some(value)));
            assert_eq!(cache.pop(key), Ok(None));
        }
    }
    cache.insert_with_ttl(b"none", b"", Duration::ZERO).unwrap();
    assert_eq!(
        cache.get_or_insert_with(b"made", || b"1"),
        Ok(b"1".to_vec())
    );
    assert_eq!(cache.touch(b"none", None), Ok(false));
    assert_eq!(cache.len(), Ok(11));
    assert!(sizes(&cluster).iter().all(|size| *size > 0));
    let keys: BTreeSet<Vec<u8>> = cache.keys().collect::<Result<_, _>>().unwrap();
    assert!(keys.len() == 11 && keys.contains(&b"made"[..]));
    cache.keep(|key| key == b"made").unwrap();
    let left = cache.keys().collect::<Result<Vec<_>, _>>();
    assert_eq!(left, Ok(vec![b"made".to_vec()]));
    cache.clear().unwrap();
    assert_eq!(cache.is_empty(), Ok(true));
}

#[test]
fn prefixed_operations_keep_other_keys() {
    let cluster = RedisCluster::start(3);
    let (own, other) = (prefixed(&cluster, "a*."), prefixed(&cluster, "ab."));
    for n in 0..600 {
        own.insert(&n.to_string(), n).unwrap();
        other.insert(&n.to_string(), n).unwrap();
    }
    own.retain(&mut |key| key.ends_with('0')).unwrap();
    assert_eq!(own.keys().filter(Result::is_ok).count(), 60);
    own.clear().unwrap();
    assert_eq!(own.keys().count(), 0);
    assert_eq!(other.keys().filter(Result::is_ok).count(), 600);
    assert_eq!((own.len(), other.len()), (Ok(0), Ok(600)));
}

#[test]
fn hash_tags_place_keys_on_one_node() {
    let cluster = RedisCluster::start(3);
    let cache = prefixed(&cluster, "{app}.");
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let entries = names.iter().zip(0..).map(|(name, n)| (name.as_str(), n));
    cache.insert_many(entries.collect(), None).unwrap();
    assert_eq!(sizes(&cluster).iter().filter(|size| **size > 0).count(), 1);
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = cache.get_many(&keys).unwrap();
    assert!(found.into_iter().eq((0..100).map(Some)));
    cache.clear().unwrap();
    assert_eq!(cache.len(), Ok(0));
}

fn value_of_another_type_is_an_error<C: Form>() {
    let cluster = RedisCluster::start(3);
    let cache = raw::<C>(&cluster);
    for n in 0..10 {
        let key = format!("list {n}");
        cluster.node(0).cli(&["-c", "lpush", &key, "a"]);
        assert_eq!(cache.get(key.as_bytes()), Err(RedisError::WrongType));
        assert_eq!(
            cache.get_many(&[key.as_bytes(), b"none"]),
            Ok(vec![None; 2])
        );
        assert_eq!(cache.remove(key.as_bytes()), Ok(true));
    }
}

fn entries_are_counted_on_all_nodes<C: Form>() {
    let cluster = RedisCluster::start(3);
    let cache = raw::<C>(&cluster);
    for n in 0..30_u8 {
        cache.insert(&[n], b"1").unwrap();
        cache.get(&[n]).unwrap();
        cache.get(&[n, n]).unwrap();
    }
    let stats = cache.stats().unwrap();
    assert_eq!((stats.hits, stats.misses), (30, 30));
    assert_eq!(stats.hit_rate(), 0.5);
    let info = cache.info("server").unwrap();
    let told = info.into_iter().map(|info| {
        let port = info.get("tcp_port").unwrap().to_owned();
        (info.server, port)
    });
    let port = |node| cluster.node(node).port().to_string();
    let nodes = (0..3).map(|node| (format!("127.0.0.1:{}", port(node)), port(node)));
    assert!(told.collect::<BTreeSet<_>>() == nodes.collect());
}

fn build_needs_no_server_and_rejects_other_databases<C: Form>() {
    let builder = RedisCache::cluster(["redis://127.0.0.1:1"]).raw();
    let cache = C::build(builder).unwrap();
    assert!(format!("{cache:?}").contains("127.0.0.1:1"));
    assert_eq!(cache.get_many(&[]), Ok(vec![]));
    let builder = RedisCache::cluster(["redis://127.0.0.1"]).raw().database(1);
    let error = C::build(builder).unwrap_err();
    let core = matches!(error, RedisError::Core(Error::OutOfRange { .. }));
    assert!(core, "{error}");
    let none: [&str; 0] = [];
    let error = C::build(RedisCache::cluster(none).raw()).unwrap_err();
    assert!(matches!(error, RedisError::Url(_)), "{error}");
}
