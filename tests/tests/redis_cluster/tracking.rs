//! First levels over a cluster: one tracking connection to each master, and the bound of staleness while
//! slots move and masters change.

use crate::{migration, secs};
use ctu_std::{
    AsyncCache, Cache, CacheExt, ConcurrentCache, IsAsync, PrefixedRedisCache, RedisBuilder,
    RedisCache, Tracked, TrackingError, TrackingState, TwoLevelCache,
};
use ctu_tests::servers::RedisCluster;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

type First = ConcurrentCache<String, u64>;
type Second = PrefixedRedisCache<str, u64>;
type Node = TwoLevelCache<First, Second>;

const BOUND: Duration = Duration::from_millis(300);
/// The clock of leases counts milliseconds.
const TICK: Duration = Duration::from_millis(2);

fn builder(cluster: &RedisCluster) -> RedisBuilder<ctu_std::Prefixed> {
    let builder = RedisCache::cluster(cluster.urls()).prefix("app.");
    builder.deadline(secs(1)).no_ttl()
}

fn author(cluster: &RedisCluster) -> Second {
    builder(cluster).build().unwrap()
}

fn node(cluster: &RedisCluster) -> Node {
    let first = First::with_capacity(1_000);
    let pause = Duration::from_millis(20);
    TwoLevelCache::builder(first, author(cluster))
        .resilient()
        .open_for(pause, pause)
        .invalidation_bound(BOUND)
        .build()
}

/// Reads until the node has a lease.
fn subscribed(node: &Node) {
    while node.stats().lease_left.is_zero() {
        node.get("none").unwrap();
        thread::yield_now();
    }
}

/// A key of each master.
fn keys(cluster: &RedisCluster) -> Vec<String> {
    let of_master = |master| {
        let keys = (0..).map(|n| format!("key {n}"));
        let is_here = |key: &String| {
            let slot = cluster.slot(&format!("app.{key}"));
            cluster.slots(master).contains(&slot)
        };
        { keys }.find(is_here).unwrap()
    };
    (0..cluster.masters()).map(of_master).collect()
}

/// The values of a key with the times at which their writes were acknowledged.
struct Acknowledged(Mutex<Vec<(u64, Instant)>>);

impl Acknowledged {
    /// The newest value that a read from `began` on has to find.
    fn required(&self, began: Instant) -> u64 {
        let values = self.0.lock().unwrap();
        let is_old = |(_, at): &&(u64, Instant)| *at + BOUND + TICK < began;
        values
            .iter()
            .rev()
            .find(is_old)
            .map_or(0, |(value, _)| *value)
    }
}

/// Writes and reads the keys during `change`, and checks each hit of the first level.
fn checked(cluster: &RedisCluster, node: &Node, keys: &[String], change: impl FnOnce()) {
    let author = author(cluster);
    let acknowledged: Vec<_> = keys
        .iter()
        .map(|_| Acknowledged(Mutex::new(Vec::new())))
        .collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for value in 1_u64.. {
                for (key, acknowledged) in keys.iter().zip(&acknowledged) {
                    if author.insert(key.as_str(), value).is_ok() {
                        let written = (value, Instant::now());
                        acknowledged.0.lock().unwrap().push(written);
                    }
                }
                if done.load(SeqCst) {
                    break;
                }
                thread::yield_now();
            }
        });
        scope.spawn(|| {
            while !done.load(SeqCst) {
                for (key, acknowledged) in keys.iter().zip(&acknowledged) {
                    let began = Instant::now();
                    if let Some(value) = node.get_first(key).unwrap() {
                        let required = acknowledged.required(began);
                        assert!(value >= required, "{key}: {value}, not {required}");
                    }
                    node.get(key).unwrap();
                }
            }
        });
        change();
        done.store(true, SeqCst);
    });
    // In the end every key is at the first level with its last value.
    for (key, acknowledged) in keys.iter().zip(&acknowledged) {
        let last = acknowledged.0.lock().unwrap().last().unwrap().0;
        while node.get_first(key).unwrap() != Some(last) {
            node.get(key).unwrap();
            thread::yield_now();
        }
    }
}

#[test]
fn changes_on_every_master_are_reported() {
    let cluster = RedisCluster::start(3);
    let (node, keys) = (node(&cluster), keys(&cluster));
    subscribed(&node);
    checked(&cluster, &node, &keys, || {
        let start = node.stats().invalidated;
        while node.stats().invalidated < start + 100 {
            thread::yield_now();
        }
    });
    assert_eq!(node.stats().unsubscribed, 0);
}

#[test]
fn bound_holds_while_slots_move_to_a_new_master() {
    let mut cluster = RedisCluster::start(2);
    let new = cluster.join();
    let (node, keys) = (node(&cluster), keys(&cluster));
    subscribed(&node);
    let slot = cluster.slot(&format!("app.{}", keys[0])).to_string();
    checked(&cluster, &node, &keys, || {
        for (from, to) in [(0, 1), (1, new), (new, 0)] {
            migration::begin(&cluster, &slot, from, to);
            // Some of the writes are redirected meanwhile.
            let start = node.stats().second_hits;
            while node.stats().second_hits < start + 50 {
                thread::yield_now();
            }
            while migration::move_keys(&cluster, &slot, from, to, "10") {}
            let start = node.stats().second_hits;
            while node.stats().second_hits < start + 50 {
                thread::yield_now();
            }
            migration::end(&cluster, &slot, from, to);
        }
    });
    subscribed(&node);
    // The connections were opened again to the new master.
    assert!(node.last_unsubscription().is_some());
}

#[test]
fn demoted_master_ends_the_lease() {
    let cluster = RedisCluster::replicated(3);
    let (node, keys) = (node(&cluster), keys(&cluster));
    subscribed(&node);
    checked(&cluster, &node, &keys, || {
        // By hand: no write is lost.
        cluster.node(3).cli(&["cluster", "failover"]);
        cluster.fail_over(0);
        while node.stats().unsubscribed == 0 {
            thread::yield_now();
        }
        subscribed(&node);
    });
}

#[test]
fn killed_master_ends_the_lease_until_its_replica_takes_over() {
    let mut cluster = RedisCluster::replicated(3);
    let (node, keys) = (node(&cluster), keys(&cluster));
    subscribed(&node);
    let key = &keys[0];
    node.insert(key.as_str(), 1_u64).unwrap();
    cluster.replicate(0);
    cluster.node_mut(0).kill();
    while !node.stats().lease_left.is_zero() {
        thread::yield_now();
    }
    assert_eq!(node.get_first(key), Ok(None));
    cluster.fail_over(0);
    subscribed(&node);
    checked(&cluster, &node, &keys, || {
        let start = node.stats().invalidated;
        while node.stats().invalidated < start + 20 {
            thread::yield_now();
        }
    });
}

#[test]
fn prefix_with_a_hash_tag_has_one_tracked_master() {
    let cluster = RedisCluster::start(3);
    let tracked = |prefix: &str| {
        let cache = RedisCache::cluster(cluster.urls()).prefix(prefix);
        let cache: Second = cache.build().unwrap();
        let connection = cache.tracker().open().unwrap();
        let count = |node| {
            let clients = cluster
                .node(node)
                .cli(&["client", "list", "type", "pubsub"]);
            clients.lines().count()
        };
        let all: usize = (0..3).map(count).sum();
        drop(connection);
        all
    };
    assert_eq!((tracked("{app}."), tracked("other.")), (1, 3));
}

#[test]
fn missing_cluster_is_no_refusal() {
    let mut cluster = RedisCluster::start(1);
    let cache = author(&cluster);
    cluster.node_mut(0).kill();
    let lost = cache.tracker().open().err();
    assert!(matches!(lost, Some(TrackingError::Lost(_))), "{lost:?}");
}

#[test]
fn async_cluster_reports_changes() {
    let cluster = RedisCluster::start(3);
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let second = builder(&cluster).build_async::<str, u64>().unwrap();
        let node: TwoLevelCache<_, _, IsAsync> =
            TwoLevelCache::builder(First::with_capacity(100), second)
                .invalidation_bound(secs(60))
                .build();
        while node.stats().tracking != TrackingState::Subscribed {
            node.get("none").await.unwrap();
            tokio::task::yield_now().await;
        }
        let author = author(&cluster);
        for key in keys(&cluster) {
            for value in 0..5 {
                author.insert(&*key, value).unwrap();
                while node.get_first(&key).unwrap() != Some(value) {
                    node.get(&key).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        }
        assert_eq!(node.stats().unsubscribed, 0);
    });
}
