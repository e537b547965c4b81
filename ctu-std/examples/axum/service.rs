//! The routes.

use crate::{
    live::{self, Live},
    pages::{PAGES, Pages},
    redis::Redis,
};
use axum::{
    Router,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use ctu_std::RedisError;
use metrics_exporter_prometheus::PrometheusHandle;
use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tracing::Instrument;

/// The name of the histogram of the time of requests, in seconds.
pub(crate) const LATENCY: &str = "http_request_seconds";

/// The state of the service.
pub(crate) struct Site {
    pub(crate) pages: Pages,
    pub(crate) redis: Redis,
    pub(crate) metrics: PrometheusHandle,
    requests: AtomicU64,
    failed: AtomicU64,
    outdated: AtomicU64,
    /// The times of the requests since the last sample.
    times: Mutex<Vec<Duration>>,
}

impl Site {
    /// Pages behind this server.
    ///
    /// # Errors
    /// An invalid address.
    pub(crate) fn new(redis: Redis, metrics: PrometheusHandle) -> Result<Self, RedisError> {
        Ok(Self {
            pages: Pages::new(redis.url())?,
            redis,
            metrics,
            requests: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            outdated: AtomicU64::new(0),
            times: Mutex::default(),
        })
    }

    /// Counts an answer that is older than an acknowledged edit.
    pub(crate) fn count_outdated(&self) {
        self.outdated.fetch_add(1, Relaxed);
        metrics::counter!("outdated_answers").increment(1);
        tracing::error!("an answer is older than an acknowledged edit");
    }

    /// The counts of requests, of failed ones, and of outdated answers.
    pub(crate) fn counts(&self) -> [u64; 3] {
        [&self.requests, &self.failed, &self.outdated].map(|count| count.load(Relaxed))
    }

    /// Takes the times of the requests since the last call.
    pub(crate) fn take_times(&self) -> Vec<Duration> {
        mem::take(&mut *self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, status: StatusCode, time: Duration) {
        self.requests.fetch_add(1, Relaxed);
        if status.is_server_error() {
            self.failed.fetch_add(1, Relaxed);
        }
        metrics::histogram!(LATENCY, "status" => status.as_str().to_owned()).record(time);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.push(time);
    }
}

/// All routes.
pub(crate) fn router(site: Arc<Site>, live: Live) -> Router {
    let measured = middleware::from_fn_with_state(Arc::clone(&site), measure);
    Router::new()
        .route("/pages/{page}", get(page).put(edit))
        .route_layer(measured)
        .route("/metrics", get(prometheus))
        .route("/redis/stop", post(stop))
        .route("/redis/continue", post(resume))
        .with_state(site)
        .route("/", get(|| async { Html(include_str!("page.html")) }))
        .route("/events", get(live::events).with_state(live))
}

/// Counts and times a request, within a span of its own.
async fn measure(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let span =
        tracing::debug_span!("request", method = %request.method(), path = request.uri().path());
    async move {
        let start = Instant::now();
        let response = next.run(request).await;
        let time = start.elapsed();
        site.count(response.status(), time);
        tracing::debug!(status = response.status().as_u16(), ?time, "answered");
        response
    }
    .instrument(span)
    .await
}

/// The answer to a request that fails.
type Failure = (StatusCode, String);

/// The number of a page, or the answer that there is no such page.
fn number(page: &str) -> Result<u32, Failure> {
    let number = page.parse().ok().filter(|page| *page < PAGES);
    let last = PAGES - 1;
    let text = || format!("no page {page}; pages are numbered from 0 to {last}\n");
    number.ok_or_else(|| (StatusCode::NOT_FOUND, text()))
}

async fn page(
    State(site): State<Arc<Site>>,
    Path(page): Path<String>,
) -> Result<Response, Failure> {
    let page = site.pages.get(number(&page)?).await.map_err(failed)?;
    let etag = format!("\"{}\"", page.version);
    Ok(([(header::ETAG, etag)], Html(page.html)).into_response())
}

async fn edit(
    State(site): State<Arc<Site>>,
    Path(page): Path<String>,
) -> Result<Response, Failure> {
    let version = site.pages.edit(number(&page)?).await.map_err(failed)?;
    let etag = format!("\"{version}\"");
    Ok((StatusCode::NO_CONTENT, [(header::ETAG, etag)]).into_response())
}

fn failed(error: impl std::fmt::Display) -> Failure {
    tracing::error!(%error, "a request failed");
    let text = "the page cannot be read\n".into();
    (StatusCode::INTERNAL_SERVER_ERROR, text)
}

/// The counts for Prometheus.
async fn prometheus(State(site): State<Arc<Site>>) -> String {
    site.pages.cache.stats().export("pages");
    site.metrics.render()
}

async fn stop(State(site): State<Arc<Site>>) -> Result<StatusCode, Failure> {
    signalled(site.redis.stop(), "Redis is stopped: it answers no request")
}

async fn resume(State(site): State<Arc<Site>>) -> Result<StatusCode, Failure> {
    signalled(site.redis.resume(), "Redis continues")
}

fn signalled(result: Result<(), String>, event: &str) -> Result<StatusCode, Failure> {
    match result {
        Ok(()) => {
            tracing::info!("{event}");
            Ok(StatusCode::NO_CONTENT)
        }
        Err(error) => Err((StatusCode::CONFLICT, error + "\n")),
    }
}
