//! The share of look-ups that caches answer: `cargo bench -p ctu-bench --bench hit_ratio`.
//!
//! Each key is looked up, and inserted where it is missing. Without arguments the keys follow
//! synthetic [`patterns`]; with `-- --traces DIR` they are recorded ones, which [`traces`] reads:
//!
//! ```text
//! cargo bench -p ctu-bench --bench hit_ratio -- --traces DIR [--capacity N]... [--scale PERCENT] [--runs N] [--in-place | --plot FILE.svg]
//! ```
//!
//! * `--traces DIR`: every `.u32`, `.u32.gz`, `.txt` and `.txt.gz` file of the folder, or one file.
//! * `--scale PERCENT`: the default capacities, in percent of themselves.
//! * `--capacity N`: a cache of `N` entries. By default the cells that are published for the public
//!   traces, and 1, 2, 5, 10 and 20 % of the distinct keys for any other trace.
//! * `--runs N`: each number is the mean of `N` runs, with other hash seeds. 5 by default.
//! * `--in-place`: the stores without a heap, at the capacities 32, 64 and 256. Of the public traces,
//!   those that suit them: web12, orm-busy, sprite, oltp, cpp and gli.
//! * `--plot FILE.svg`: draws a curve a cache over the capacity, a chart a trace.

mod contenders;
mod in_place;
mod optimum;
mod patterns;
mod plot;
mod traces;

use contenders::{Contender, NAMES};
use ctu_bench::cli::from_caller;
use std::{path::PathBuf, process::ExitCode};
use traces::Trace;

struct Options {
    traces: Option<PathBuf>,
    capacities: Vec<usize>,
    scale: usize,
    runs: usize,
    in_place: bool,
    plot: Option<PathBuf>,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::{Arg::Long, ValueExt as _};
    let mut options = Options {
        traces: None,
        capacities: Vec::new(),
        scale: 100,
        runs: 5,
        in_place: false,
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
            Long("scale") => options.scale = parser.value()?.parse()?,
            Long("runs") => options.runs = parser.value()?.parse::<usize>()?.max(1),
            Long("in-place") => options.in_place = true,
            other => return Err(other.unexpected()),
        }
    }
    if options.in_place && (options.traces.is_none() || options.plot.is_some()) {
        return Err("--in-place needs --traces, and excludes --plot".into());
    }
    Ok(options)
}

/// Makes the contenders of a capacity.
type Makes = fn(usize) -> Result<Vec<Contender>, String>;

/// The share that each contender finds at one capacity, in percent; the optimum is last.
fn cell(trace: &Trace, capacity: usize, runs: usize, all: Makes) -> Result<Vec<f64>, String> {
    let mut found = Vec::new();
    for _ in 0..runs {
        let contenders = all(capacity)?;
        found.resize(contenders.len(), 0_u64);
        for (found, mut contender) in found.iter_mut().zip(contenders) {
            let hits = trace.keys.iter().filter(|key| contender(u64::from(**key)));
            *found += hits.count() as u64;
        }
    }
    let share = |hits: u64, of: usize| 100.0 * hits as f64 / of.max(1) as f64;
    let len = trace.keys.len();
    let mut shares: Vec<_> = found.iter().map(|&hits| share(hits, len * runs)).collect();
    shares.push(share(optimum::hits(&trace.keys, capacity), len));
    Ok(shares)
}

/// Prints a table with a line a cell and a column a contender.
fn print_cells(names: &[&str], cells: &[(String, Vec<f64>)]) {
    let columns = names.len() + 1;
    println!("\n| found, % | {} | optimum |", names.join(" | "));
    println!("| --- |{}", " ---: |".repeat(columns));
    let row = |title: &str, shares: &[f64]| {
        let shares: Vec<_> = shares.iter().map(|share| format!("{share:.1}")).collect();
        println!("| {title} | {} |", shares.join(" | "));
    };
    let mut sums = vec![0.0; columns];
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
    let (names, all): (&[&str], Makes) = match options.in_place {
        true => (&in_place::NAMES, in_place::all),
        false => (&NAMES, |capacity| Ok(contenders::all(capacity))),
    };
    for trace in traces::read_all(path)? {
        let mut capacities = match options.capacities.is_empty() {
            true if options.in_place => trace.small_capacities(),
            true => trace.capacities(options.scale),
            false => options.capacities.clone(),
        };
        capacities.sort_unstable();
        let mut rows = Vec::new();
        for capacity in capacities {
            eprintln!("{}:{capacity} ...", trace.name);
            let shares = cell(&trace, capacity, options.runs, all)?;
            cells.push((format!("{}:{capacity}", trace.name), shares.clone()));
            rows.push((capacity, shares));
        }
        if options.plot.is_some() {
            let curve = trace.curve();
            let shares = curve.iter().map(|&capacity| {
                eprintln!("{}:{capacity} for the chart ...", trace.name);
                Ok((capacity, cell(&trace, capacity, 1, all)?))
            });
            charts.push((
                trace.name.clone(),
                shares.collect::<Result<Vec<_>, String>>()?,
            ));
        }
    }
    print_cells(names, &cells);
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
