//! Behaviours on top of other caches. `machines` has their state machines, without I/O and clocks.

mod machines;
#[cfg(test)]
pub(crate) mod shuttle;
mod single_flight;
mod two_level;

pub use single_flight::SingleFlightCache;
pub use two_level::{
    BreakerState, TrackingState, TwoLevelBuilder, TwoLevelCache, TwoLevelError, TwoLevelStats,
};
