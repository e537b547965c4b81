//! `TwoLevelCache` beside its first level alone and beside other caches for threads:
//! `cargo bench -p ctu-tests --bench two_level`.
//!
//! Keys and values are `u64`, 1,024 of them unless said otherwise. "hit" looks up keys at random that the first level
//! has. "dead" looks up keys that it has not, when the second level fails and the breaker is open. With threads, a time
//! is that of the whole divided by the operations of all of them: what `n` threads do at once takes 1/n at best, where
//! there are so many processors. "hot" keys follow Zipf's law with exponent 1.1.

use ctu_std::{
    Cache, CacheError, Error, LockedCache, LruCache, ShardedCache, StdClock, TtlCache,
    TwoLevelCache,
};
use ctu_tests::contest::{Contender, Outcome, contest, table};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, Zipf};
use std::{
    fmt,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

const OPERATIONS: usize = 200_000;
/// More than for the stores: threads meet whatever else the machine does more often.
const ROUNDS: usize = 101;
const KEYS: u64 = 1_024;

/// A second level that is not there.
struct Dead;

#[derive(Debug)]
struct Down;

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("down")
    }
}

impl std::error::Error for Down {}

impl From<Error> for Down {
    fn from(_: Error) -> Self {
        Self
    }
}

impl CacheError for Down {
    fn as_core(&self) -> Option<Error> {
        None
    }
}

impl Cache for Dead {
    type Key = u64;
    type Value = u64;
    type Error = Down;

    fn get(&self, _: &u64) -> Result<Option<u64>, Down> {
        Err(Down)
    }
    fn put(&self, _: &u64, _: u64, _: Option<Duration>) -> Result<(), Down> {
        Err(Down)
    }
    fn remove(&self, _: &u64) -> Result<bool, Down> {
        Err(Down)
    }
    fn clear(&self) -> Result<(), Down> {
        Err(Down)
    }
    fn len(&self) -> Result<usize, Down> {
        Err(Down)
    }
}

fn store() -> LruCache<u64, u64> {
    LruCache::with_capacity(2 * KEYS as usize)
}

fn expiring() -> TtlCache<u64, u64, StdClock> {
    TtlCache::with_capacity(2 * KEYS as usize, Duration::from_secs(600), StdClock::new())
}

/// Fills a cache with all keys.
fn filled<C: Cache<Key = u64, Value = u64>>(cache: C) -> C {
    for key in 0..KEYS {
        cache.put(&key, key, None).expect("room");
    }
    cache
}

fn hits<C: Cache<Key = u64, Value = u64>>(cache: &C, keys: &[u64]) -> u64 {
    keys.iter()
        .filter_map(|key| cache.get(key).ok().flatten())
        .fold(0, u64::wrapping_add)
}

fn single() -> Vec<Outcome> {
    let mut random = StdRng::seed_from_u64(1);
    let keys: Vec<u64> = (0..OPERATIONS)
        .map(|_| random.random_range(0..KEYS))
        .collect();
    let resilient = |first| TwoLevelCache::builder(first, Dead).resilient().build();
    let bare = filled(LockedCache::new(store()));
    let plain = filled(TwoLevelCache::builder(store(), store()).build());
    let ready = filled(resilient(store()));
    let mut outcomes = vec![contest(
        "hit, LruCache",
        OPERATIONS,
        ROUNDS,
        vec![
            Contender::ours("ctu TwoLevelCache", || hits(&plain, &keys)),
            Contender::ours("ctu TwoLevelCache, resilient", || hits(&ready, &keys)),
            Contender::peer("the first level alone", || hits(&bare, &keys)),
        ],
    )];
    let bare = filled(LockedCache::new(expiring()));
    let plain = filled(TwoLevelCache::builder(expiring(), store()).build());
    let ready = filled(TwoLevelCache::builder(expiring(), Dead).resilient().build());
    outcomes.push(contest(
        "hit, TtlCache",
        OPERATIONS,
        ROUNDS,
        vec![
            Contender::ours("ctu TwoLevelCache", || hits(&plain, &keys)),
            Contender::ours("ctu TwoLevelCache, resilient", || hits(&ready, &keys)),
            Contender::peer("the first level alone", || hits(&bare, &keys)),
        ],
    ));
    let empty = LockedCache::new(store());
    // Long enough for the whole run: the breaker is open.
    let hour = Duration::from_secs(3_600);
    let dead = TwoLevelCache::builder(store(), Dead)
        .resilient()
        .open_for(hour, hour)
        .build();
    for key in 0..100 {
        let _ = dead.get(&key);
    }
    outcomes.push(contest(
        "miss, dead",
        OPERATIONS,
        ROUNDS,
        vec![
            Contender::ours("ctu TwoLevelCache, resilient", || hits(&dead, &keys)),
            Contender::peer("the first level alone", || hits(&empty, &keys)),
        ],
    ));
    outcomes
}

/// Runs `work` on all threads at once.
fn at_once(work: impl Fn(usize) -> u64 + Sync, threads: usize) -> u64 {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let run = |thread| {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(thread)
            })
        };
        let handles: Vec<_> = (0..threads).map(run).collect();
        let sums = handles
            .into_iter()
            .map(|handle| handle.join().expect("no panic"));
        sums.fold(0, u64::wrapping_add)
    })
}

fn threaded(threads: usize) -> Outcome {
    let zipf = Zipf::new(KEYS as f64, 1.1).expect("a valid exponent");
    let keys: Vec<Vec<u64>> = (0..threads)
        .map(|thread| {
            let mut random = StdRng::seed_from_u64(thread as u64);
            (0..OPERATIONS)
                .map(|_| zipf.sample(&mut random) as u64 - 1)
                .collect()
        })
        .collect();
    let sharded = || {
        ShardedCache::new(128, || {
            LruCache::<u64, u64>::with_capacity(2 * KEYS as usize / 32)
        })
    };
    let two = filled(TwoLevelCache::builder(sharded(), Dead).resilient().build());
    let shards = filled(sharded());
    let locked = filled(LockedCache::new(store()));
    let quick = quick_cache::sync::Cache::<u64, u64>::new(2 * KEYS as usize);
    let moka = moka::sync::Cache::<u64, u64>::new(2 * KEYS);
    for key in 0..KEYS {
        quick.insert(key, key);
        moka.insert(key, key);
    }
    let (keys, sum) = (&keys, |found: Option<u64>| found.unwrap_or(0));
    contest(
        &format!("hot keys, {threads} threads"),
        OPERATIONS * threads,
        ROUNDS,
        vec![
            Contender::ours("ctu TwoLevelCache, resilient, over ShardedCache", || {
                at_once(|thread| hits(&two, &keys[thread]), threads)
            }),
            Contender::ours("ctu ShardedCache", || {
                at_once(|thread| hits(&shards, &keys[thread]), threads)
            }),
            Contender::ours("ctu LockedCache", || {
                at_once(|thread| hits(&locked, &keys[thread]), threads)
            }),
            Contender::peer("quick_cache (sync)", || {
                at_once(
                    |thread| {
                        keys[thread]
                            .iter()
                            .map(|key| sum(quick.get(key)))
                            .fold(0, u64::wrapping_add)
                    },
                    threads,
                )
            }),
            Contender::peer("moka (sync)", || {
                at_once(
                    |thread| {
                        keys[thread]
                            .iter()
                            .map(|key| sum(moka.get(key)))
                            .fold(0, u64::wrapping_add)
                    },
                    threads,
                )
            }),
        ],
    )
}

fn main() {
    let start = Instant::now();
    println!("\n{}", table(&single()));
    println!("\n{}", table(&[1, 2, 8].map(threaded)));
    eprintln!("{} s", start.elapsed().as_secs());
}
