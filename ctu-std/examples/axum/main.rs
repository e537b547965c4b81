//! A page service on tokio and axum over two levels, and a live page that shows the caches at work.
//!
//! ```text
//! cargo run -p ctu-std --example axum --features tokio,metrics
//! ```
//!
//! The program starts a Redis server of its own on a free port, and a load on itself. Its page has buttons
//! that stop and continue that server: the breaker opens, the requests go on, and the journal of missed
//! writes is replayed once the server is back. `--redis URL` takes a server that runs already.
//!
//! | route | answer |
//! | --- | --- |
//! | `GET /` | the live page, fed by the server-sent events of `GET /events` |
//! | `GET /pages/N` | a page, from memory, Redis or the source |
//! | `PUT /pages/N` | edits the page at the source, and removes it from the cache |
//! | `GET /metrics` | the counts for Prometheus |
//! | `POST /redis/stop`, `POST /redis/continue` | stop and continue the server that the program started |
//!
//! The log is on standard error; `RUST_LOG=debug` adds a line for each request.

mod live;
mod load;
mod log;
mod options;
mod pages;
#[path = "../support/redis.rs"]
mod redis;
mod service;

use metrics_exporter_prometheus::PrometheusBuilder;
use options::Options;
use redis::Redis;
use service::{LATENCY, Site};
use std::{
    error::Error,
    io::{self, Write},
    net::Ipv4Addr,
    process::ExitCode,
    sync::Arc,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

async fn run(options: Options, redis: Redis) -> Result<(), Box<dyn Error>> {
    // Registered first, so that a signal during the start ends the program in order too.
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;

    let events = log::start()?;
    let buckets = [0.000_1, 0.001, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(
            metrics_exporter_prometheus::Matcher::Full(LATENCY.into()),
            &buckets,
        )?
        .install_recorder()?;
    let listener = bind(options.port).await?;
    let site = Arc::new(Site::new(redis, metrics)?);
    let (sampler, live) = live::start(Arc::clone(&site), events);
    let router = service::router(Arc::clone(&site), live);
    let load = load::start(router.clone(), Arc::clone(&site), options.rate);

    writeln!(io::stdout(), "http://{}/", listener.local_addr()?)?;
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
            tracing::info!("the program ends: open requests are answered");
            load.abort();
            // Ends the streams of events, which are requests without an end.
            sampler.abort();
        })
        .await?;
    site.pages.replay_journal().await;
    Ok(())
}

async fn bind(port: u16) -> Result<TcpListener, String> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("port {port} is in use; give another one, or `--port 0` for a free one")
        }
        _ => format!("port {port}: {error}"),
    })
}

fn main() -> ExitCode {
    let done = Options::from_command_line().and_then(|options| match options {
        None => Ok(()),
        Some(options) => {
            let redis = match &options.redis {
                Some(url) => Redis::at(url.clone()),
                None => Redis::start().map_err(|error| format!("{error}; or --redis URL"))?,
            };
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(run(options, redis))
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `eprintln!` would panic on a closed pipe.
            let _ = writeln!(io::stderr(), "axum: {error}");
            ExitCode::FAILURE
        }
    }
}
