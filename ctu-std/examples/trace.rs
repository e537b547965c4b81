//! The share of lookups that a cache answers, for the keys of a program: how large should the cache be, and with
//! which policy?
//!
//! ```text
//! cargo run --release -p ctu-std --example trace               # keys that the example makes
//! cargo run --release -p ctu-std --example trace -- keys.txt   # a line a lookup, each a key
//! ```
//!
//! A log of requests is such a file. The benchmark `hit_ratio` of the repository compares further caches on the same
//! file: `cargo bench -p ctu-bench --bench hit_ratio -- --traces keys.txt`.

#[path = "support/file.rs"]
mod file;

use ctu_std::{AdaptiveCache, LruCache, Store};
use std::{
    collections::HashMap,
    error::Error,
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The number of lookups that the example makes without a file.
const LOOKUPS: u32 = 200_000;

/// The keys of the lookups, each key numbered by its first lookup.
#[derive(Default)]
struct Trace {
    keys: Vec<u32>,
    numbers: HashMap<Vec<u8>, u32>,
}

impl Trace {
    fn push(&mut self, key: &[u8]) {
        let next = self.numbers.len() as u32;
        let number = match self.numbers.get(key) {
            Some(number) => *number,
            None => *self.numbers.entry(key.to_vec()).or_insert(next),
        };
        self.keys.push(number);
    }

    fn read(path: &Path) -> io::Result<Self> {
        let (mut trace, mut line) = (Self::default(), Vec::new());
        let mut file = BufReader::new(File::open(path)?);
        while file.read_until(b'\n', &mut line)? > 0 {
            let key = line.trim_ascii();
            if !key.is_empty() {
                trace.push(key);
            }
            line.clear();
        }
        Ok(trace)
    }

    /// Popular keys, and a scan of keys that come once, in turns.
    fn made() -> Self {
        let mut trace = Self::default();
        let mut random = fastrand::Rng::with_seed(7);
        for lookup in 0..LOOKUPS {
            // The cube of a share draws small numbers more often.
            let share = random.f64();
            let key = match lookup / 1_000 % 5 {
                4 => format!("scan {lookup}"),
                _ => format!("page {}", (share * share * share * 10_000.0) as u32),
            };
            trace.push(key.as_bytes());
        }
        trace
    }

    /// The share of the lookups that a store answers, in percent.
    fn found(&self, mut store: impl Store<Key = u32, Value = ()>) -> Result<f64, ctu_std::Error> {
        let mut hits = 0_u32;
        for key in &self.keys {
            if store.get(key).is_some() {
                hits += 1;
            } else {
                store.insert_entry(key, (), None)?;
            }
        }
        Ok(100.0 * f64::from(hits) / self.keys.len().max(1) as f64)
    }
}

fn run(file: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let trace = match &file {
        Some(path) => Trace::read(path).map_err(|error| format!("{}: {error}", path.display()))?,
        None => Trace::made(),
    };
    let (lookups, keys) = (trace.keys.len(), trace.numbers.len());
    let mut out = io::stdout();
    writeln!(out, "{lookups} lookups of {keys} keys\n")?;
    writeln!(out, "{:>10}{:>12}{:>10}", "entries", "adaptive", "LRU")?;
    for share in [1, 2, 5, 10, 20, 50] {
        let capacity = (keys * share).div_ceil(100).max(1);
        let adaptive = trace.found(AdaptiveCache::<u32, ()>::with_capacity(capacity))?;
        let lru = trace.found(LruCache::<u32, ()>::with_capacity(capacity))?;
        writeln!(out, "{capacity:>10}{adaptive:>10.1} %{lru:>8.1} %")?;
    }
    writeln!(
        out,
        "\nadaptive: ConcurrentCache and AdaptiveCache; LRU: LruCache and TtlCache"
    )?;
    Ok(())
}

const USAGE: &str = "usage: trace [FILE]";

fn main() -> ExitCode {
    match file::of_command_line(USAGE).and_then(|file| file.map_or(Ok(()), run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `eprintln!` would panic on a closed pipe.
            let _ = writeln!(io::stderr(), "trace: {error}");
            ExitCode::FAILURE
        }
    }
}
