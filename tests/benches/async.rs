//! `AsyncRedisCache` beside the `redis` crate's `MultiplexedConnection`:
//! `cargo bench -p ctu-tests --bench async`.
//!
//! Both against one server of its own on this machine, in turns, with 1, 64 and 1,024 tasks that
//! read values of 64 bytes, on a runtime of one thread and on one of two. The time is that of an
//! operation of all tasks together: the inverse of the throughput. `CTU_CONNECTIONS` sets the
//! number of connections of the cache.

use ctu_std::{AsyncCache, AsyncRawRedisCache, RedisCache};
use ctu_tests::{
    contest::{Contender, contest, table},
    servers::RedisServer,
};
use redis::{AsyncCommands, aio::MultiplexedConnection};
use std::future::Future;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
};

const ROUNDS: usize = 15;
const TASKS: [usize; 3] = [1, 64, 1024];
const KEYS: usize = 256;

/// Runs as many tasks, each with its share of the operations.
fn in_tasks<F>(runtime: &Runtime, tasks: usize, operations: usize, task: impl Fn(usize) -> F) -> u64
where
    F: Future<Output = usize> + Send + 'static,
{
    runtime.block_on(async {
        let mut running = JoinSet::new();
        for index in 0..tasks {
            running.spawn(task(index));
        }
        let found = running.join_all().await;
        assert_eq!(found.iter().sum::<usize>(), operations * 64);
        found.len() as u64
    })
}

fn key(index: usize) -> Vec<u8> {
    format!("key {}", index % KEYS).into_bytes()
}

fn measure(name: &str, runtime: &Runtime, server: &RedisServer) {
    let mut builder = RedisCache::builder(server.url());
    if let Ok(connections) = std::env::var("CTU_CONNECTIONS") {
        builder = builder.pool_size(connections.parse().expect("a number of connections"));
    }
    let cache: AsyncRawRedisCache = builder.raw().build_async().expect("an address");
    let client = redis::Client::open(server.url()).expect("an address");
    let peer: MultiplexedConnection = runtime
        .block_on(client.get_multiplexed_async_connection())
        .expect("a connection");
    for index in 0..KEYS {
        let key = key(index);
        let insert = cache.insert_entry(&key, vec![b'x'; 64], None);
        runtime.block_on(insert).expect("a server");
    }
    let mut outcomes = Vec::new();
    for tasks in TASKS {
        let each = (if tasks == 1 { 2_000 } else { 20_000 }) / tasks;
        let operations = each * tasks;
        let ours = || {
            in_tasks(runtime, tasks, operations, |task| {
                let cache = cache.clone();
                async move {
                    let mut found = 0;
                    for n in 0..each {
                        let value = cache.get(&key(task + n)).await.expect("a reply");
                        found += value.map_or(0, |value| value.len());
                    }
                    found
                }
            })
        };
        let theirs = || {
            in_tasks(runtime, tasks, operations, |task| {
                let mut peer = peer.clone();
                async move {
                    let mut found = 0;
                    for n in 0..each {
                        let value: Vec<u8> = peer.get(key(task + n)).await.expect("a reply");
                        found += value.len();
                    }
                    found
                }
            })
        };
        let contenders = vec![
            Contender::ours("AsyncRedisCache", ours),
            Contender::peer("redis MultiplexedConnection", theirs),
        ];
        let title = format!("{name}, {tasks} tasks");
        outcomes.push(contest(&title, operations, ROUNDS, contenders));
    }
    println!("{}\n", table(&outcomes));
}

fn main() {
    let server = RedisServer::start();
    let one = Builder::new_current_thread().enable_all().build();
    measure("one thread", &one.expect("a runtime"), &server);
    let two = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    measure("two threads", &two.expect("a runtime"), &server);
}
