//! A local cache in front of a shared one.

mod asynchronous;
mod blocking;
mod builder;
mod builder_refresh;
mod cache;
mod cache_async;
mod cache_tags;
mod claim;
#[cfg(feature = "tokio")]
mod claim_async;
mod compute;
mod counts;
mod error;
mod events;
mod first;
mod levels;
mod mark_index;
#[cfg(feature = "metrics")]
mod metrics;
mod read;
mod recover;
#[cfg(feature = "tokio")]
mod refresh_async;
mod refresh_queue;
mod second;
mod settings;
#[cfg(test)]
mod shuttle_tests;
mod side_tables;
mod stats;
mod tag_index;
mod tagged_computation;
mod tags;
#[cfg(feature = "tokio")]
mod tasks;
mod tracking;
mod versions;
mod worker;
mod write;
mod write_computed;

pub use builder::TwoLevelBuilder;
pub use cache::TwoLevelCache;
pub use error::TwoLevelError;
pub use stats::{BreakerState, TrackingState, TwoLevelStats};
