//! A load of readers and editors on the program's own routes.

use crate::{pages::PAGES, service::Site};
use axum::{Router, body::Body, http::Request};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval},
};
use tower::ServiceExt;

/// One request in so many is an edit.
const EDITS: u32 = 50;
/// The most requests at the same time.
const IN_FLIGHT: usize = 1_000;
const TICK: Duration = Duration::from_millis(10);

/// The newest acknowledged version of each page.
struct Acknowledged(Vec<AtomicU64>);

/// Starts `rate` requests a second, until the task is aborted. The requests start on time even if earlier ones
/// are slow.
pub(crate) fn start(router: Router, site: Arc<Site>, rate: u32) -> JoinHandle<()> {
    let acknowledged = (0..PAGES).map(|_| AtomicU64::new(0)).collect();
    let acknowledged = Arc::new(Acknowledged(acknowledged));
    tokio::spawn(async move {
        let mut running = JoinSet::new();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut due = 0.0;
        loop {
            ticks.tick().await;
            while running.try_join_next().is_some() {}
            due += f64::from(rate) * TICK.as_secs_f64();
            while due >= 1.0 {
                due -= 1.0;
                if running.len() < IN_FLIGHT {
                    let request =
                        request(router.clone(), Arc::clone(&acknowledged), Arc::clone(&site));
                    running.spawn(request);
                }
            }
        }
    })
}

/// Reads or edits a page. Low page numbers are requested more often.
async fn request(router: Router, acknowledged: Arc<Acknowledged>, site: Arc<Site>) {
    let page = (f64::from(PAGES) * fastrand::f64().powi(3)) as usize;
    let acknowledged = &acknowledged.0[page];
    let (is_edit, least) = (fastrand::u32(..EDITS) == 0, acknowledged.load(SeqCst));
    let method = if is_edit { "PUT" } else { "GET" };
    let request = Request::builder()
        .method(method)
        .uri(format!("/pages/{page}"));
    let Ok(request) = request.body(Body::empty()) else {
        return;
    };
    let Ok(response) = router.oneshot(request).await;
    let etag = response
        .headers()
        .get("etag")
        .and_then(|etag| etag.to_str().ok());
    // Failed requests have none, and the service counts them.
    let version = etag.and_then(|etag| etag.trim_matches('"').parse::<u64>().ok());
    match version {
        Some(version) if is_edit => drop(acknowledged.fetch_max(version, SeqCst)),
        Some(version) if version < least => site.count_outdated(),
        _ => {}
    }
}
