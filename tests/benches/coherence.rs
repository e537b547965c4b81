//! The costs of `TwoLevelBuilder::invalidation_bound`: `cargo bench -p ctu-tests --bench coherence`.
//!
//! "hit" is a lookup in the first level without a bound and with one, by the exact and by the coarse clock,
//! in nanoseconds. "write" is a pipelined SET on a real Redis with 0, 1, 10 and 50 nodes of one prefix, in
//! microseconds, the time of the nodes included.

use ctu_std::{
    Cache, CacheExt, Clock, CoarseClock, ConcurrentCache, PrefixedRedisCache, RedisCache, StdClock,
    TrackingState, TwoLevelCache,
};
use ctu_tests::servers::RedisServer;
use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

const KEYS: u64 = 1_024;
const ROUNDS: usize = 31;
const WRITES: usize = 10_000;

type Node = TwoLevelCache<ConcurrentCache<u64, u64>, PrefixedRedisCache<u64, u64>>;

fn node(server: &RedisServer, bound: bool, clock: impl Clock + Send + Sync + 'static) -> Node {
    let second = RedisCache::builder(server.url()).prefix("app.").no_ttl();
    let second = second.build().expect("a good address");
    let first = ConcurrentCache::with_capacity(2 * KEYS as usize);
    let builder = TwoLevelCache::builder(first, second).clock(clock);
    match bound {
        true => builder.invalidation_bound(Duration::from_secs(1)).build(),
        false => builder.build(),
    }
}

/// Waits until the server reports changes to the node.
fn subscribed(node: &Node) {
    while node.stats().tracking == TrackingState::Unsubscribed {
        node.get(&KEYS).expect("the server");
        thread::yield_now();
    }
}

/// The median of some rounds.
fn median(mut round: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| round()).collect();
    times.sort();
    times[ROUNDS / 2]
}

/// Nanoseconds of a hit.
fn hit(node: &Node) -> f64 {
    subscribed(node);
    let read = || {
        let start = Instant::now();
        for key in 0..KEYS {
            black_box(node.get(black_box(&key)).expect("the server"));
        }
        start.elapsed()
    };
    // The first round fills.
    read();
    median(read).as_nanos() as f64 / KEYS as f64
}

/// Microseconds of a write with so many nodes.
fn write(nodes: usize) -> f64 {
    let server = RedisServer::start();
    let nodes: Vec<Node> = (0..nodes)
        .map(|_| node(&server, true, CoarseClock::new()))
        .collect();
    nodes.iter().for_each(subscribed);
    let client = redis::Client::open(server.url()).expect("a good address");
    let mut connection = client.get_connection().expect("the server");
    let mut pipeline = redis::pipe();
    for number in 0..WRITES {
        let key = format!("app.{}", number as u64 % KEYS);
        pipeline.cmd("SET").arg(key).arg(number).ignore();
    }
    let time = median(|| {
        let start = Instant::now();
        pipeline.query::<()>(&mut connection).expect("the server");
        start.elapsed()
    });
    time.as_nanos() as f64 / 1_000.0 / WRITES as f64
}

fn main() {
    let server = RedisServer::start();
    let author = node(&server, false, StdClock::new());
    for key in 0..KEYS {
        author.insert(&key, key).expect("the server");
    }
    println!("hit, ns");
    for (name, node) in [
        ("no bound", node(&server, false, StdClock::new())),
        ("bound, StdClock", node(&server, true, StdClock::new())),
        (
            "bound, CoarseClock",
            node(&server, true, CoarseClock::new()),
        ),
    ] {
        println!("  {name:20} {:6.1}", hit(&node));
    }
    println!("write, us");
    for nodes in [0, 1, 10, 50] {
        println!("  {nodes:3} nodes            {:6.2}", write(nodes));
    }
}
