//! A page service through an outage of Redis: `cargo bench -p ctu-bench --bench outage`.
//!
//! The pages of the example `axum`, over `TwoLevelCache`, beside the same service over `moka::future` and
//! `redis`, which a program combines by hand. Each has a Redis server of its own, the same capacities,
//! times-to-live and deadline (100 ms), and the same load: clients that each send the next request after
//! the answer, one in fifty of them an edit. The requests go through the router of axum without a socket.
//! The server is stopped (SIGSTOP) for some seconds and then continued.
//!
//! ```text
//! cargo bench -p ctu-bench --bench outage -- [--outage SECONDS] [--clients N] [--plot FILE.svg]
//! ```
//!
//! * `--outage SECONDS`: the length of the outage, 10 by default. The run begins before it, for half as
//!   long, and ends after it, as long again.
//! * `--clients N`: the number of clients, 64 by default.
//! * `--plot FILE.svg`: draws requests a second and the 99th percentile over time, light and dark.

mod by_hand;
mod load;
// The service of the example itself.
#[allow(dead_code, reason = "the example has more routes")]
#[path = "../../../../ctu-std/examples/axum/pages.rs"]
mod pages;
mod plot;
mod service;

use ctu_bench::cli::from_caller;
use ctu_tests::servers::RedisServer;
use load::Run;
use std::{error::Error, path::PathBuf, process::ExitCode, time::Duration};

struct Options {
    outage: Duration,
    clients: usize,
    plot: Option<PathBuf>,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::{Arg::Long, ValueExt as _};
    let mut options = Options {
        outage: Duration::from_secs(10),
        clients: 64,
        plot: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            // Cargo passes it to every benchmark.
            Long("bench") => {}
            Long("outage") => {
                let seconds: u64 = parser.value()?.parse()?;
                options.outage = Duration::from_secs(seconds.clamp(2, 600));
            }
            Long("clients") => options.clients = parser.value()?.parse::<usize>()?.clamp(1, 10_000),
            Long("plot") => options.plot = Some(from_caller(parser.value()?)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let schedule = load::Schedule::new(options.outage, options.clients);
    let server = RedisServer::start();
    let ours = service::router(pages::Pages::new(&server.url())?);
    let ours = schedule.run("TwoLevelCache", ours, &server).await;
    let server = RedisServer::start();
    let theirs = service::router(by_hand::Pages::new(&server.url()).await?);
    let theirs = schedule
        .run("moka and redis by hand", theirs, &server)
        .await;
    print_table(&[&ours, &theirs]);
    match &options.plot {
        Some(file) => plot::draw(file, &[ours, theirs], options.outage),
        None => Ok(()),
    }
}

fn print_table(runs: &[&Run]) {
    println!(
        "| service | requests a second, before | while Redis is stopped | after | median | p99 | worst | \
         failed | outdated answers |"
    );
    println!("| --- |{}", " ---: |".repeat(8));
    for run in runs {
        let [before, during, after] = run.rates().map(|rate| format!("{rate:.0}"));
        let [median, p99, worst] = run.percentiles([0.5, 0.99, 1.0]);
        let (name, failed, outdated) = (run.name, run.failed, run.outdated);
        println!(
            "| {name} | {before} | {during} | {after} | {median:.1?} | {p99:.1?} | {worst:.1?} | {failed} | \
             {outdated} |"
        );
    }
    println!("\nmedian, p99 and worst: the time of requests that end while Redis is stopped\n");
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let done = options()
        .map_err(Box::from)
        .and_then(|options| runtime?.block_on(run(&options)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outage: {error}");
            ExitCode::FAILURE
        }
    }
}
