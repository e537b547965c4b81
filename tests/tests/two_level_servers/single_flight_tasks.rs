//! One computation among all nodes, by claims of async caches on a real Redis.

use ctu_std::{
    AsyncCache, AsyncCacheExt, AsyncPrefixedRedisCache, ConcurrentCache, IsAsync, RedisCache,
    TwoLevelBuilder, TwoLevelCache,
};
use ctu_tests::{cancel::poll_at_most, servers::RedisServer};
use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};
use tokio::{sync::Notify, task::yield_now};

const LONG: Duration = Duration::from_secs(60);
const CLAIM: &str = "app.k.ctu-claim";

type First = ConcurrentCache<String, u32>;
type Second = AsyncPrefixedRedisCache<str, u32>;
type Node = TwoLevelCache<First, Second, IsAsync>;

fn builder(server: &RedisServer) -> TwoLevelBuilder<First, Second, IsAsync> {
    let second = RedisCache::builder(server.url()).prefix("app.");
    let second = second.deadline(Duration::from_secs(10)).build_async();
    TwoLevelCache::builder(First::with_capacity(100), second.unwrap())
}

fn node(server: &RedisServer) -> Node {
    let builder = builder(server).single_flight_among_nodes(LONG);
    builder.wait_limit(LONG).build()
}

fn run(scenario: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(scenario);
}

/// Waits for the end of the claim.
async fn unclaimed(server: &RedisServer) {
    while server.cli(&["exists", CLAIM]) != "0" {
        yield_now().await;
    }
}

#[test]
fn one_async_node_computes_and_the_others_wait() {
    let server = RedisServer::start();
    run(async {
        let (computed, goes_on) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let nodes: Vec<Node> = (0..4).map(|_| node(&server)).collect();
        let tasks: Vec<_> = nodes
            .iter()
            .map(|node| {
                let (node, computed, goes_on) = (node.clone(), computed.clone(), goes_on.clone());
                tokio::spawn(async move {
                    let make = || async {
                        let number = computed.fetch_add(1, SeqCst) + 1;
                        goes_on.notified().await;
                        number
                    };
                    node.get_or_insert_with("k", make).await.unwrap()
                })
            })
            .collect();
        while nodes.iter().map(|node| node.stats().waits).sum::<u64>() < 3 {
            yield_now().await;
        }
        goes_on.notify_one();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 1);
        }
        assert_eq!(computed.load(SeqCst), 1);
        assert_eq!(server.cli(&["exists", CLAIM]), "0");
    });
}

#[test]
fn dropped_computation_releases_its_claim() {
    let server = RedisServer::start();
    run(async {
        let node = node(&server);
        let computation = node.get_or_insert_with("k", std::future::pending::<u32>);
        let mut computation = Box::pin(computation);
        // Polls until the computation has the claim.
        poll_fn(|context| {
            assert!(computation.as_mut().poll(context).is_pending());
            match server.cli(&["exists", CLAIM]) == "1" {
                true => Poll::Ready(()),
                false => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            }
        })
        .await;
        drop(computation);
        unclaimed(&server).await;
        let made = node.get_or_insert_with("k", || async { 7_u32 });
        assert_eq!(made.await, Ok(7));
    });
}

#[test]
fn future_dropped_at_any_poll_leaves_no_claim() {
    let server = RedisServer::start();
    run(async {
        let node = node(&server);
        for polls in 1..8 {
            let make = || async {
                yield_now().await;
                polls as u32
            };
            let _ = poll_at_most(polls, node.get_or_insert_with("k", make)).await;
            node.remove("k").await.unwrap();
        }
        unclaimed(&server).await;
        let made = node.get_or_insert_with("k", || async { 7_u32 });
        assert_eq!(made.await, Ok(7));
    });
}

#[test]
fn failed_async_computation_releases_its_claim() {
    let server = RedisServer::start();
    run(async {
        let node = node(&server);
        let failed = node.get_or_compute("k", || async { Ok(None) }).await;
        assert_eq!(failed, Ok(None));
        assert_eq!(server.cli(&["exists", CLAIM]), "0");
    });
}

#[test]
fn async_wait_for_another_node_is_limited_and_ends_with_its_lease() {
    let server = RedisServer::start();
    run(async {
        server.cli(&["set", CLAIM, "1"]);
        let builder = || builder(&server).single_flight_among_nodes(LONG);
        let node = builder().wait_limit(Duration::from_millis(20)).build();
        let made = node.get_or_insert_with("k", || async { 7_u32 }).await;
        assert_eq!(made, Ok(7));
        node.remove("k").await.unwrap();
        server.cli(&["set", CLAIM, "1", "px", "100"]);
        let node = builder().wait_limit(LONG).build();
        let made = node.get_or_insert_with("k", || async { 8_u32 }).await;
        assert_eq!((made, node.stats().waits), (Ok(8), 1));
    });
}

#[test]
fn each_async_node_computes_in_an_outage() {
    let mut server = RedisServer::start();
    let nodes = [(); 2].map(|()| {
        let builder = builder(&server).single_flight_among_nodes(LONG);
        builder.resilient().wait_limit(LONG).build()
    });
    server.kill();
    run(async {
        for (number, node) in (0_u32..).zip(&nodes) {
            let made = node.get_or_insert_with("k", || async move { number });
            assert_eq!(made.await, Ok(number));
            assert_eq!(node.stats().waits, 0);
        }
    });
}
