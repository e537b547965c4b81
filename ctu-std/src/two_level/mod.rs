//! A local cache in front of a shared one.

mod builder;
mod cache;
mod error;
mod order;
mod stats;

pub use builder::TwoLevelBuilder;
pub use cache::TwoLevelCache;
pub use error::TwoLevelError;
pub use stats::TwoLevelStats;
