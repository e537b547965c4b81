//! The log: events of `tracing` on standard error, and the last of them for the live page.

use serde::Serialize;
use std::{
    collections::VecDeque,
    env, fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer, filter::Targets, layer::Context, layer::SubscriberExt, util::SubscriberInitExt,
};

/// The number of events on the live page.
const LEN: usize = 30;

/// An event on the live page.
#[derive(Clone, Serialize)]
pub(crate) struct Entry {
    /// Milliseconds since the start of 1970.
    at: u64,
    level: &'static str,
    text: String,
}

/// The last events of the caches and of this program, the newest first.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<VecDeque<Entry>>>);

/// Starts the log with the levels of `RUST_LOG`, such as `info` (the default) or `ctu_std=debug`.
///
/// # Errors
/// Levels that cannot be read.
pub(crate) fn start() -> Result<Events, String> {
    let levels = env::var("RUST_LOG").unwrap_or_else(|_| "info".into());
    let levels: Targets = levels
        .parse()
        .map_err(|error| format!("RUST_LOG={levels}: {error}"))?;
    let events = Events::default();
    tracing_subscriber::registry()
        .with(
            tracing_subscriber::fmt::layer()
                .with_writer(io::stderr)
                .with_filter(levels),
        )
        .with(events.clone())
        .init();
    Ok(events)
}

impl Events {
    /// The last events, the newest first.
    pub(crate) fn newest(&self) -> Vec<Entry> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().cloned().collect()
    }
}

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let (target, level) = (metadata.target(), *metadata.level());
        let is_ours = |name| target.split("::").next() == Some(name);
        if !(is_ours("ctu_std") || is_ours(env!("CARGO_CRATE_NAME")))
            || level > tracing::Level::INFO
        {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let entry = Entry {
            at: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            level: level.as_str(),
            text: text.message + &text.error,
        };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.truncate(LEN - 1);
        entries.push_front(entry);
    }
}

/// The message of an event, and the field `error`.
#[derive(Default)]
struct Text {
    message: String,
    error: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "error" => self.error = format!(" ({value:?})"),
            _ => {}
        }
    }
}
