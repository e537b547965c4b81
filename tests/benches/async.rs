//! `AsyncRedisCache` beside the `redis` crate's `MultiplexedConnection`:
//! `cargo bench -p ctu-tests --bench async`.
//!
//! Both against one server of its own on this machine, in turns, with 1, 64 and 1,024 tasks that read
//! values of 64 bytes, on a runtime of one thread and on one of two. The time is that of an operation of
//! all tasks together: the inverse of the throughput. `CTU_CONNECTIONS` sets the number of connections of
//! the cache. Then the throughput with every tenth future dropped, and the time of small gets beside
//! reads of 1 MiB.

use ctu_std::{AsyncCache, AsyncRawRedisCache, RedisCache};
use ctu_tests::{
    cancel::poll_at_most,
    contest::{Contender, contest, table},
    servers::RedisServer,
};
use redis::{AsyncCommands, aio::MultiplexedConnection};
use std::{future::Future, task::Poll, time::Instant};
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
    dropped(name, runtime, &cache);
    behind_large_values(name, runtime, &cache, &peer);
}

/// The throughput of 64 tasks with every tenth future dropped after its first poll, beside that without.
fn dropped(name: &str, runtime: &Runtime, cache: &AsyncRawRedisCache) {
    const TASKS: usize = 64;
    const EACH: usize = 300;
    let run = |every: usize| {
        runtime.block_on(async {
            let mut running = JoinSet::new();
            for task in 0..TASKS {
                let cache = cache.clone();
                running.spawn(async move {
                    for n in 0..EACH {
                        let key = key(task + n);
                        let polls = if n % every == 0 { 1 } else { usize::MAX };
                        poll_at_most(polls, cache.get(&key)).await;
                    }
                });
            }
            running.join_all().await.len() as u64
        })
    };
    let contenders = vec![
        Contender::ours("10 % dropped", || run(10)),
        Contender::peer("none dropped", || run(usize::MAX)),
    ];
    let title = format!("{name}, 64 tasks");
    println!(
        "{}\n",
        table(&[contest(&title, TASKS * EACH, ROUNDS, contenders)])
    );
}

/// The 99th percentile of the time of a small get while another task reads values of 1 MiB.
fn behind_large_values(
    name: &str,
    runtime: &Runtime,
    cache: &AsyncRawRedisCache,
    peer: &MultiplexedConnection,
) {
    let insert = cache.insert_entry(b"large", vec![b'x'; 1 << 20], None);
    runtime.block_on(insert).expect("a server");
    let rounds = 7;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (large, small) = (cache.clone(), cache.clone());
        ours.push(percentile(
            runtime,
            async move || large.get(b"large").await.map(drop).expect("a reply"),
            async move |n| small.get(&key(n)).await.map(drop).expect("a reply"),
        ));
        let (large, small) = (peer.clone(), peer.clone());
        theirs.push(percentile(
            runtime,
            async move || {
                let _: Vec<u8> = large.clone().get(b"large").await.expect("a reply");
            },
            async move |n| {
                let _: Vec<u8> = small.clone().get(key(n)).await.expect("a reply");
            },
        ));
    }
    ours.sort_by(f64::total_cmp);
    theirs.sort_by(f64::total_cmp);
    let (ours, theirs) = (ours[rounds / 2], theirs[rounds / 2]);
    println!(
        "{name}: 99th percentile of small gets beside reads of 1 MiB, in us: {ours:.0} of the cache, \
         {theirs:.0} of the peer (×{:.2})\n",
        ours / theirs
    );
}

fn percentile(runtime: &Runtime, large: impl AsyncFn(), small: impl AsyncFn(usize)) -> f64 {
    runtime.block_on(async {
        let mut times = Vec::new();
        let mut n = 0;
        let reads = async {
            for _ in 0..50 {
                large().await;
            }
        };
        let mut reads = std::pin::pin!(reads);
        loop {
            let start = Instant::now();
            let mut get = std::pin::pin!(small(n));
            let mut ended = false;
            std::future::poll_fn(|context| {
                ended |= reads.as_mut().poll(context).is_ready();
                match ended {
                    true => Poll::Ready(()),
                    false => get.as_mut().poll(context),
                }
            })
            .await;
            if ended {
                break;
            }
            times.push(start.elapsed().as_secs_f64() * 1e6);
            n += 1;
        }
        times.sort_by(f64::total_cmp);
        times[times.len() * 99 / 100]
    })
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
