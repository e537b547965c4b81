//! Synthetic keys.
//!
//! They are drawn as they are needed, none is replayed: Zipf's law with exponent 0.9 over ten times
//! the capacity. "scans": after four times the capacity come as many as the capacity that never
//! come again. "shifting": each key is replaced by a new one after ten times the capacity of
//! look-ups, a tenth of the keys at a time. "loop": the keys in turn, a tenth more than the capacity.
//! "mixed": every other key is of a loop over twice the capacity, the others are skewed. "drift": a
//! range of twice the capacity, evenly, which moves by one key every ten look-ups. The first quarter
//! warms up and does not count. "static": Zipf's law with exponent 1.0 over 10,000 keys.

use crate::contenders::{self, NAMES};
use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, Zipf};

const LOOK_UPS: u64 = 4_000_000;
const CAPACITIES: [u64; 2] = [1_000, 100_000];
/// Of the 10,000 static keys.
const STATIC: [u64; 5] = [50, 100, 500, 1_000, 2_500];

/// The key of a step, where `rank` was drawn.
type Pattern = fn(step: u64, rank: u64, capacity: u64) -> u64;

const PATTERNS: [(&str, Pattern); 6] = [
    ("skewed", |_, rank, _| rank),
    ("scans", |step, rank, capacity| match step / capacity % 5 {
        4 => u64::MAX - step,
        _ => rank,
    }),
    ("shifting", |step, rank, capacity| {
        let generation = (step / capacity + rank) / 10;
        rank + generation * 10 * capacity
    }),
    ("loop", |step, _, capacity| step % (capacity * 11 / 10)),
    ("mixed", |step, rank, capacity| match step % 2 {
        0 => rank,
        _ => 100 * capacity + step / 2 % (2 * capacity),
    }),
    ("drift", |step, rank, capacity| {
        step / 10 + spread(rank ^ step << 32) % (2 * capacity)
    }),
];

/// A number of 32 bits, evenly spread.
const fn spread(number: u64) -> u64 {
    (number ^ number >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

/// The share found by each, in percent.
fn column(pattern: Pattern, capacity: u64, zipf: Zipf<f64>) -> Vec<f64> {
    let mut random = StdRng::seed_from_u64(1);
    let all = contenders::all(capacity as usize).into_iter();
    let mut contenders: Vec<_> = all.map(|run| (run, 0_u64)).collect();
    let warm = LOOK_UPS / 4;
    for step in 0..LOOK_UPS {
        let rank = zipf.sample(&mut random) as u64 - 1;
        let key = pattern(step, rank, capacity);
        for (run, found) in &mut contenders {
            *found += u64::from(run(key) && step >= warm);
        }
    }
    let share = |found: u64| 100.0 * found as f64 / (LOOK_UPS - warm) as f64;
    contenders
        .into_iter()
        .map(|(_, found)| share(found))
        .collect()
}

/// Prints a table with a line a contender and a column a pattern and capacity.
pub(crate) fn run() {
    let mut titles = vec!["found, %".to_owned()];
    let mut columns = Vec::new();
    for capacity in CAPACITIES {
        for (name, pattern) in PATTERNS {
            eprintln!("{name}, {capacity} ...");
            titles.push(format!("{name}, {capacity}"));
            let zipf = Zipf::new(10.0 * capacity as f64, 0.9).expect("a valid exponent");
            columns.push(column(pattern, capacity, zipf));
        }
    }
    for capacity in STATIC {
        eprintln!("static, {capacity} ...");
        titles.push(format!("static, {capacity}"));
        let zipf = Zipf::new(10_000.0, 1.0).expect("a valid exponent");
        columns.push(column(|_, rank, _| rank, capacity, zipf));
    }
    println!("\n| {} |", titles.join(" | "));
    println!("| --- |{}", " ---: |".repeat(columns.len()));
    for (row, name) in NAMES.iter().enumerate() {
        let shares = columns.iter().map(|column| format!("{:.1}", column[row]));
        println!("| {name} | {} |", shares.collect::<Vec<_>>().join(" | "));
    }
}
