//! One computation among all nodes, by claims on a real Redis.

use ctu_std::{
    Cache, CacheExt, EncryptedCache, LruCache, PrefixedRedisCache, RedisCache, TwoLevelBuilder,
    TwoLevelCache, TwoLevelError,
};
use ctu_tests::servers::RedisServer;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Condvar, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

const LONG: Duration = Duration::from_secs(60);
const CLAIM: &str = "app.k.ctu-claim";

type First = ctu_std::LockedCache<LruCache<String, u32>>;
type Second = PrefixedRedisCache<str, u32>;
type Node = TwoLevelCache<First, Second>;

fn builder(server: &RedisServer) -> TwoLevelBuilder<First, Second> {
    let second = RedisCache::builder(server.url()).prefix("app.");
    let second = second.deadline(Duration::from_secs(10)).build().unwrap();
    TwoLevelCache::builder(LruCache::with_capacity(100), second)
}

fn node(server: &RedisServer, lease: Duration) -> Node {
    let builder = builder(server).single_flight_among_nodes(lease);
    builder.wait_limit(LONG).build()
}

#[test]
fn one_node_computes_and_the_others_wait() {
    let server = RedisServer::start();
    let nodes: Vec<Node> = (0..4).map(|_| node(&server, LONG)).collect();
    let computed = AtomicU32::new(0);
    let (waiting, changed) = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        let threads: Vec<_> = nodes
            .iter()
            .map(|node| {
                let make = || {
                    let number = computed.fetch_add(1, SeqCst) + 1;
                    let mut waiting = waiting.lock().unwrap();
                    while !*waiting {
                        waiting = changed.wait(waiting).unwrap();
                    }
                    number
                };
                scope.spawn(move || node.get_or_insert_with("k", make).unwrap())
            })
            .collect();
        while nodes.iter().map(|node| node.stats().waits).sum::<u64>() < 3 {
            thread::yield_now();
        }
        *waiting.lock().unwrap() = true;
        changed.notify_all();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 1);
        }
    });
    assert_eq!(computed.load(SeqCst), 1);
    assert_eq!(server.cli(&["exists", CLAIM]), "0");
}

#[test]
fn claim_of_a_dead_node_ends_with_its_lease() {
    let server = RedisServer::start();
    server.cli(&["set", CLAIM, "1", "px", "300"]);
    let node = node(&server, LONG);
    assert_eq!(node.get_or_insert_with("k", || 7), Ok(7));
    assert_eq!(node.stats().waits, 1);
    assert_eq!(server.cli(&["exists", CLAIM]), "0");
}

#[test]
fn failed_computation_releases_its_claim() {
    let server = RedisServer::start();
    let node = node(&server, LONG);
    let panics = || node.get_or_insert_with("k", || -> u32 { panic!("no value") });
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!(server.cli(&["exists", CLAIM]), "0");
    let failed = node.get_or_compute("k", &mut || Ok(None));
    assert_eq!(failed, Ok(None));
    assert_eq!(server.cli(&["exists", CLAIM]), "0");
}

#[test]
fn slow_node_does_not_release_the_claim_of_another() {
    let server = RedisServer::start();
    let node = node(&server, LONG);
    let value = node.get_or_insert_with("k", || {
        // The lease has ended, and another node has the claim.
        server.cli(&["set", CLAIM, "1"]);
        7
    });
    assert_eq!(value, Ok(7));
    assert_eq!(server.cli(&["get", CLAIM]), "1");
}

#[test]
fn wait_for_another_node_is_limited() {
    let server = RedisServer::start();
    server.cli(&["set", CLAIM, "1"]);
    let builder = builder(&server).single_flight_among_nodes(LONG);
    let node = builder.wait_limit(Duration::from_millis(20)).build();
    assert_eq!(node.get_or_insert_with("k", || 7), Ok(7));
    assert_eq!(server.cli(&["get", "app.k"]), "7");
}

#[test]
fn expired_value_is_served_while_another_node_computes() {
    let server = RedisServer::start();
    let builder = builder(&server).single_flight_among_nodes(LONG);
    let node = builder.grace(LONG, 10).build();
    node.insert("k", 1u32).unwrap();
    node.first().clear().unwrap();
    server.cli(&["del", "app.k"]);
    server.cli(&["set", CLAIM, "1"]);
    assert_eq!(node.get_or_insert_with("k", || 7), Ok(1));
    assert_eq!((node.stats().waits, node.stats().stale), (1, 1));
}

#[test]
fn each_node_computes_in_an_outage() {
    let mut server = RedisServer::start();
    let nodes = [(); 2].map(|()| {
        let builder = builder(&server).single_flight_among_nodes(LONG);
        builder.resilient().wait_limit(LONG).build()
    });
    server.kill();
    for (number, node) in (0..).zip(&nodes) {
        assert_eq!(node.get_or_insert_with("k", || number), Ok(number));
        assert_eq!(node.stats().waits, 0);
    }
}

#[test]
fn refused_claim_leaves_the_computation_to_each_node() {
    let server = RedisServer::start();
    let rules = "acl setuser app reset on nopass ~app.* +get +pttl +set +exists +ping";
    server.cli(&rules.split(' ').collect::<Vec<_>>());
    // No key of a claim is allowed.
    server.cli(&["acl", "setuser", "app", "resetkeys", "~app.k"]);
    let url = format!("redis://app:any@127.0.0.1:{}", server.port());
    let second: Second = RedisCache::builder(url).prefix("app.").build().unwrap();
    let first = LruCache::with_capacity(100);
    let node: Node = TwoLevelCache::builder(first, second)
        .single_flight_among_nodes(LONG)
        .build();
    let computed: Result<u32, TwoLevelError<_, _>> = node.get_or_insert_with("k", || 7);
    assert_eq!(computed, Ok(7));
    assert_eq!(node.stats().errors, 1);
}

#[test]
fn hashed_keys_are_claimed_by_their_hash() {
    let server = RedisServer::start();
    let stored = RedisCache::builder(server.url()).raw().build().unwrap();
    let second = EncryptedCache::new(stored, b"a secret of some length");
    let first = LruCache::<Vec<u8>, Vec<u8>>::with_capacity(100);
    let node = TwoLevelCache::builder(first, second)
        .single_flight_among_nodes(LONG)
        .build();
    let value = node.get_or_insert_with(b"k".as_slice(), || {
        let keys = server.cli(&["keys", "*.ctu-claim"]);
        assert!(keys.len() > ".ctu-claim".len(), "{keys}");
        b"value".to_vec()
    });
    assert_eq!(value.as_deref(), Ok(&b"value"[..]));
    assert_eq!(server.cli(&["dbsize"]), "1");
}
