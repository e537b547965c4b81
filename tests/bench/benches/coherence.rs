//! The costs of `TwoLevelBuilder::invalidation_bound`: `cargo bench -p ctu-bench --bench coherence`.
//!
//! With `-- SECTION ..`, some sections alone.
//!
//! | section | measurement |
//! | --- | --- |
//! | `hits` | a lookup in the first level without a bound, with one by the exact and by the coarse clock, and of a cache with tags, of an entry with a tag |
//! | `writes` | a pipelined SET on a real Redis with 0, 1, 10 and 50 nodes of one prefix, the time of the nodes included |
//! | `tags` | an invalidation of 10 and of 1,000,000 entries at the second level |
//! | `stale` | the time for which a first level without a time-to-live returns an old value after a write of another client, in a black hole of the tracking connection |

use ctu_std::{
    Cache, CacheExt, Clock, CoarseClock, ConcurrentCache, PrefixedRedisCache, RedisCache, StdClock,
    TrackingState, TwoLevelCache, test_util::NetworkFault,
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
/// The longest watch of an old value.
const WATCHED: Duration = Duration::from_secs(10);

type Node = TwoLevelCache<ConcurrentCache<u64, u64>, PrefixedRedisCache<u64, u64>>;

fn node(server: &RedisServer, bound: bool, clock: impl Clock + Send + Sync + 'static) -> Node {
    let second = RedisCache::builder(server.url()).prefix("app.").no_ttl();
    let second = second.build().expect("a good address");
    let first = ConcurrentCache::<u64, u64>::with_capacity(2 * KEYS as usize);
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

fn with_tags(server: &RedisServer) -> Node {
    let second = RedisCache::builder(server.url()).prefix("app.").tags();
    let second = second.no_ttl().build().expect("a good address");
    let first = ConcurrentCache::<u64, u64>::with_capacity(2 * KEYS as usize);
    TwoLevelCache::builder(first, second).tags().build()
}

/// Nanoseconds of a hit of an entry with a tag.
fn tagged_hit() -> f64 {
    let server = RedisServer::start();
    let node = with_tags(&server);
    for key in 0..KEYS {
        node.insert_with_tags(&key, key, None, &["all"])
            .expect("the server");
    }
    let read = || {
        let start = Instant::now();
        for key in 0..KEYS {
            black_box(node.get(black_box(&key)).expect("the server"));
        }
        start.elapsed()
    };
    median(read).as_nanos() as f64 / KEYS as f64
}

/// Microseconds of an invalidation of a tag with so many entries at the second level.
fn invalidation(entries: u64) -> f64 {
    let server = RedisServer::start();
    let second = RedisCache::builder(server.url()).prefix("app.").no_ttl();
    let second: PrefixedRedisCache<u64, u64> =
        second.common_tag("all").build().expect("a good address");
    let first = ConcurrentCache::<u64, u64>::with_capacity(2 * KEYS as usize);
    let node = TwoLevelCache::builder(first, second).tags().build();
    let insert = || {
        for start in (0..entries).step_by(10_000) {
            let keys: Vec<u64> = (start..entries.min(start + 10_000)).collect();
            let batch = keys.iter().map(|key| (key, *key)).collect();
            node.insert_many(batch, None).expect("the server");
        }
    };
    insert();
    let invalidate = || {
        // The server and this process have served requests right before.
        for _ in 0..1_000 {
            node.remove(&entries).expect("the server");
        }
        let start = Instant::now();
        node.invalidate_tag("all").expect("the server");
        start.elapsed()
    };
    // The connection is open. Each further round has the entries again that the first one had.
    let times = (0..5).map(|_| {
        let time = invalidate();
        assert_eq!(node.get(&(entries - 1)).expect("the server"), None);
        insert();
        time
    });
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times[2].as_nanos() as f64 / 1_000.0
}

/// Seconds for which a node with this bound returns the old value; `None` after [`WATCHED`].
fn stale(bound: Option<Duration>) -> Option<f64> {
    let server = RedisServer::start();
    let network = server.proxy();
    network.select(b"TRACKING");
    let url = format!("redis://127.0.0.1:{}", network.port());
    let second = RedisCache::builder(url).prefix("app.").no_ttl();
    let second: PrefixedRedisCache<u64, u64> = second.build().expect("a good address");
    let first = ConcurrentCache::<u64, u64>::with_capacity(2 * KEYS as usize);
    let builder = TwoLevelCache::builder(first, second);
    let node = match bound {
        Some(bound) => builder.invalidation_bound(bound).build(),
        None => builder.build(),
    };
    if bound.is_some() {
        subscribed(&node);
    }
    server.cli(&["set", "app.1", "1"]);
    while node.get_first(&1).expect("the server") != Some(1) {
        node.get(&1).expect("the server");
        thread::yield_now();
    }
    network.fail(NetworkFault::BlackHole);
    server.cli(&["set", "app.1", "2"]);
    let start = Instant::now();
    while start.elapsed() < WATCHED {
        if node.get(&1).expect("the server") == Some(2) {
            return Some(start.elapsed().as_secs_f64());
        }
        thread::yield_now();
    }
    None
}

/// Whether the command line names a section, or none.
fn runs(section: &str) -> bool {
    let mut named = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .peekable();
    named.peek().is_none() || named.any(|name| name == section)
}

fn hits() {
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
    println!("tagged hit, ns         {:6.1}", tagged_hit());
}

fn main() {
    if runs("hits") {
        hits();
    }
    if runs("writes") {
        println!("write, us");
        for nodes in [0, 1, 10, 50] {
            println!("  {nodes:3} nodes            {:6.2}", write(nodes));
        }
    }
    if runs("tags") {
        println!("invalidate_tag, us");
        for entries in [10, 1_000_000] {
            println!("  {entries:9} entries    {:6.1}", invalidation(entries));
        }
    }
    if runs("stale") {
        println!("stale, s");
        for (name, bound) in [
            ("no bound", None),
            ("bound of 0.3 s", Some(Duration::from_millis(300))),
            ("bound of 1 s", Some(Duration::from_secs(1))),
        ] {
            match stale(bound) {
                Some(seconds) => println!("  {name:20} {seconds:6.2}"),
                None => println!("  {name:20} more than {}", WATCHED.as_secs()),
            }
        }
    }
}
