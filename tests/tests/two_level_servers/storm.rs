//! Fault of every kind over two processes with several threads each.

use crate::node::{Acknowledged, Levels, Node, OfTasks, OfThreads, Second, check};
use ctu_std::{
    AsyncMemCached, AsyncPrefixedRedisCache, BreakerState, Cache, CacheExt, MemCached,
    PrefixedRedisCache,
    test_util::{FaultProxy, NetworkFault},
};
use ctu_tests::servers::{MemcachedServer, RedisServer};
use std::{
    io::{BufRead, BufReader, Read},
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

const PORT: &str = "CTU_STORM_PORT";
const SECONDS: &str = "CTU_SOAK_SECONDS";

/// A change in the network or of the server.
#[derive(Clone, Copy, Debug)]
enum Event {
    Network(NetworkFault),
    Killed,
    Restarted,
    Stopped,
    Full,
}

const EVENTS: [Event; 9] = [
    Event::Network(NetworkFault::Closed),
    Event::Killed,
    Event::Network(NetworkFault::BlackHole),
    Event::Stopped,
    Event::Network(NetworkFault::RepliesLost),
    Event::Full,
    Event::Network(NetworkFault::ClosedAfterReply),
    Event::Network(NetworkFault::Delay(Duration::from_millis(5))),
    Event::Restarted,
];

/// A server and its possible faults.
trait Host: Send {
    /// A blocking cache on the server.
    type Direct: Second + Cache<Key = str, Value = u64>;
    fn port(&self) -> u16;
    fn kill(&mut self);
    fn start_again(&mut self);
    fn pause(&self);
    fn resume(&self);
    /// It has no memory left for another value.
    fn fill(&self);
    fn empty(&self);
}

macro_rules! host {
    ($server:ty, $direct:ty, $fill:expr, $empty:expr) => {
        impl Host for $server {
            type Direct = $direct;
            fn port(&self) -> u16 {
                self.port()
            }
            fn kill(&mut self) {
                self.kill();
            }
            fn start_again(&mut self) {
                self.start_again();
            }
            fn pause(&self) {
                self.pause();
            }
            fn resume(&self) {
                self.resume();
            }
            fn fill(&self) {
                $fill(self);
            }
            fn empty(&self) {
                $empty(self);
            }
        }
    };
}
host!(
    RedisServer,
    PrefixedRedisCache<str, u64>,
    |server: &Self| server.cli(&["config", "set", "maxmemory", "1"]),
    |server: &Self| server.cli(&["config", "set", "maxmemory", "0"])
);
// It evicts rather than refuse.
host!(
    MemcachedServer,
    MemCached<str, u64>,
    |_: &Self| (),
    |_: &Self| ()
);

/// Waits until the node has done some work.
fn some_work(node: &Node<impl Levels>, operations: u64) {
    let goal = node.operations.load(SeqCst) + operations;
    while node.operations.load(SeqCst) < goal && !node.failed.load(SeqCst) {
        thread::yield_now();
    }
}

/// Lets `event` happen, the node work meanwhile, and the event end.
fn happen(event: Event, node: &Node<impl Levels>, server: &mut impl Host, network: &FaultProxy) {
    match event {
        Event::Network(fault) => {
            network.fail(fault);
            some_work(node, 2_000);
            network.work();
        }
        Event::Killed => {
            server.kill();
            some_work(node, 2_000);
            server.start_again();
        }
        Event::Restarted => {
            server.kill();
            server.start_again();
        }
        Event::Stopped => {
            server.pause();
            some_work(node, 2_000);
            server.resume();
        }
        Event::Full => {
            server.fill();
            some_work(node, 2_000);
            server.empty();
        }
    }
    // The next event comes once the second level is in use again, possibly before the recovery
    // ends.
    while node.cache.stats().breaker != BreakerState::Closed && !node.failed.load(SeqCst) {
        thread::yield_now();
    }
    some_work(node, 2_000);
}

type OverRedis = OfThreads<PrefixedRedisCache<str, u64>>;
type OverMemcached = OfThreads<MemCached<str, u64>>;
type OverAsyncRedis = OfTasks<AsyncPrefixedRedisCache<str, u64>>;
type OverAsyncMemcached = OfTasks<AsyncMemCached<str, u64>>;

fn redis() -> RedisServer {
    RedisServer::with(&["--maxmemory-policy", "noeviction"])
}

#[test]
fn two_processes_over_redis_keep_every_promise_under_faults() {
    storm::<OverRedis, _>(redis(), "storm::second_process_over_redis");
}

#[test]
fn two_processes_over_memcached_keep_every_promise_under_faults() {
    let server = MemcachedServer::start();
    storm::<OverMemcached, _>(server, "storm::second_process_over_memcached");
}

/// The other process is a blocking one.
#[test]
fn async_and_blocking_process_over_redis_keep_every_promise_under_faults() {
    storm::<OverAsyncRedis, _>(redis(), "storm::second_process_over_redis");
}

#[test]
fn async_processes_over_memcached_keep_every_promise_under_faults() {
    let server = MemcachedServer::start();
    storm::<OverAsyncMemcached, _>(server, "storm::second_process_over_async_memcached");
}

/// Storms over a node of this process and over one of the process that `second_process`, a test, runs.
fn storm<L: Levels, H: Host>(mut server: H, second_process: &str) {
    let network = FaultProxy::new((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    let node = Node::<L>::new("parent", network.port());
    let mut other = Other::start(second_process, network.port());
    let done = AtomicBool::new(false);
    let soak = std::env::var(SECONDS)
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    let soak = Duration::from_secs(soak.unwrap_or(0));
    let start = Instant::now();
    let ours = thread::scope(|scope| {
        let working = scope.spawn(|| node.work(&done));
        let stopped = scope.spawn(|| {
            let mut round = 0;
            while round == 0 || start.elapsed() < soak {
                for event in EVENTS {
                    if node.failed.load(SeqCst) {
                        return;
                    }
                    happen(event, &node, &mut server, &network);
                }
                round += 1;
            }
        });
        let stormed = stopped.join();
        done.store(true, SeqCst);
        stormed.expect("no panic");
        working.join().expect("no panic")
    });
    let theirs = other.end();
    let direct = H::Direct::at(server.port(), Duration::from_secs(60));
    for acknowledged in [&ours, &theirs] {
        assert!(acknowledged.len() > 10);
        check(&direct, acknowledged);
    }
    let stats = node.cache.stats();
    println!("{} operations: {stats}", node.operations.load(SeqCst));
    assert!(stats.opened > 0 && stats.replayed > 0);
    assert_eq!((stats.errors, stats.journal_overflowed), (0, false));
    // And it is a cache of two levels again.
    while node.cache.stats().breaker != BreakerState::Closed
        || !matches!(direct.get("again"), Ok(Some(1)))
    {
        node.cache.insert("again", 1u64).expect("no error");
    }
}

/// The second process: this test program again.
struct Other(Child);

impl Other {
    fn start(process: &str, port: u16) -> Self {
        let program = std::env::current_exe().expect("this program");
        let child = Command::new(program)
            .args([process, "--exact", "--nocapture"])
            .env(PORT, port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Self(child.expect("a second process"))
    }

    /// Completes the recovery and returns the acknowledged values.
    fn end(&mut self) -> Acknowledged {
        drop(self.0.stdin.take());
        let output = self.0.stdout.take().expect("its output");
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        let told = lines.filter_map(|line| {
            let (key, value) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
            Some((key.to_owned(), value.parse().ok()))
        });
        let told = told.collect();
        assert!(self.0.wait().expect("its end").success());
        told
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

// The entry points of the second processes. On their own they do nothing.
#[test]
fn second_process_over_redis() {
    second_process::<OverRedis>();
}

#[test]
fn second_process_over_memcached() {
    second_process::<OverMemcached>();
}

#[test]
fn second_process_over_async_memcached() {
    second_process::<OverAsyncMemcached>();
}

fn second_process<L: Levels>() {
    let port = std::env::var(PORT).ok().and_then(|port| port.parse().ok());
    let Some(port) = port else { return };
    let node = Node::<L>::new("child", port);
    let done = AtomicBool::new(false);
    let acknowledged = thread::scope(|scope| {
        let working = scope.spawn(|| node.work(&done));
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        done.store(true, SeqCst);
        working.join().expect("no panic")
    });
    for (key, last) in acknowledged {
        let last = last.map_or("-".into(), |last| last.to_string());
        println!("acknowledged {key} {last}");
    }
}
