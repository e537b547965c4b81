//! The age of answers while reports of changes are lost: `cargo bench -p ctu-bench --bench partition`.
//!
//! An author writes one key of a Redis server a hundred times a second. Three nodes read it after each
//! write: with `invalidation_bound`, with `serve_without_lease` in addition, and without reports. For some
//! seconds the connections with the reports stay open and carry no byte; requests go on. The age of an
//! answer is the time since the acknowledgement of the write that replaced it, and zero for the last value.
//!
//! ```text
//! cargo bench -p ctu-bench --bench partition -- [--plot FILE.svg]
//! ```

use ctu_bench::cli::from_caller;
use ctu_std::{
    CoarseClock, ConcurrentCache, PrefixedRedisCache, RedisCache, TrackingState, TwoLevelBuilder,
    TwoLevelCache,
    prelude::*,
    test_util::{FaultProxy, NetworkFault},
};
use ctu_tests::{
    plot::{self, Axis, Chart, Curve, Legend, Scale},
    servers::RedisServer,
};
use std::{
    error::Error,
    fs,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

const BOUND: Duration = Duration::from_secs(1);
/// The time-to-live of the first levels.
const TTL: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(10);
/// The time before, during and after the loss of reports.
const PHASES: [Duration; 3] = [
    Duration::from_secs(3),
    Duration::from_secs(6),
    Duration::from_secs(4),
];
const KEY: u64 = 7;

type First = ConcurrentCache<u64, u64, CoarseClock>;
type Second = PrefixedRedisCache<u64, u64>;
type Node = TwoLevelCache<First, Second>;

fn second(port: u16) -> Result<Second, Box<dyn Error>> {
    let builder = RedisCache::builder(format!("redis://127.0.0.1:{port}"));
    Ok(builder.prefix("app.").no_ttl().build()?)
}

fn builder(proxy: &FaultProxy) -> Result<TwoLevelBuilder<First, Second>, Box<dyn Error>> {
    let first = ConcurrentCache::with_ttl(1_000, TTL, CoarseClock::new());
    Ok(TwoLevelCache::builder(first, second(proxy.port())?).resilient())
}

fn wait_until_subscribed(node: &Node) -> Result<(), Box<dyn Error>> {
    while node.stats().tracking != TrackingState::Subscribed {
        node.get(&KEY)?;
        thread::yield_now();
    }
    Ok(())
}

/// The ages of the answers of the nodes, in the order of their names.
fn measure(
    nodes: &[Node],
    server: &RedisServer,
    proxy: &FaultProxy,
) -> Result<Ages, Box<dyn Error>> {
    let author = second(server.port())?;
    let mut ages = vec![Vec::new(); nodes.len()];
    let mut acknowledged = Vec::new();
    let [before, lost, after] = PHASES;
    let start = Instant::now();
    let mut loses = false;
    while start.elapsed() < before + lost + after {
        let passed = start.elapsed();
        let is_lost = passed >= before && passed < before + lost;
        if is_lost != loses {
            loses = is_lost;
            match loses {
                true => proxy.fail(NetworkFault::BlackHole),
                false => proxy.work(),
            }
        }
        author.insert(&KEY, acknowledged.len() as u64)?;
        acknowledged.push(Instant::now());
        for (node, ages) in nodes.iter().zip(&mut ages) {
            let begin = Instant::now();
            // A miss has no age.
            if let Some(value) = node.get(&KEY)? {
                let replaced = acknowledged.get(value as usize + 1);
                let age = replaced.map_or(Duration::ZERO, |replaced| begin - *replaced);
                let time = (begin - start).as_secs_f64() - before.as_secs_f64();
                ages.push((time, age.as_secs_f64()));
            }
        }
        thread::sleep(PAUSE);
    }
    Ok(ages)
}

/// For each node, seconds since the loss of reports, and seconds of age.
type Ages = Vec<Vec<(f64, f64)>>;

fn print_table(names: &[&str], ages: &Ages) {
    println!("| first level | oldest answer before, s | while reports are lost | after |");
    println!("| --- | ---: | ---: | ---: |");
    let lost = PHASES[1].as_secs_f64();
    // The subscription after the loss takes up to a bound, and a value from before up to a lease more.
    let phases = [-f64::INFINITY..0.0, 0.0..lost, lost..f64::INFINITY];
    for (name, ages) in names.iter().zip(ages) {
        let oldest = phases.clone().map(|phase| {
            let ages = ages.iter().filter(|age| phase.contains(&age.0));
            let oldest = ages.map(|age| age.1).fold(0.0, f64::max);
            format!("{oldest:.2}")
        });
        println!("| {name} | {} |", oldest.join(" | "));
    }
}

fn chart(names: &[&str], ages: Ages) -> Chart {
    let [before, lost, after] = PHASES.map(|phase| phase.as_secs_f64());
    Chart {
        title: "age of answers, seconds".into(),
        x: Axis {
            title: "seconds since reports are lost; they are lost in the shaded part",
            range: -before..lost + after,
            scale: Scale::Linear,
        },
        y: Axis {
            title: "",
            range: 0.0..5.0,
            scale: Scale::Linear,
        },
        shade: Some(0.0..lost),
        curves: names
            .iter()
            .zip(ages)
            .map(|(name, points)| Curve {
                name: (*name).into(),
                points,
            })
            .collect(),
        legend: Some(Legend::UpperLeft),
    }
}

fn plot_file() -> Result<Option<PathBuf>, lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    let mut file = None;
    while let Some(arg) = parser.next()? {
        match arg {
            // Cargo passes it to every benchmark.
            lexopt::Arg::Long("bench") => {}
            lexopt::Arg::Long("plot") => file = Some(from_caller(parser.value()?)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(file)
}

fn run() -> Result<(), Box<dyn Error>> {
    let file = plot_file()?;
    let server = RedisServer::start();
    let proxy = server.proxy();
    // The connections with the reports.
    proxy.select(b"TRACKING");
    let names = [
        "a bound of 1 s",
        "the same, and serve_without_lease",
        "no bound, a time-to-live of 4 s",
    ];
    let nodes = [
        builder(&proxy)?.invalidation_bound(BOUND).build(),
        builder(&proxy)?
            .invalidation_bound(BOUND)
            .serve_without_lease()
            .build(),
        builder(&proxy)?.build(),
    ];
    nodes[..2].iter().try_for_each(wait_until_subscribed)?;
    let ages = measure(&nodes, &server, &proxy)?;
    print_table(&names, &ages);
    if let Some(file) = file {
        fs::write(file, plot::svg(&[chart(&names, ages)], 1, (840, 320))?)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("partition: {error}");
            ExitCode::FAILURE
        }
    }
}
