//! The share of look-ups that caches answer: `cargo bench -p ctu-tests --bench hit_ratio`.
//!
//! Each key is looked up, and inserted where it is missing. Without arguments the keys follow
//! synthetic [`patterns`]; with `-- --traces DIR` they are recorded ones, which [`traces`] reads:
//!
//! ```text
//! cargo bench -p ctu-tests --bench hit_ratio -- --traces DIR [--capacity N]... [--runs N] [--plot FILE.svg]
//! ```
//!
//! * `--traces DIR`: every `.u32`, `.u32.gz`, `.txt` and `.txt.gz` file of the folder, or one file.
//! * `--capacity N`: a cache of `N` entries. By default the cells that are published for the public
//!   traces, and 1, 2, 5, 10 and 20 % of the distinct keys for any other trace.
//! * `--runs N`: each number is the mean of `N` runs, with other hash seeds. 5 by default.
//! * `--plot FILE.svg`: draws a curve a cache over the capacity, a chart a trace.

mod contenders;
mod optimum;
mod patterns;
mod plot;
mod traces;

use contenders::NAMES;
use ctu_tests::cli::from_caller;
use std::{path::PathBuf, process::ExitCode};
use traces::Trace;

struct Options {
    traces: Option<PathBuf>,
    capacities: Vec<usize>,
    runs: usize,
    plot: Option<PathBuf>,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::{Arg::Long, ValueExt as _};
    let mut options = Options {
        traces: None,
        capacities: Vec::new(),
        runs: 5,
        plot: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            // Cargo passes it to every benchmark.
            Long("bench") => {}
            // The bench runs in the folder of its package, the caller elsewhere.
            Long("traces") => options.traces = Some(from_caller(parser.value()?)),
            Long("plot") => options.plot = Some(from_caller(parser.value()?)),
            Long("capacity") => options.capacities.push(parser.value()?.parse()?),
            Long("runs") => options.runs = parser.value()?.parse::<usize>()?.max(1),
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

/// The share that each contender finds at one capacity, in percent; the optimum is last.
fn cell(trace: &Trace, capacity: usize, runs: usize) -> Vec<f64> {
    let mut found = vec![0_u64; NAMES.len()];
    for _ in 0..runs {
        for (found, mut contender) in found.iter_mut().zip(contenders::all(capacity)) {
            let hits = trace.keys.iter().filter(|key| contender(u64::from(**key)));
            *found += hits.count() as u64;
        }
    }
    let share = |hits: u64, of: usize| 100.0 * hits as f64 / of.max(1) as f64;
    let len = trace.keys.len();
    let mut shares: Vec<_> = found.iter().map(|&hits| share(hits, len * runs)).collect();
    shares.push(share(optimum::hits(&trace.keys, capacity), len));
    shares
}

/// Prints a table with a line a cell and a column a contender.
fn print_cells(cells: &[(String, Vec<f64>)]) {
    let mut names = NAMES.to_vec();
    names.push("optimum");
    println!("\n| found, % | {} |", names.join(" | "));
    println!("| --- |{}", " ---: |".repeat(names.len()));
    let row = |title: &str, shares: &[f64]| {
        let shares: Vec<_> = shares.iter().map(|share| format!("{share:.1}")).collect();
        println!("| {title} | {} |", shares.join(" | "));
    };
    let mut sums = vec![0.0; names.len()];
    for (title, shares) in cells {
        row(title, shares);
        for (sum, share) in sums.iter_mut().zip(shares) {
            *sum += share / cells.len() as f64;
        }
    }
    row(&format!("mean of {}", cells.len()), &sums);
}

fn run_traces(options: &Options, path: &std::path::Path) -> Result<(), String> {
    let (mut cells, mut charts) = (Vec::new(), Vec::new());
    for trace in traces::read_all(path)? {
        let mut capacities = match options.capacities.is_empty() {
            true => trace.capacities(),
            false => options.capacities.clone(),
        };
        capacities.sort_unstable();
        let mut rows = Vec::new();
        for capacity in capacities {
            eprintln!("{}:{capacity} ...", trace.name);
            let shares = cell(&trace, capacity, options.runs);
            cells.push((format!("{}:{capacity}", trace.name), shares.clone()));
            rows.push((capacity, shares));
        }
        if options.plot.is_some() {
            let curve = trace.curve();
            let shares = curve.iter().map(|&capacity| {
                eprintln!("{}:{capacity} for the chart ...", trace.name);
                (capacity, cell(&trace, capacity, 1))
            });
            charts.push((trace.name.clone(), shares.collect::<Vec<_>>()));
        }
    }
    print_cells(&cells);
    match &options.plot {
        Some(file) => plot::draw(file, &charts).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

fn main() -> ExitCode {
    let done = match options() {
        Err(error) => Err(error.to_string()),
        Ok(options) => match options.traces.clone() {
            Some(path) => run_traces(&options, &path),
            None => {
                patterns::run();
                Ok(())
            }
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hit_ratio: {error}");
            ExitCode::FAILURE
        }
    }
}
