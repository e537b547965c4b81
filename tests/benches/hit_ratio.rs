//! How much caches find: `cargo bench -p ctu-tests --bench hit_ratio`.
//!
//! Keys are looked up, and inserted where missing. They are drawn as they are needed, none is replayed: Zipf's law with
//! exponent 0.9 over ten times the capacity. "scans": after four times the capacity come as many as the capacity that never
//! come again. "shifting": each key is replaced by a new one after ten times the capacity of look-ups, a tenth of the keys at a
//! time. The first quarter warms up and does not count.

use ctu_std::{Cache, LockedCache, LruCache, SieveCache};
use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, Zipf};

const LOOK_UPS: u64 = 4_000_000;
const CAPACITIES: [u64; 2] = [1_000, 100_000];

/// What is asked for at a step, where `rank` was drawn.
type Pattern = fn(step: u64, rank: u64, capacity: u64) -> u64;

const PATTERNS: [(&str, Pattern); 3] = [
    ("skewed", |_, rank, _| rank),
    ("scans", |step, rank, capacity| match step / capacity % 5 {
        4 => u64::MAX - step,
        _ => rank,
    }),
    ("shifting", |step, rank, capacity| {
        let generation = (step / capacity + rank) / 10;
        rank + generation * 10 * capacity
    }),
];

/// Looks a key up, inserts it where it is missing, and says whether it was there.
type Contender = Box<dyn FnMut(u64) -> bool>;

fn ours(cache: impl Cache<Key = u64, Value = u64> + 'static) -> Contender {
    Box::new(move |key| {
        let found = cache.get(&key).is_ok_and(|value| value.is_some());
        if !found {
            cache.insert_entry(&key, key, None).expect("room");
        }
        found
    })
}

fn contenders(capacity: u64) -> [(&'static str, Contender); 4] {
    let room = capacity as usize;
    let quick = quick_cache::sync::Cache::<u64, u64>::new(room);
    let moka = moka::sync::Cache::<u64, u64>::new(capacity);
    [
        (
            "ctu SieveCache",
            ours(SieveCache::<u64, u64>::with_capacity(room)),
        ),
        (
            "ctu LruCache",
            ours(LockedCache::new(LruCache::<u64, u64>::with_capacity(room))),
        ),
        (
            "quick_cache (sync)",
            Box::new(move |key| {
                let found = quick.get(&key).is_some();
                if !found {
                    quick.insert(key, key);
                }
                found
            }),
        ),
        (
            "moka (sync)",
            Box::new(move |key| {
                let found = moka.get(&key).is_some();
                if !found {
                    moka.insert(key, key);
                }
                found
            }),
        ),
    ]
}

/// The share found by each, in percent.
fn column(pattern: Pattern, capacity: u64) -> Vec<(&'static str, f64)> {
    let zipf = Zipf::new(10.0 * capacity as f64, 0.9).expect("a valid exponent");
    let mut random = StdRng::seed_from_u64(1);
    let mut contenders = contenders(capacity).map(|(name, run)| (name, run, 0_u64));
    let warm = LOOK_UPS / 4;
    for step in 0..LOOK_UPS {
        let rank = zipf.sample(&mut random) as u64 - 1;
        let key = pattern(step, rank, capacity);
        for (_, run, found) in &mut contenders {
            *found += u64::from(run(key) && step >= warm);
        }
    }
    let share = |found: u64| 100.0 * found as f64 / (LOOK_UPS - warm) as f64;
    let shares = contenders
        .into_iter()
        .map(|(name, _, found)| (name, share(found)));
    shares.collect()
}

fn main() {
    let mut titles = vec!["found, %".to_owned()];
    let mut columns = Vec::new();
    for capacity in CAPACITIES {
        for (name, pattern) in PATTERNS {
            titles.push(format!("{name}, {capacity}"));
            columns.push(column(pattern, capacity));
        }
    }
    println!("\n| {} |", titles.join(" | "));
    println!("| --- |{}", " ---: |".repeat(columns.len()));
    for (row, (name, _)) in columns[0].iter().enumerate() {
        let shares = columns
            .iter()
            .map(|column| format!("{:.1}", column[row].1))
            .collect::<Vec<_>>();
        println!("| {name} | {} |", shares.join(" | "));
    }
}
