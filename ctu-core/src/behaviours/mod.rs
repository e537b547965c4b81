//! Behaviours: caches that watch the operations of the cache below, and the adaptor for them.

mod debug;
mod observed;
mod observer;
#[cfg(feature = "alloc")]
pub mod single_flight;
mod stats;

pub use debug::{DebugCache, Event, Log};
pub use observed::Observed;
pub use observer::{Observer, Operation};
pub use stats::{Counts, Stats, StatsCache};
