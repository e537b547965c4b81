//! The eviction policy: it adapts to the distribution of the requested keys.
//!
//! [`Adaptive`] evicts as W-TinyLFU does: newcomers wait in a window, and enter the main part if
//! their key was used more often than the one that would leave for it (G. Einziger, O. Eytan,
//! R. Friedman, B. Manes, "Adaptive Software Cache Management", Middleware 2018). Both parts are in
//! the order CLOCK, so a hit writes one byte and needs no lock that excludes other hits.
//! [`Tuner`] chooses the window's share. [`Table`] keeps entries under both. [`Estimate`] shows the
//! hit rates of other capacities.
//!
//! Nothing here takes a lock, reads a clock or runs a key's code, and every operation is O(1).

mod adaptive;
mod as_store;
mod cache;
mod circles;
mod clocks;
mod estimate;
mod lifetimes;
mod marks;
mod shadow;
mod sketch;
mod table;
#[cfg(test)]
mod tests;
mod timed;
mod tuner;

pub use adaptive::{Adaptive, Entries};
pub use cache::AdaptiveCache;
pub use estimate::Estimate;
pub use lifetimes::{Lifetimes, Limited, TimeLimits, Unlimited};
pub use table::{Entry, Table};
pub use timed::AdaptiveTtlCache;
pub use tuner::{Sample, Tuner};
