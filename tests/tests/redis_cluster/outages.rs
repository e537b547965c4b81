//! Nodes are not there, or refuse.

use crate::{at, in_time, keys_of, raw, secs, shown};
use ctu_std::{Cache, CacheError as _, RedisCache, RedisError};
use ctu_tests::servers::{RedisCluster, free_port};

#[test]
fn one_node_that_answers_is_enough() {
    let cluster = RedisCluster::start(3);
    let dead = || format!("redis://127.0.0.1:{}", free_port());
    let urls = [dead(), dead(), cluster.urls().remove(2), dead()];
    let cache = at(urls);
    for n in 0..30_u8 {
        cache.insert(&[n], &[n]).unwrap();
        assert_eq!(cache.get(&[n]), Ok(Some(vec![n])));
    }
    assert_eq!(cache.len(), Ok(30));
}

#[test]
fn no_node_at_all_is_an_outage() {
    let port = free_port();
    let cache = at([format!("redis://127.0.0.1:{port}")]);
    for _ in 0..3 {
        let error = cache.get(b"a").unwrap_err();
        assert!(error.is_outage());
        let text = format!("no Redis at 127.0.0.1:{port}: connection refused");
        assert_eq!(shown(error), text);
        assert!(cache.len().is_err());
    }
}

#[test]
fn a_cluster_that_went_down_is_used_when_it_is_back() {
    let mut cluster = RedisCluster::start(3);
    let cache = raw(&cluster);
    let keys: Vec<Vec<u8>> = (0..30_u8).map(|n| vec![n]).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let entries = || keys.iter().map(|key| (*key, key.to_vec())).collect();
    cache.put_many(entries(), None).unwrap();
    (0..3).for_each(|node| cluster.node_mut(node).kill());
    for key in &keys {
        let error = cache.get(key).unwrap_err();
        assert!(error.is_outage(), "{error}");
    }
    assert!(cache.len().is_err() && cache.get_many(&keys).is_err());
    (0..3).for_each(|node| cluster.node_mut(node).start_again());
    // What is in memory alone is gone.
    assert_eq!(in_time(|| cache.get_many(&keys)), vec![None; 30]);
    in_time(|| cache.put_many(entries(), None));
    assert_eq!(in_time(|| cache.len()), 30);
}

#[test]
fn a_node_that_is_down_is_an_error_of_its_keys_alone() {
    let mut cluster = RedisCluster::start(3);
    let cache = raw(&cluster);
    let keys: Vec<String> = (0..3).flat_map(|node| keys_of(&cluster, node, 1)).collect();
    let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
    cache.insert(keys[0], b"1").unwrap();
    cluster.node_mut(1).kill();
    let entries = keys.iter().map(|key| (*key, b"2".to_vec())).collect();
    let error = cache.put_many(entries, None).unwrap_err();
    assert!(error.is_outage());
    let down = format!("no Redis at 127.0.0.1:{}: ", cluster.node(1).port());
    assert!(shown(error).starts_with(&down));
    // What the others did stays done.
    assert_eq!(cache.get(keys[0]), Ok(Some(b"2".to_vec())));
    assert_eq!(cache.get(keys[2]), Ok(Some(b"2".to_vec())));
    assert!(shown(cache.get(keys[1]).unwrap_err()).starts_with(&down));
    assert!(shown(cache.len().unwrap_err()).starts_with(&down));
    assert!(shown(cache.clear().unwrap_err()).starts_with(&down));
    let last = cache.keys().last().unwrap();
    assert!(shown(last.unwrap_err()).starts_with(&down));
    cluster.node_mut(1).start_again();
    assert_eq!(in_time(|| cache.get(keys[1])), None);
}

#[test]
fn a_slot_that_nobody_serves_is_told() {
    let cluster = RedisCluster::start(3);
    let cache = raw(&cluster);
    let keys: Vec<String> = (0..3).flat_map(|node| keys_of(&cluster, node, 1)).collect();
    let slot = cluster.slot(&keys[1]).to_string();
    for node in 0..3 {
        let done = cluster.node(node).cli(&["cluster", "delslots", &slot]);
        assert_eq!(done, "OK");
    }
    let error = cache.get(keys[1].as_bytes()).unwrap_err();
    assert!(matches!(error, RedisError::NotReady { .. }), "{error}");
    assert!(error.is_outage());
    assert!(shown(error).ends_with(&format!("no node serves slot {slot}")));
    assert!(matches!(cache.len(), Err(RedisError::NotReady { .. })));
    assert_eq!(cache.get(keys[0].as_bytes()), Ok(None));
    let done = cluster.node(1).cli(&["cluster", "addslots", &slot]);
    assert_eq!(done, "OK");
    assert_eq!(in_time(|| cache.get(keys[1].as_bytes())), None);
}

#[test]
fn a_wrong_password_is_told_and_not_shown() {
    let cluster = RedisCluster::start(2);
    for node in 0..2 {
        let user = ["acl", "setuser", "me", "on", ">s3cret", "~*", "+@all"];
        assert_eq!(cluster.node(node).cli(&user), "OK");
    }
    let builder = || RedisCache::cluster(cluster.urls()).raw().deadline(secs(60));
    let wrong = builder().user("me").password("wr0ng").build().unwrap();
    for error in [wrong.get(b"a").unwrap_err(), wrong.len().unwrap_err()] {
        assert!(matches!(error, RedisError::Auth { .. }), "{error}");
        assert!(!format!("{error:?}").contains("wr0ng"));
        assert!(shown(error).ends_with("refuses this user and password"));
    }
    // Every node is logged in to, also those that nobody named.
    let one = cluster.urls()[0].replace("//", "//me:s3cret@");
    let right = RedisCache::cluster([one]).raw().deadline(secs(60));
    let right = right.build().unwrap();
    assert!(!format!("{right:?}").contains("s3cret"));
    for n in 0..20_u8 {
        right.insert(&[n], &[n]).unwrap();
    }
    assert_eq!(right.len(), Ok(20));
    for node in 0..2 {
        let users = cluster.node(node).cli(&["client", "list"]);
        assert!(users.contains("user=me"), "{users}");
    }
}
