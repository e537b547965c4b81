//! A local cache in front of a shared one.

mod ask;
mod builder;
mod cache;
mod compute;
mod counts;
mod due;
mod error;
mod events;
mod levels;
mod memory;
#[cfg(feature = "metrics")]
mod metrics;
mod order;
mod read;
mod recover;
mod settings;
#[cfg(test)]
mod shuttle_tests;
mod stats;
mod worker;
mod write;

pub use builder::TwoLevelBuilder;
pub use cache::TwoLevelCache;
pub use error::TwoLevelError;
pub use stats::{BreakerState, TwoLevelStats};
