//! Behaviours: caches that watch the operations of the cache below, and the adaptor for them.

mod debug;
mod front;
mod local_single_flight;
mod observed;
mod observer;
#[cfg(feature = "alloc")]
pub mod single_flight;
mod stats;

pub use debug::{DebugCache, Event, Log};
pub use front::FrontCache;
pub use local_single_flight::LocalSingleFlightCache;
pub use observed::Observed;
pub use observer::{Observer, Operation, OperationKind};
pub use stats::{Counts, Stats, StatsCache};
