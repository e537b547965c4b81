//! The memory of caches for threads: `cargo bench -p ctu-bench --bench memory`. Linux only.
//!
//! Two threads insert 5 million new keys with values of 1 KiB in a cache of 100,000 entries. Each
//! cache has a process of its own. The memory is that of the process by the operating system, less
//! that before the cache was made: its peak, and its size at the end. Keys are `u64`, and values
//! `Arc<[u8]>`. The last column is the memory without the values: the key, the pointer, and the rest.

use ctu_std::{Cache, ConcurrentCache, LockedCache, LruCache};
use std::{
    env, fs,
    process::{Command, ExitCode},
    sync::Arc,
    thread,
};

const ENTRIES: usize = 100_000;
const INSERTS: u64 = 5_000_000;
const THREADS: u64 = 2;
const BYTES: usize = 1_024;
/// A value of 1 KiB takes the two counts of its `Arc` and the header of the allocator, too.
const ALLOCATED: usize = BYTES + 32;

type Value = Arc<[u8]>;

/// The name of a contender, and the run of it.
type Contender = (&'static str, fn() -> Report);

const CONTENDERS: [Contender; 4] = [
    ("ctu ConcurrentCache", || {
        let cache = ConcurrentCache::<u64, Value>::with_capacity(ENTRIES);
        ours(cache)
    }),
    ("ctu LockedCache of an LruCache", || {
        let store = LruCache::<u64, Value>::with_capacity(ENTRIES);
        ours(LockedCache::new(store))
    }),
    ("quick_cache", || {
        let cache = quick_cache::sync::Cache::<u64, Value>::new(ENTRIES);
        fill(|key, value| cache.insert(key, value));
        Report::now(cache.len())
    }),
    ("moka", || {
        let cache = moka::sync::Cache::<u64, Value>::new(ENTRIES as u64);
        fill(|key, value| cache.insert(key, value));
        cache.run_pending_tasks();
        Report::now(cache.entry_count() as usize)
    }),
];

fn ours(cache: impl Cache<Key = u64, Value = Value> + Sync) -> Report {
    fill(|key, value| cache.insert_entry(&key, value, None).expect("room"));
    Report::now(cache.len().unwrap_or(0))
}

fn fill(insert: impl Fn(u64, Value) + Sync) {
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let insert = &insert;
            scope.spawn(move || {
                for key in 0..INSERTS / THREADS {
                    insert(key * THREADS + thread, Arc::from([7; BYTES]));
                }
            });
        }
    });
}

/// KiB of this process by the operating system.
fn kib(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("the size of a process, by Linux")
}

/// The memory of a cache, while it is there.
struct Report {
    entries: usize,
    /// KiB of the process, at most and now.
    peak: usize,
    steady: usize,
}

impl Report {
    fn now(entries: usize) -> Self {
        Self {
            entries,
            peak: kib("VmHWM:"),
            steady: kib("VmRSS:"),
        }
    }
}

/// Runs a contender, and prints its numbers for the process that asked for them.
fn run(number: usize) {
    let (_, run) = CONTENDERS[number];
    let before = kib("VmRSS:");
    let Report {
        entries,
        peak,
        steady,
    } = run();
    println!("{entries} {} {}", peak - before, steady - before);
}

/// The entries, and the KiB at most and at the end, of a contender in a process of its own.
fn measure(number: usize) -> [usize; 3] {
    let program = env::current_exe().expect("the path of this program");
    let child = Command::new(program)
        .args(["--contender", &number.to_string()])
        .output();
    let output = child.expect("a process").stdout;
    let text = String::from_utf8_lossy(&output);
    let numbers: Vec<usize> = text.split_whitespace().flat_map(str::parse).collect();
    numbers.try_into().expect("three numbers")
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|arg| arg == "--contender") {
        run(arguments[at + 1].parse().expect("a number"));
        return ExitCode::SUCCESS;
    }
    println!("\n| | entries | peak, MiB | at the end, MiB | bytes an entry without its value |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (number, (name, _)) in CONTENDERS.iter().enumerate() {
        let [entries, peak, steady] = measure(number);
        let beside = steady * 1_024 / entries.max(1);
        println!(
            "| {name} | {entries} | {} | {} | {} |",
            peak / 1_024,
            steady / 1_024,
            beside.saturating_sub(ALLOCATED),
        );
    }
    ExitCode::SUCCESS
}
