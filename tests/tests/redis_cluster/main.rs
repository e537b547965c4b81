//! `RedisCache` and `AsyncRedisCache` over a real Redis Cluster, with and without faults.

use crate::forms::Form;
use ctu_std::{CacheError as _, RedisCache, RedisError};
use ctu_tests::{fake, servers::RedisCluster};
use std::{thread, time::Duration};

mod batches;
mod dropped;
mod failover;
mod forms;
mod malformed_nodes;
mod migration;
mod operations;
mod outages;
mod tags;
#[cfg(feature = "tls")]
mod tls;
mod tracking;
mod two_level;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A cache of bytes with a long deadline.
fn raw<C: Form>(cluster: &RedisCluster) -> C {
    at(cluster.urls())
}

/// The same from the addresses of nodes.
fn at<C: Form>(urls: impl IntoIterator<Item = impl AsRef<str>>) -> C {
    let builder = RedisCache::cluster(urls)
        .raw()
        .deadline(secs(60))
        .connect_deadline(secs(30));
    C::build(builder).expect("good addresses")
}

/// Keys in the slots of `master`.
fn keys_of(cluster: &RedisCluster, master: usize, count: usize) -> Vec<String> {
    let slots = cluster.slots(master);
    let keys = (0..).map(|n| format!("key {n}"));
    let here = keys.filter(|key| slots.contains(&cluster.slot(key)));
    here.take(count).collect()
}

/// Tries again while the cluster is out.
fn in_time<T>(mut operation: impl FnMut() -> Result<T, RedisError>) -> T {
    loop {
        match operation() {
            Ok(done) => return done,
            Err(error) => assert!(error.is_outage(), "{error}"),
        }
        thread::yield_now();
    }
}

/// The message of an error, which is one line.
fn shown(error: RedisError) -> String {
    let shown = error.to_string();
    assert!(!shown.contains('\n'), "{shown}");
    shown
}

/// The value of `key` in `cache`.
fn text(cache: &impl Form, key: &str) -> Option<String> {
    let found = cache.get(key.as_bytes()).expect("an answer");
    found.map(|value| String::from_utf8(value).expect("text"))
}
