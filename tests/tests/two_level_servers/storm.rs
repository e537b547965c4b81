//! Weather of every kind over two processes with several threads each.

use crate::{
    node::{Acknowledged, Node, check, redis},
    weather::{Network, Weather},
};
use ctu_std::{BreakerState, Cache};
use ctu_tests::servers::RedisServer;
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

const ADDRESS: &str = "CTU_STORM_OF";
const SECONDS: &str = "CTU_SOAK_SECONDS";

/// What happens next, in the network or to the server.
#[derive(Clone, Copy, Debug)]
enum Event {
    Network(Weather),
    Killed,
    Restarted,
    Stopped,
    Full,
}

const EVENTS: [Event; 9] = [
    Event::Network(Weather::Refused),
    Event::Killed,
    Event::Network(Weather::BlackHole),
    Event::Stopped,
    Event::Network(Weather::HalfOpen),
    Event::Full,
    Event::Network(Weather::Flapping),
    Event::Network(Weather::Slow),
    Event::Restarted,
];

/// Lets the node do some work, in whatever time that takes.
fn some_work(node: &Node, operations: u64) {
    let goal = node.operations.load(SeqCst) + operations;
    while node.operations.load(SeqCst) < goal && !node.failed.load(SeqCst) {
        thread::yield_now();
    }
}

/// Lets `event` happen, the node work meanwhile, and the event end.
fn happen(event: Event, node: &Node, server: &mut RedisServer, network: &Network) {
    match event {
        Event::Network(weather) => {
            network.set(weather);
            some_work(node, 2_000);
            network.set(Weather::Fair);
        }
        Event::Killed => {
            server.kill();
            some_work(node, 2_000);
            server.start_again();
        }
        Event::Restarted => server.restart(),
        Event::Stopped => {
            server.pause();
            some_work(node, 2_000);
            server.resume();
        }
        Event::Full => {
            server.cli(&["config", "set", "maxmemory", "1"]);
            some_work(node, 2_000);
            server.cli(&["config", "set", "maxmemory", "0"]);
        }
    }
    // Of what is found out then, not all: the next may come early.
    some_work(node, 2_000);
}

#[test]
fn two_processes_keep_every_promise_in_every_weather() {
    let mut server = RedisServer::with(&["--maxmemory-policy", "noeviction"]);
    let network = Network::to(server.port());
    let node = Node::new("parent", &network.url());
    let mut other = Other::start(&network.url());
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
    let direct = redis(&server.url(), Duration::from_secs(60));
    for acknowledged in [&ours, &theirs] {
        assert!(acknowledged.len() > 10);
        check(&direct, acknowledged);
    }
    let stats = node.cache.stats();
    println!("{} operations: {stats}", node.operations.load(SeqCst));
    assert!(stats.opened > 0 && stats.replayed > 0 && stats.second_hits > 0);
    assert_eq!((stats.errors, stats.suspects), (0, false));
    // And it is a cache of two levels again.
    while node.cache.stats().breaker != BreakerState::Closed || direct.get("again") != Ok(Some(1)) {
        node.cache.insert("again", 1u64).expect("no error");
    }
}

/// The second process: this test program again.
struct Other(Child);

impl Other {
    fn start(url: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let child = Command::new(program)
            .args(["storm::second_process", "--exact", "--nocapture"])
            .env(ADDRESS, url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Self(child.expect("a second process"))
    }

    /// Lets it make good what is to be, and returns what it was acknowledged.
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

/// What the second process runs; nothing by itself.
#[test]
fn second_process() {
    let Ok(url) = std::env::var(ADDRESS) else {
        return;
    };
    let node = Node::new("child", &url);
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
