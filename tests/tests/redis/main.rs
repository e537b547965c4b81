//! `RedisCache` against real servers: its specific features. `backends` tests the common ones.

use ctu_std::{RawRedisCache, RedisCache};
use ctu_tests::servers::RedisServer;
use serde_json::Value;
use std::time::Duration;

mod addresses;
mod batches;
mod connections;
mod entries;
mod entry_limits;
mod prefixed;
mod python;
mod refusals;
mod replaced;
mod scripts;
mod tags;
mod time_to_live;
#[cfg(feature = "tls")]
mod tls;
mod twemproxy;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A cache of bytes with a long deadline.
fn raw(url: &str) -> RawRedisCache {
    RedisCache::builder(url)
        .raw()
        .deadline(secs(60))
        .connect_deadline(secs(30))
        .build()
        .expect("a good address")
}

fn json_cache(server: &RedisServer) -> RedisCache<str, Value> {
    RedisCache::builder(server.url())
        .deadline(secs(60))
        .build()
        .expect("a good address")
}

/// The message of an error, which is one line.
fn shown(error: ctu_std::RedisError) -> String {
    let shown = error.to_string();
    assert!(!shown.contains('\n'), "{shown}");
    shown
}
