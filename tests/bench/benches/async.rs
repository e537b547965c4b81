//! `AsyncRedisCache` beside the `redis` crate's `MultiplexedConnection`, and async caches in memory beside
//! moka: `cargo bench -p ctu-bench --bench async [-- SECTION ..]`.
//!
//! Contenders take turns, on a runtime of one thread and on one of two; the median of the rounds counts.
//!
//! | section | measurement |
//! | --- | --- |
//! | `gets` | the time of a get of 64 bytes, by 1, 64 and 1,024 tasks against one server: the inverse of the throughput of all tasks |
//! | `dropped` | the same for 64 tasks with every tenth future dropped |
//! | `large` | the 99th percentile of small gets beside reads of 1 MiB |
//! | `hits` | a hit in the first level, and its allocations |
//! | `waiters` | 1,000 tasks that request one missing key |
//!
//! `CTU_CONNECTIONS` sets the number of connections of the cache.

use ctu_bench::contest::{Contender, contest, table};
use ctu_std::{
    AsyncCache, AsyncCacheExt, AsyncRawRedisCache, Cache, CacheExt, ConcurrentCache, IsAsync,
    Ready, RedisCache, SingleFlightCache, TwoLevelCache,
};
use ctu_tests::{
    allocations::{self, Counting},
    cancel::poll_at_most,
    servers::RedisServer,
};
use redis::{AsyncCommands, Commands, aio::MultiplexedConnection};
use std::{future::Future, hint::black_box, sync::Arc, task::Poll, time::Instant};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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

/// Whether the command line names a section, or none.
fn runs(section: &str) -> bool {
    let mut named = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"));
    let mut any = false;
    named.any(|name| {
        any = true;
        name == section
    }) || !any
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
    if runs("gets") {
        gets(name, runtime, &cache, &peer);
    }
    if runs("dropped") {
        dropped(name, runtime, &cache);
    }
    if runs("large") {
        behind_large_values(name, runtime, &cache, &peer, server);
    }
}

/// The time of a get, by so many tasks.
fn gets(name: &str, runtime: &Runtime, cache: &AsyncRawRedisCache, peer: &MultiplexedConnection) {
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
    server: &RedisServer,
) {
    let insert = cache.insert_entry(b"large", vec![b'x'; 1 << 20], None);
    runtime.block_on(insert).expect("a server");
    let rounds = 7;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut floor = Vec::new();
    for _ in 0..rounds {
        floor.push(percentile_of_threads(server));
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
    floor.sort_by(f64::total_cmp);
    let (ours, theirs, floor) = (ours[rounds / 2], theirs[rounds / 2], floor[rounds / 2]);
    println!(
        "{name}: 99th percentile of small gets beside reads of 1 MiB, in us: {ours:.0} of the cache, \
         {theirs:.0} of the peer (×{:.2}), {floor:.0} of two blocking clients on threads of their own\n",
        ours / theirs
    );
}

/// The same with a connection and a thread for each kind of read: the share of the server.
fn percentile_of_threads(server: &RedisServer) -> f64 {
    let connection = || {
        let client = redis::Client::open(server.url()).expect("an address");
        client.get_connection().expect("a server")
    };
    let (mut large, mut small) = (connection(), connection());
    let reads = std::thread::spawn(move || {
        for _ in 0..50 {
            let _: Vec<u8> = large.get("large").expect("a reply");
        }
    });
    let mut times = Vec::new();
    while !reads.is_finished() {
        let start = Instant::now();
        let _: Vec<u8> = small.get(key(times.len())).expect("a reply");
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    reads.join().expect("a thread without a panic");
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
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

/// The time of a hit in the first level, beside the blocking form and moka.
fn hits(runtime: &Runtime) {
    const HITS: usize = 100_000;
    let first = || ConcurrentCache::<u64, u64>::with_capacity(1_000);
    let cache: TwoLevelCache<_, _, IsAsync> =
        TwoLevelCache::builder(first(), Ready(first())).build();
    let blocking = TwoLevelCache::builder(first(), first()).build();
    let moka = moka::future::Cache::<u64, u64>::new(1_000);
    for key in 0..KEYS as u64 {
        runtime.block_on(cache.insert(&key, key)).expect("memory");
        CacheExt::insert(&blocking, &key, key).expect("memory");
        runtime.block_on(moka.insert(key, key));
    }
    let keys = || (0..HITS as u64).map(|n| n % KEYS as u64);
    let ours = || {
        runtime.block_on(async {
            let mut sum = 0;
            for key in keys() {
                sum += cache
                    .get(black_box(&key))
                    .await
                    .expect("memory")
                    .unwrap_or(0);
            }
            sum
        })
    };
    let theirs = || {
        runtime.block_on(async {
            let mut sum = 0;
            for key in keys() {
                sum += moka.get(black_box(&key)).await.unwrap_or(0);
            }
            sum
        })
    };
    // Without the allocations of the first round.
    ours();
    let before = allocations::count();
    ours();
    let allocated = allocations::count() - before;
    let contenders = vec![
        Contender::ours("TwoLevelCache, async", ours),
        Contender::ours("TwoLevelCache, blocking", || {
            let get = |key| Cache::get(&blocking, black_box(&key)).expect("memory");
            keys().filter_map(get).sum()
        }),
        Contender::peer("moka::future", theirs),
    ];
    println!("{}\n", table(&[contest("a hit", HITS, ROUNDS, contenders)]));
    println!("{allocated} allocations in {HITS} hits\n");
}

/// The time of each of 1,000 tasks that request one missing key at once.
fn waiters(name: &str, runtime: &Runtime) {
    const TASKS: usize = 1_000;
    let memory = ConcurrentCache::<u64, u64>::with_capacity(1_000);
    let cache = Arc::new(SingleFlightCache::new(Ready(memory)));
    let moka = moka::future::Cache::<u64, u64>::new(1_000);
    /// All other tasks wait by the end of it, on a runtime of one thread.
    async fn compute(key: u64) -> u64 {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        key
    }
    let (mut own, mut other) = (0, 0);
    let ours = || {
        own += 1;
        let key = own;
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..TASKS {
                let cache = Arc::clone(&cache);
                tasks.spawn(async move {
                    let made = cache.get_or_insert_with(&key, || compute(key));
                    made.await.expect("memory")
                });
            }
            tasks.join_all().await.into_iter().sum()
        })
    };
    let theirs = || {
        other += 1;
        let key = other;
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..TASKS {
                let moka = moka.clone();
                tasks.spawn(async move { moka.get_with(key, compute(key)).await });
            }
            tasks.join_all().await.into_iter().sum()
        })
    };
    let contenders = vec![
        Contender::ours("SingleFlightCache", ours),
        Contender::peer("moka::future get_with", theirs),
    ];
    let title = format!("{name}, {TASKS} tasks, one key");
    println!(
        "{}\n",
        table(&[contest(&title, TASKS, 5 * ROUNDS, contenders)])
    );
}

fn main() {
    let one = Builder::new_current_thread().enable_all().build();
    let one = one.expect("a runtime");
    let two = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let two = two.expect("a runtime");
    if runs("hits") {
        hits(&one);
    }
    let server = ["gets", "dropped", "large"].into_iter().any(runs);
    let server = server.then(RedisServer::start);
    for (name, runtime) in [("one thread", &one), ("two threads", &two)] {
        if runs("waiters") {
            waiters(name, runtime);
        }
        if let Some(server) = &server {
            measure(name, runtime, server);
        }
    }
}
