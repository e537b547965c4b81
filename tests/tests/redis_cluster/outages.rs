//! Nodes are not there, or refuse.

use crate::{
    at,
    fake::{CLOSE, Fake, map},
    forms::{Form, in_both_forms},
    in_time, keys_of, raw, secs, shown, text,
};
use ctu_std::{CacheError as _, CacheExt, RedisCache, RedisError};
use ctu_tests::servers::{RedisCluster, free_port};
use std::{
    sync::{
        Arc, Barrier, OnceLock,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
};

in_both_forms! {
    one_reachable_seed_is_enough
    unreachable_cluster_is_an_outage
    cluster_is_used_again_after_an_outage
    node_down_affects_only_its_keys
    hanging_node_holds_no_connection_of_others
    recovered_node_serves_its_keys_again
    unserved_slot_is_reported
    wrong_password_is_reported_and_not_shown
    cluster_with_a_lost_node_can_be_joined
    value_over_a_limit_of_its_node_is_the_fault_of_its_entry
}

fn one_reachable_seed_is_enough<C: Form>() {
    let cluster = RedisCluster::start(3);
    let dead = || format!("redis://127.0.0.1:{}", free_port());
    let urls = [dead(), dead(), cluster.urls().remove(2), dead()];
    let cache = at::<C>(urls);
    for n in 0..30_u8 {
        cache.insert(&[n], &[n]).unwrap();
        assert_eq!(cache.get(&[n]), Ok(Some(vec![n])));
    }
    assert_eq!(cache.len(), Ok(30));
}

fn unreachable_cluster_is_an_outage<C: Form>() {
    let port = free_port();
    let cache = at::<C>([format!("redis://127.0.0.1:{port}")]);
    for _ in 0..3 {
        let error = cache.get(b"a").unwrap_err();
        assert!(error.is_outage());
        let text = format!("no Redis at 127.0.0.1:{port}: connection refused");
        assert_eq!(shown(error), text);
        assert!(cache.len().is_err());
    }
}

fn cluster_is_used_again_after_an_outage<C: Form>() {
    let mut cluster = RedisCluster::start(3);
    let cache = raw::<C>(&cluster);
    let keys: Vec<Vec<u8>> = (0..30_u8).map(|n| vec![n]).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let entries = || keys.iter().map(|key| (*key, key.to_vec())).collect();
    cache.insert_many(entries(), None).unwrap();
    (0..3).for_each(|node| cluster.node_mut(node).kill());
    for key in &keys {
        let error = cache.get(key).unwrap_err();
        assert!(error.is_outage(), "{error}");
    }
    assert!(cache.len().is_err() && cache.get_many(&keys).is_err());
    (0..3).for_each(|node| cluster.node_mut(node).start_again());
    // Values in memory only are lost.
    assert_eq!(in_time(|| cache.get_many(&keys)), vec![None; 30]);
    in_time(|| cache.insert_many(entries(), None));
    assert_eq!(in_time(|| cache.len()), 30);
}

fn node_down_affects_only_its_keys<C: Form>() {
    let mut cluster = RedisCluster::start(3);
    let cache = raw::<C>(&cluster);
    let keys: Vec<String> = (0..3).flat_map(|node| keys_of(&cluster, node, 1)).collect();
    let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
    cache.insert(keys[0], b"1").unwrap();
    cluster.node_mut(1).kill();
    let entries = keys.iter().map(|key| (*key, b"2".to_vec())).collect();
    let error = cache.insert_many(entries, None).unwrap_err();
    assert!(error.is_outage());
    let down = format!("no Redis at 127.0.0.1:{}: ", cluster.node(1).port());
    assert!(shown(error).starts_with(&down));
    // The effects on the other nodes stay.
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

fn hanging_node_holds_no_connection_of_others<C: Form>() {
    let mut cluster = RedisCluster::start(3);
    // The pool has one connection to each node: its holder blocks all others.
    let builder = RedisCache::cluster(cluster.urls()).raw().pool_size(1);
    let cache = C::build(builder.deadline(secs(20))).unwrap();
    // The first in the order that nodes are talked to.
    let hung = (0..3).min_by_key(|node| cluster.node(*node).port().to_string());
    let hung = hung.unwrap();
    let keys: Vec<String> = (0..3).flat_map(|node| keys_of(&cluster, node, 1)).collect();
    let put = |value: &[u8]| {
        let entries = keys.iter().map(|key| (key.as_bytes(), value.to_vec()));
        cache.insert_many(entries.collect(), None)
    };
    assert_eq!(put(b"1"), Ok(()));
    cluster.node_mut(hung).kill();
    assert!(cache.get(keys[hung].as_bytes()).unwrap_err().is_outage());
    // The node accepts connections and does not answer. No connection to the other nodes exists
    // either.
    cluster.node_mut(hung).start_again();
    cluster.settle();
    cluster.node(hung).pause();
    let others = || (0..3).filter(|node| *node != hung);
    for other in others() {
        let kill = ["client", "kill", "type", "normal", "skipme", "yes"];
        cluster.node(other).cli(&kill);
    }
    thread::scope(|scope| {
        let batch = scope.spawn(|| put(b"2"));
        let found = |node: usize| cluster.node(node).cli(&["get", &keys[node]]);
        while others().any(|other| found(other) != "2") {
            thread::yield_now();
        }
        for other in others() {
            assert_eq!(text(&cache, &keys[other]).as_deref(), Some("2"));
        }
        assert!(!batch.is_finished());
        cluster.node(hung).resume();
        assert_eq!(batch.join().unwrap(), Ok(()));
    });
    assert_eq!(text(&cache, &keys[hung]).as_deref(), Some("2"));
}

/// The answers of two nodes with half of the slots each.
struct Halves {
    map: OnceLock<String>,
    /// Whether the second closes its connections.
    down: AtomicBool,
    /// Whether each answers only when both were asked.
    together: AtomicBool,
    asked: Barrier,
}

impl Halves {
    fn answer(&self, command: &str) -> String {
        if command == "CLUSTER SLOTS" {
            return self.map.get().expect("both to have a port").clone();
        }
        if self.together.load(SeqCst) {
            self.asked.wait();
        }
        "*1\r\n$-1\r\n".into()
    }
}

fn recovered_node_serves_its_keys_again<C: Form>() {
    let halves = Arc::new(Halves {
        map: OnceLock::new(),
        down: AtomicBool::new(true),
        together: AtomicBool::new(false),
        asked: Barrier::new(2),
    });
    let own = halves.clone();
    let first = Fake::start(move |_, command| own.answer(command));
    let own = halves.clone();
    let second = Fake::start(move |_, command| match own.down.load(SeqCst) {
        true => CLOSE.into(),
        false => own.answer(command),
    });
    let half = |start, fake: &Fake| (start, start + 8191, "127.0.0.1", fake.port);
    let slots = map(&[half(0, &second), half(8192, &first)]);
    halves.map.set(slots).unwrap();
    let cache = at::<C>([first.url()]);
    // At the first, and at the second.
    let keys: [&[u8]; 2] = [b"a", b"b"];
    assert!(cache.get_many(&keys).unwrap_err().is_outage());
    halves.down.store(false, SeqCst);
    assert_eq!(cache.get_many(&keys), Ok(vec![None; 2]));
    halves.together.store(true, SeqCst);
    assert_eq!(cache.get_many(&keys), Ok(vec![None; 2]));
}

fn unserved_slot_is_reported<C: Form>() {
    let cluster = RedisCluster::start(3);
    let cache = raw::<C>(&cluster);
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

fn wrong_password_is_reported_and_not_shown<C: Form>() {
    let cluster = RedisCluster::start(2);
    for node in 0..2 {
        let user = ["acl", "setuser", "me", "on", ">s3cret", "~*", "+@all"];
        assert_eq!(cluster.node(node).cli(&user), "OK");
    }
    let builder = || RedisCache::cluster(cluster.urls()).raw().deadline(secs(60));
    let wrong = C::build(builder().user("me").password("wr0ng")).unwrap();
    for error in [wrong.get(b"a").unwrap_err(), wrong.len().unwrap_err()] {
        assert!(matches!(error, RedisError::Auth { .. }), "{error}");
        assert!(!format!("{error:?}").contains("wr0ng"));
        assert!(shown(error).ends_with("refuses this user and password"));
    }
    // The cache logs in to every node, including nodes missing from the addresses.
    let one = cluster.urls()[0].replace("//", "//me:s3cret@");
    let right = RedisCache::cluster([one]).raw().deadline(secs(60));
    let right = C::build(right).unwrap();
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

fn cluster_with_a_lost_node_can_be_joined<C: Form>() {
    let cluster = RedisCluster::start(3);
    let keys: Vec<String> = (0..3).flat_map(|node| keys_of(&cluster, node, 1)).collect();
    // It comes back with another id: the others know no address any more for the old one.
    cluster.node(2).cli(&["cluster", "reset", "hard"]);
    while !cluster
        .node(0)
        .cli(&["cluster", "nodes"])
        .contains("noaddr")
    {
        thread::yield_now();
    }
    let cache = at::<C>(cluster.urls().into_iter().take(1));
    for key in &keys[..2] {
        cache.insert(key.as_bytes(), b"1").unwrap();
        assert_eq!(text(&cache, key).as_deref(), Some("1"));
    }
    let error = cache.get(keys[2].as_bytes()).unwrap_err();
    assert!(matches!(error, RedisError::NotReady { .. }), "{error:?}");
    assert!(error.is_outage());
    assert!(shown(error).contains("has no address for the node of slot"));
}

fn value_over_a_limit_of_its_node_is_the_fault_of_its_entry<C: Form>() {
    let limit = ["--client-query-buffer-limit", "1mb"].map(String::from);
    let cluster = RedisCluster::with(2, || limit.to_vec());
    let cache = raw::<C>(&cluster);
    let keys = [0, 1].map(|node| keys_of(&cluster, node, 2));
    let all = keys.iter().flatten();
    all.for_each(|key| cache.insert(key.as_bytes(), b"1").unwrap());
    let large = keys[0][0].as_bytes();
    // The connection of large values is open: one that is lost on its first request is lost once.
    for value in [vec![1; 100 << 10], b"1".to_vec()] {
        cache.insert(large, value).unwrap();
    }
    for _ in 0..3 {
        let one = cache.insert_entry(large, vec![1; 5 << 20], None);
        let batch = vec![(large, vec![1; 5 << 20]), (keys[1][0].as_bytes(), vec![2])];
        for done in [one, cache.insert_many(batch, None)] {
            let error = done.unwrap_err();
            assert!(!error.is_outage() && error.is_corrupt(), "{error}");
            assert!(shown(error).contains("closes the connection at this entry"));
        }
        assert_eq!(text(&cache, &keys[0][1]).as_deref(), Some("1"));
        // The part of the other node is done.
        assert_eq!(text(&cache, &keys[1][0]).as_deref(), Some("\u{2}"));
    }
    assert_eq!(text(&cache, &keys[0][0]).as_deref(), Some("1"));
}
