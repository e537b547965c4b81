//! Samples of the service for the live page, as server-sent events.

use crate::{
    log::{Entry, Events},
    pages::{CAPACITY, RENDER_TIME},
    service::Site,
};
use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use ctu_std::{BreakerState, Cache, TwoLevelStats};
use futures_util::{Stream, stream};
use serde::Serialize;
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, interval},
};

/// The time between samples.
const TICK: Duration = Duration::from_millis(250);
/// The samples of the curves: one minute.
const CURVE: usize = 240;
/// The samples that percentiles are taken of: one second.
const WINDOW: usize = 4;

/// The last sample, as JSON. The channel closes when the sampler ends.
pub(crate) type Live = watch::Receiver<Arc<str>>;

/// All that the live page shows.
#[derive(Serialize)]
struct Sample<'s> {
    requests: u64,
    failed: u64,
    outdated: u64,
    /// The port of the server that the program started.
    redis_port: Option<u16>,
    redis_is_stopped: bool,
    render_milliseconds: u128,
    first_len: usize,
    first_capacity: usize,
    first_hits: u64,
    second_hits: u64,
    rendered: u64,
    stale: u64,
    waits: u64,
    breaker: &'static str,
    opened: u64,
    outages: u64,
    skipped: u64,
    last_outage: Option<String>,
    journal: usize,
    missed: u64,
    replayed: u64,
    curve: &'s VecDeque<Point>,
    events: Vec<Entry>,
}

/// A point of the curves.
#[derive(Clone, Serialize)]
struct Point {
    /// Requests a second that memory, Redis and the source answered.
    first: f64,
    second: f64,
    source: f64,
    failed: f64,
    /// Milliseconds.
    median: f64,
    p99: f64,
    is_stopped: bool,
    breaker: &'static str,
}

/// Starts the sampler. The streams of events end when the task is aborted.
pub(crate) fn start(site: Arc<Site>, events: Events) -> (JoinHandle<()>, Live) {
    let (sender, receiver) = watch::channel(Arc::from("{}"));
    let task = tokio::spawn(async move {
        let mut sampler = Sampler::new(site, events);
        let mut ticks = interval(TICK);
        loop {
            ticks.tick().await;
            sender.send_replace(sampler.sample().into());
        }
    });
    (task, receiver)
}

/// The events of `GET /events`: the last sample, then each new one.
pub(crate) async fn events(
    State(live): State<Live>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let samples = stream::unfold(live, |mut live| async {
        live.changed().await.ok()?;
        let json = Arc::clone(&live.borrow_and_update());
        Some((Ok(Event::default().data(&*json)), live))
    });
    Sse::new(samples).keep_alive(KeepAlive::default())
}

struct Sampler {
    site: Arc<Site>,
    events: Events,
    curve: VecDeque<Point>,
    times: VecDeque<Vec<Duration>>,
    /// The time and the counts of the last sample.
    before: (Instant, [u64; 4]),
}

impl Sampler {
    fn new(site: Arc<Site>, events: Events) -> Self {
        Self {
            site,
            events,
            curve: VecDeque::new(),
            times: VecDeque::new(),
            before: (Instant::now(), [0; 4]),
        }
    }

    fn sample(&mut self) -> String {
        let site = Arc::clone(&self.site);
        site.metrics.run_upkeep();
        let stats = site.pages.cache.stats();
        self.add_point(&stats);
        let [requests, failed, outdated] = site.counts();
        let sample = Sample {
            requests,
            failed,
            outdated,
            redis_port: site.redis.own_port(),
            redis_is_stopped: site.redis.is_stopped(),
            render_milliseconds: RENDER_TIME.as_millis(),
            first_len: site.pages.cache.first().len().unwrap_or_default(),
            first_capacity: CAPACITY,
            first_hits: stats.first_hits,
            second_hits: stats.second_hits,
            rendered: site.pages.source.rendered(),
            stale: stats.stale,
            waits: stats.waits,
            breaker: name(stats.breaker),
            opened: stats.opened,
            outages: stats.outages,
            skipped: stats.skipped,
            last_outage: site.pages.cache.last_outage(),
            journal: stats.journal,
            missed: stats.missed,
            replayed: stats.replayed,
            curve: &self.curve,
            events: self.events.newest(),
        };
        serde_json::to_string(&sample).unwrap_or_default()
    }

    fn add_point(&mut self, stats: &TwoLevelStats) {
        let site = &self.site;
        let [_, failed, _] = site.counts();
        let counts = [
            stats.first_hits,
            stats.second_hits,
            site.pages.source.rendered(),
            failed,
        ];
        let (now, (then, before)) = (Instant::now(), self.before);
        self.before = (now, counts);
        let seconds = (now - then).as_secs_f64().max(TICK.as_secs_f64() / 2.0);
        let mut rates = [0.0; 4];
        for ((rate, count), before) in rates.iter_mut().zip(counts).zip(before) {
            *rate = (count.saturating_sub(before) as f64 / seconds).round();
        }
        let [first, second, source, failed] = rates;
        self.times.truncate(WINDOW - 1);
        self.times.push_front(site.take_times());
        let mut times: Vec<Duration> = self.times.iter().flatten().copied().collect();
        times.sort_unstable();
        if self.curve.len() == CURVE {
            self.curve.pop_front();
        }
        self.curve.push_back(Point {
            first,
            second,
            source,
            failed,
            median: percentile(&times, 0.5),
            p99: percentile(&times, 0.99),
            is_stopped: site.redis.is_stopped(),
            breaker: name(stats.breaker),
        });
    }
}

/// The percentile in milliseconds, with three digits after the point; 0 if there were no requests.
fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let index = (sorted.len() as f64 * share) as usize;
    let time = sorted.get(index).or(sorted.last());
    time.map_or(0.0, |time| time.as_micros() as f64 / 1_000.0)
}

fn name(state: BreakerState) -> &'static str {
    match state {
        BreakerState::Closed => "closed",
        BreakerState::Open => "open",
        BreakerState::Probing => "probing",
    }
}
