//! Behaviours: caches that watch the operations of the cache below, and the adaptor for them.

mod debug;
#[cfg(feature = "metrics")]
mod export;
mod front;
mod local_single_flight;
#[cfg(feature = "metrics")]
mod meter;
mod observed;
mod observer;
#[cfg(feature = "alloc")]
pub mod single_flight;
mod stats;

pub use debug::{DebugCache, Event, Log};
pub use front::FrontCache;
pub use local_single_flight::LocalSingleFlightCache;
#[cfg(feature = "metrics")]
pub use meter::{Meter, MeteredCache};
pub use observed::Observed;
pub use observer::{Failure, Observer, Operation, OperationKind, Outcome};
pub use stats::{Counts, Stats, StatsCache};
