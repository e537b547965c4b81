//! The load, and the measured times.

use crate::pages::PAGES;
use axum::{Router, body::Body, http::Request};
use ctu_tests::servers::RedisServer;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tower::ServiceExt;

/// One request in so many is an edit.
const EDITS: u32 = 50;
/// The time before the measurement, which fills the levels.
const WARM_UP: Duration = Duration::from_secs(5);

/// The times of a run, from its start.
pub(crate) struct Schedule {
    /// The length of the measurement before the outage, of the outage, and after it.
    phases: [Duration; 3],
    clients: usize,
}

/// The outcome of a run.
pub(crate) struct Run {
    pub(crate) name: &'static str,
    phases: [Duration; 3],
    /// The end of each request since the start of the measurement, and its time.
    pub(crate) requests: Vec<(Duration, Duration)>,
    pub(crate) failed: usize,
    /// Answers that are older than an edit that was acknowledged before the request.
    pub(crate) outdated: usize,
}

/// The requests of one client.
#[derive(Default)]
struct Sent {
    requests: Vec<(Instant, Duration)>,
    failed: usize,
    outdated: usize,
}

impl Schedule {
    pub(crate) fn new(outage: Duration, clients: usize) -> Self {
        Self {
            phases: [outage / 2, outage, outage],
            clients,
        }
    }

    /// Runs the load on a service, and stops and continues its server.
    pub(crate) async fn run(
        &self,
        name: &'static str,
        service: Router,
        server: &RedisServer,
    ) -> Run {
        eprintln!("{name} ...");
        let acknowledged: Arc<[AtomicU64]> = (0..PAGES).map(|_| AtomicU64::new(0)).collect();
        let ended = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for seed in 0..self.clients as u64 {
            let (service, acknowledged) = (service.clone(), Arc::clone(&acknowledged));
            clients.spawn(client(seed, service, acknowledged, Arc::clone(&ended)));
        }
        let start = Instant::now() + WARM_UP;
        let [before, outage, after] = self.phases;
        sleep_until(start + before).await;
        server.pause();
        sleep_until(start + before + outage).await;
        server.resume();
        sleep_until(start + before + outage + after).await;
        ended.store(true, SeqCst);
        let all = clients.join_all().await;
        let requests = all.iter().flat_map(|sent| &sent.requests);
        let requests = requests.filter_map(|(end, time)| {
            let end = end.checked_duration_since(start)?;
            Some((end, *time))
        });
        Run {
            name,
            phases: self.phases,
            requests: requests.collect(),
            failed: all.iter().map(|sent| sent.failed).sum(),
            outdated: all.iter().map(|sent| sent.outdated).sum(),
        }
    }
}

/// Sends requests, each after the answer to the one before. Low page numbers are requested more often.
async fn client(
    seed: u64,
    service: Router,
    acknowledged: Arc<[AtomicU64]>,
    ended: Arc<AtomicBool>,
) -> Sent {
    let (mut random, mut sent) = (fastrand::Rng::with_seed(seed), Sent::default());
    while !ended.load(SeqCst) {
        let page = (f64::from(PAGES) * random.f64().powi(3)) as usize;
        let is_edit = random.u32(..EDITS) == 0;
        let method = if is_edit { "PUT" } else { "GET" };
        let request = Request::builder()
            .method(method)
            .uri(format!("/pages/{page}"));
        let request = request.body(Body::empty()).expect("a request");
        let (least, start) = (acknowledged[page].load(SeqCst), Instant::now());
        let Ok(response) = service.clone().oneshot(request).await;
        let end = Instant::now();
        sent.requests.push((end, end - start));
        let etag = response.headers().get("etag");
        match etag.and_then(|etag| etag.to_str().ok()?.parse().ok()) {
            None => sent.failed += 1,
            Some(version) if is_edit => drop(acknowledged[page].fetch_max(version, SeqCst)),
            Some(version) => sent.outdated += usize::from(version < least),
        }
        // A hit in memory does not wait, and would keep the thread.
        tokio::task::yield_now().await;
    }
    sent
}

impl Run {
    /// The requests a second before, during and after the outage.
    pub(crate) fn rates(&self) -> [f64; 3] {
        let mut from = Duration::ZERO;
        self.phases.map(|phase| {
            let range = from..from + phase;
            from += phase;
            let count = self.requests.iter().filter(|(end, _)| range.contains(end));
            count.count() as f64 / phase.as_secs_f64()
        })
    }

    /// The times of requests that end during the outage, at these shares of the sorted times.
    pub(crate) fn percentiles(&self, shares: [f64; 3]) -> [Duration; 3] {
        let [before, outage, _] = self.phases;
        let times = self.times(before..before + outage);
        shares.map(|share| percentile(&times, share))
    }

    /// Points of a curve: the middle of each step in seconds since the begin of the outage, the requests a
    /// second, and the 99th percentile in milliseconds.
    pub(crate) fn curve(&self, step: Duration) -> Vec<(f64, f64, f64)> {
        let [before, outage, after] = self.phases;
        let steps = (before + outage + after).as_millis() / step.as_millis();
        let mut by_step = vec![Vec::new(); steps as usize];
        for (end, time) in &self.requests {
            let index = (end.as_millis() / step.as_millis()) as usize;
            if let Some(times) = by_step.get_mut(index) {
                times.push(*time);
            }
        }
        let point = |(index, mut times): (usize, Vec<Duration>)| {
            times.sort_unstable();
            let middle = (index as f64 + 0.5) * step.as_secs_f64() - before.as_secs_f64();
            let rate = times.len() as f64 / step.as_secs_f64();
            (middle, rate, percentile(&times, 0.99).as_secs_f64() * 1e3)
        };
        by_step.into_iter().enumerate().map(point).collect()
    }

    /// The sorted times of the requests that end within the range.
    fn times(&self, range: std::ops::Range<Duration>) -> Vec<Duration> {
        let within = self.requests.iter().filter(|(end, _)| range.contains(end));
        let mut times: Vec<_> = within.map(|(_, time)| *time).collect();
        times.sort_unstable();
        times
    }
}

fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let index = (sorted.len() as f64 * share) as usize;
    let time = sorted.get(index).or(sorted.last());
    time.copied().unwrap_or_default()
}
