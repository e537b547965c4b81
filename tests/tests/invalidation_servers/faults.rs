//! Two nodes in two processes and an author that is no node, in every fault. No answer is older than the
//! bound.

use crate::{
    author::Author,
    reader::{BOUND, Node, Other, node, read},
};
use ctu_std::{
    Cache, TrackingState,
    test_util::{FaultProxy, NetworkFault},
};
use ctu_tests::servers::RedisServer;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
};

struct Nodes {
    server: RedisServer,
    network: FaultProxy,
    node: Node,
    other: Other,
    author: Arc<Author>,
}

impl Nodes {
    /// Waits until the server reports changes to the node of this process.
    fn wait_subscribed(&self) {
        while self.node.stats().tracking != TrackingState::Subscribed {
            thread::yield_now();
        }
    }

    /// Waits until the node has lost its connection `times` more.
    fn wait_unsubscribed(&self, times: u64, before: u64) {
        while self.node.stats().unsubscribed < before + times {
            thread::yield_now();
        }
    }

    /// Waits until the first level has no lease.
    fn wait_unleased(&self) {
        while !self.node.stats().lease_left.is_zero() {
            thread::yield_now();
        }
    }
}

/// Ends the threads of a test also if it fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Runs the nodes and the author through a fault, and checks all answers.
fn through(fault: impl FnOnce(&mut Nodes)) {
    let server = RedisServer::start();
    let network = server.proxy();
    network.select(b"TRACKING");
    let mut nodes = Nodes {
        node: node(network.port()),
        other: Other::start(network.port()),
        author: Arc::default(),
        server,
        network,
    };
    let (url, done) = (nodes.server.url(), AtomicBool::new(false));
    let (node, author) = (nodes.node.clone(), nodes.author.clone());
    let log = thread::scope(|scope| {
        let stop = Stop(&done);
        let reading = scope.spawn(|| read(&node, "parent", &done));
        scope.spawn(|| author.write(&url, &done));
        nodes.wait_subscribed();
        author.works_for(BOUND);
        fault(&mut nodes);
        nodes.wait_subscribed();
        author.works_for(BOUND);
        drop(stop);
        reading.join().expect("no panic")
    });
    let stats = node.stats();
    println!("{stats}");
    assert!(author.check(&log) > 10);
    assert!(author.check(&nodes.other.end()) > 10);
    assert!(
        stats.first_hits > 100 && stats.invalidated > 10,
        "{stats:?}"
    );
}

#[test]
fn black_hole_of_the_tracking_connection_alone_ends_the_lease() {
    through(|nodes| {
        let before = nodes.node.stats().unsubscribed;
        nodes.network.fail(NetworkFault::BlackHole);
        nodes.wait_unleased();
        nodes.wait_unsubscribed(1, before);
        nodes.author.works_for(2 * BOUND);
        nodes.network.work();
    });
}

#[test]
fn closed_tracking_connection_is_opened_again() {
    through(|nodes| {
        for _ in 0..3 {
            let before = nodes.node.stats().unsubscribed;
            nodes.server.cli(&["client", "kill", "type", "pubsub"]);
            nodes.wait_unsubscribed(1, before);
            nodes.wait_subscribed();
            nodes.author.works_for(BOUND / 4);
        }
    });
}

#[test]
fn stopped_server_ends_the_lease() {
    through(|nodes| {
        for _ in 0..2 {
            nodes.server.pause();
            nodes.wait_unleased();
            nodes.server.resume();
            nodes.author.works_for(BOUND);
        }
    });
}

#[test]
fn restarted_server_shows_nothing_from_before() {
    through(|nodes| {
        let before = nodes.node.stats().unsubscribed;
        nodes.server.kill();
        nodes.wait_unsubscribed(1, before);
        nodes.server.start_again();
        nodes.author.works_for(BOUND);
        nodes.server.restart();
    });
}

/// The node answers at once when it goes on.
#[test]
fn stopped_node_serves_no_old_entry_when_it_goes_on() {
    through(|nodes| {
        for _ in 0..5 {
            nodes.other.signal("STOP");
            nodes.author.works_for(2 * BOUND);
            nodes.other.signal("CONT");
            nodes.author.works_for(BOUND / 4);
        }
    });
}

#[test]
fn evicted_entry_leaves_the_first_level() {
    let server = RedisServer::with(&["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru"]);
    let node = node(server.port());
    server.cli(&["set", "app.k", "1"]);
    // A miss starts the tracking.
    assert_eq!(node.get("none"), Ok(None));
    while node.stats().tracking != TrackingState::Subscribed {
        thread::yield_now();
    }
    assert_eq!(node.get("k"), Ok(Some(1)));
    let large = "x".repeat(100_000);
    for number in 0..100 {
        server.cli(&["set", &format!("large{number}"), &large]);
    }
    assert_eq!(server.cli(&["exists", "app.k"]), "0");
    while node.stats().invalidated == 0 {
        thread::yield_now();
    }
    assert_eq!(node.get("k"), Ok(None));
}
