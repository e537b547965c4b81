//! A failover behind one name: the name leads to a new master, and old connections to the old one.

use crate::raw;
use ctu_std::{CacheError, CacheExt};
use ctu_tests::servers::{RedisServer, free_port};
use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

/// How many clients a server has, the one that asks included.
fn clients(server: &RedisServer) -> usize {
    let told = server.cli(&["info", "clients"]);
    let count = told
        .lines()
        .find_map(|line| line.strip_prefix("connected_clients:"));
    count.unwrap().trim().parse().unwrap()
}

/// Demotes a master by `demote` and lets the name lead to another one. No write after that fails.
fn replaced(demote: impl FnOnce(&RedisServer)) {
    let (old, new) = (RedisServer::start(), RedisServer::start());
    let name = old.proxy();
    let cache = raw(&format!("redis://127.0.0.1:{}", name.port()));
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while !enough.load(Relaxed) {
                    cache.insert(b"a", b"old").unwrap();
                }
            });
        }
        while clients(&old) < 6 {}
        enough.store(true, Relaxed);
    });
    demote(&old);
    // The name still leads there: an outage.
    assert!(cache.insert(b"a", b"lost").unwrap_err().is_outage());
    name.set_server(new.socket_address()).unwrap();
    thread::scope(|scope| {
        for key in 0..16_u8 {
            let cache = &cache;
            scope.spawn(move || {
                for _ in 0..10 {
                    cache.insert(&[key][..], b"new").unwrap();
                }
            });
        }
    });
    assert_eq!(new.cli(&["dbsize"]), "16");
    // No connection to the old master is left.
    while clients(&old) > 1 {}
}

fn becomes_a_replica(server: &RedisServer) {
    server.cli(&["replicaof", "127.0.0.1", &free_port().to_string()]);
}

#[test]
fn master_turned_replica_loses_no_write() {
    replaced(becomes_a_replica);
}

#[test]
fn replica_without_master_loses_no_write() {
    replaced(|server| {
        server.cli(&["config", "set", "replica-serve-stale-data", "no"]);
        becomes_a_replica(server);
    });
}

#[test]
fn master_without_replicas_loses_no_write() {
    replaced(|server| {
        server.cli(&["config", "set", "min-replicas-to-write", "1"]);
    });
}
