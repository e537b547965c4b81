//! Async caches on tokio, against real servers: the properties that the scenarios of `backends` do
//! not have, since each of their operations runs to its end.

mod conformance;
mod dropped;
mod external;
mod large_values;
mod memcached;
mod memcached_servers;
mod redis;
mod replaced;
mod runtimes;
mod tls;
mod two_level;

use ctu_std::{AsyncRawRedisCache, RedisCache};
use std::{future::Future, time::Duration};
use tokio::runtime::{Builder, Runtime};

/// A runtime of one thread.
fn one_thread() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

/// A runtime of several threads.
fn threads() -> Runtime {
    let runtime = Builder::new_multi_thread()
        .worker_threads(3)
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

/// Runs a scenario on a runtime of one thread, then on one of several threads.
fn on_both<F: Future<Output = ()>>(scenario: impl Fn() -> F) {
    one_thread().block_on(scenario());
    threads().block_on(scenario());
}

/// A cache of bytes that waits long, with so many connections.
fn raw(port: u16, connections: usize) -> AsyncRawRedisCache {
    within(port, connections, Duration::from_secs(60))
}

/// The same with a deadline.
fn within(port: u16, connections: usize, deadline: Duration) -> AsyncRawRedisCache {
    let builder = RedisCache::builder(format!("redis://127.0.0.1:{port}"));
    let builder = builder.deadline(deadline).connect_deadline(deadline);
    let cache = builder.pool_size(connections).raw().build_async();
    cache.expect("a good address")
}
