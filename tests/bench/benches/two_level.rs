//! `TwoLevelCache` beside its first level alone and beside other caches for threads:
//! `cargo bench -p ctu-bench --bench two_level`.
//!
//! Keys and values are `u64`, 1,024 of them by default. "hit" looks up random keys of the first
//! level. "dead" looks up missing keys while the second level fails and the breaker is open. With
//! threads, a time is the total time divided by the operations of all threads: at best 1/n with `n`
//! threads on `n` processors. "hot" keys follow Zipf's law with exponent 1.1. "through" looks up a
//! key and inserts it after a miss, by Zipf's law with exponent 0.9 over ten times the capacity; a
//! third of the operations evict. The second table shows the hit ratio of "through".

use ctu_bench::contest::{Contender, Outcome, contest, table};
use ctu_std::{
    Cache, CacheError, CoarseClock, ConcurrentCache, Error, LockedCache, LruCache, ShardedCache,
    StdClock, TtlCache, TwoLevelCache,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, Zipf};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

const OPERATIONS: usize = 200_000;
/// More rounds than for the stores: other load of the machine disturbs threads more often.
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
    fn insert_entry(&self, _: &u64, _: u64, _: Option<Duration>) -> Result<(), Down> {
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
        cache.insert_entry(&key, key, None).expect("room");
    }
    cache
}

fn hits<C: Cache<Key = u64, Value = u64>>(cache: &C, keys: &[u64]) -> u64 {
    keys.iter()
        .filter_map(|key| cache.get(key).ok().flatten())
        .fold(0, u64::wrapping_add)
}

/// Measures the cost of two levels for hits in the first level.
fn first_level_hit<C>(name: &str, first: fn() -> C, keys: &[u64]) -> Outcome
where
    C: Cache<Key = u64, Value = u64> + Send + Sync + 'static,
{
    let bare = filled(first());
    let plain = filled(TwoLevelCache::builder(first(), store()).build());
    let ready = TwoLevelCache::builder(first(), Dead).resilient();
    let ready = filled(ready.build());
    contest(
        name,
        OPERATIONS,
        ROUNDS,
        vec![
            Contender::ours("ctu TwoLevelCache", || hits(&plain, keys)),
            Contender::ours("ctu TwoLevelCache, resilient", || hits(&ready, keys)),
            Contender::peer("the first level alone", || hits(&bare, keys)),
        ],
    )
}

fn single() -> Vec<Outcome> {
    let mut random = StdRng::seed_from_u64(1);
    let keys: Vec<u64> = (0..OPERATIONS)
        .map(|_| random.random_range(0..KEYS))
        .collect();
    let mut outcomes = vec![
        first_level_hit("hit, LruCache", || LockedCache::new(store()), &keys),
        first_level_hit("hit, TtlCache", || LockedCache::new(expiring()), &keys),
    ];
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

/// For each thread, keys after Zipf's law.
fn skewed(threads: usize, keys: u64, exponent: f64) -> Vec<Vec<u64>> {
    let zipf = Zipf::new(keys as f64, exponent).expect("a valid exponent");
    let of_thread = |thread| {
        let mut random = StdRng::seed_from_u64(thread as u64);
        (0..OPERATIONS)
            .map(|_| zipf.sample(&mut random) as u64 - 1)
            .collect()
    };
    (0..threads).map(of_thread).collect()
}

/// The common operations of the contenders.
trait Concurrent: Sync {
    fn get(&self, key: u64) -> Option<u64>;
    fn insert_entry(&self, key: u64);
}

/// Ours.
struct Ours<C>(C);

impl<C: Cache<Key = u64, Value = u64> + Sync> Concurrent for Ours<C> {
    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key).ok().flatten()
    }

    #[inline]
    fn insert_entry(&self, key: u64) {
        self.0.insert_entry(&key, key, None).expect("room");
    }
}

macro_rules! peer {
    ($($t:ty),*) => {$(
        impl Concurrent for $t {
            #[inline]
            fn get(&self, key: u64) -> Option<u64> {
                self.get(&key)
            }

            #[inline]
            fn insert_entry(&self, key: u64) {
                self.insert(key, key);
            }
        }
    )*};
}
peer!(quick_cache::sync::Cache<u64, u64>, moka::sync::Cache<u64, u64>);

fn found<C: Concurrent>(cache: &C, keys: &[u64]) -> u64 {
    let values = keys.iter().filter_map(|key| cache.get(*key));
    values.fold(0, u64::wrapping_add)
}

/// Looks keys up and inserts after each miss. Returns the number of hits.
fn through<C: Concurrent>(cache: &C, keys: &[u64]) -> u64 {
    let mut hits = 0;
    for key in keys {
        match cache.get(*key) {
            Some(_) => hits += 1,
            None => cache.insert_entry(*key),
        }
    }
    hits
}

fn concurrent(capacity: u64) -> ConcurrentCache<u64, u64> {
    ConcurrentCache::with_capacity(capacity as usize)
}

/// As good as it gets: a store for each 16 entries.
fn sharded(capacity: u64) -> ShardedCache<LruCache<u64, u64>> {
    ShardedCache::new(128, || LruCache::with_capacity(capacity as usize / 32))
}

fn title(work: &str, threads: usize) -> String {
    let plural = if threads == 1 { "" } else { "s" };
    format!("{work}, {threads} thread{plural}")
}

fn hot(threads: usize) -> Outcome {
    /// Looks up present keys.
    fn run<'k, C: Concurrent + 'k>(cache: C, keys: &'k [Vec<u64>]) -> impl FnMut() -> u64 + 'k {
        (0..KEYS).for_each(|key| cache.insert_entry(key));
        move || at_once(|thread| found(&cache, &keys[thread]), keys.len())
    }
    let keys = &*skewed(threads, KEYS, 1.1);
    let room = 2 * KEYS;
    let concurrent_two = TwoLevelCache::builder(concurrent(room), Dead).resilient();
    let sharded_two = TwoLevelCache::builder(sharded(room), Dead).resilient();
    let ttl = Duration::from_secs(600);
    let expiring = ConcurrentCache::<u64, u64, _>::with_ttl(room as usize, ttl, CoarseClock::new());
    let quick = quick_cache::sync::Cache::<u64, u64>::new(room as usize);
    let moka = moka::sync::Cache::<u64, u64>::new(room);
    contest(
        &title("hot keys", threads),
        OPERATIONS * threads,
        ROUNDS,
        vec![
            Contender::ours(
                "ctu TwoLevelCache, resilient, over ConcurrentCache",
                run(Ours(concurrent_two.build()), keys),
            ),
            Contender::ours("ctu ConcurrentCache", run(Ours(concurrent(room)), keys)),
            Contender::ours(
                "ctu ConcurrentCache, expiring, CoarseClock",
                run(Ours(expiring), keys),
            ),
            Contender::ours(
                "ctu TwoLevelCache, resilient, over ShardedCache",
                run(Ours(sharded_two.build()), keys),
            ),
            Contender::ours("ctu ShardedCache", run(Ours(sharded(room)), keys)),
            Contender::ours(
                "ctu LockedCache",
                run(Ours(LockedCache::new(store())), keys),
            ),
            Contender::peer("quick_cache (sync)", run(quick, keys)),
            Contender::peer("moka (sync)", run(moka, keys)),
        ],
    )
}

/// The times, and the hit ratio of the last round by name.
fn reading_through(threads: usize) -> (Outcome, BTreeMap<&'static str, f64>) {
    let keys = &*skewed(threads, 10 * KEYS, 0.9);
    let shares = RefCell::new(BTreeMap::new());
    fn run<'k, C: Concurrent + 'k>(
        name: &'static str,
        cache: C,
        keys: &'k [Vec<u64>],
        shares: &'k RefCell<BTreeMap<&'static str, f64>>,
    ) -> impl FnMut() -> u64 + 'k {
        move || {
            let hits = at_once(|thread| through(&cache, &keys[thread]), keys.len());
            let share = hits as f64 / (OPERATIONS * keys.len()) as f64;
            shares.borrow_mut().insert(name, share);
            hits
        }
    }
    let room = KEYS as usize;
    let locked = LockedCache::new(LruCache::<u64, u64>::with_capacity(room));
    let eight = ShardedCache::new(8, || LruCache::<u64, u64>::with_capacity(room / 8));
    let quick = quick_cache::sync::Cache::<u64, u64>::new(room);
    let moka = moka::sync::Cache::<u64, u64>::new(KEYS);
    let names = [
        "ctu ConcurrentCache",
        "ctu ShardedCache",
        "ctu LockedCache",
        "quick_cache (sync)",
        "moka (sync)",
    ];
    let outcome = contest(
        &title("through", threads),
        OPERATIONS * threads,
        ROUNDS / 5,
        vec![
            Contender::ours(
                names[0],
                run(names[0], Ours(concurrent(KEYS)), keys, &shares),
            ),
            Contender::ours(names[1], run(names[1], Ours(eight), keys, &shares)),
            Contender::ours(names[2], run(names[2], Ours(locked), keys, &shares)),
            Contender::peer(names[3], run(names[3], quick, keys, &shares)),
            Contender::peer(names[4], run(names[4], moka, keys, &shares)),
        ],
    );
    (outcome, shares.into_inner())
}

fn main() {
    let start = Instant::now();
    println!("\n{}", table(&single()));
    println!("\n{}", table(&[1, 2, 8].map(hot)));
    let (outcomes, shares): (Vec<_>, Vec<_>) = [1, 2, 8].map(reading_through).into_iter().unzip();
    println!("\n{}\n", table(&outcomes));
    for (name, share) in shares.into_iter().next().into_iter().flatten() {
        println!(
            "through, one thread: {:.1} % found by {name}",
            100.0 * share
        );
    }
    eprintln!("{} s", start.elapsed().as_secs());
}
