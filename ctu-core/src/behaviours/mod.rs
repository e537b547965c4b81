//! Behaviours: caches that watch or change the operations of the cache below.

mod debug;
#[cfg(feature = "alloc")]
pub mod single_flight;
mod stats;

pub use debug::{DebugCache, Event};
pub use stats::{Stats, StatsCache};
