//! Invalidations by a real Redis: the reports of the server, and the bound of staleness in every fault.

mod author;
mod connection;
mod faults;
#[cfg(feature = "interop")]
mod python;
mod reader;
mod tags;

use std::time::Duration;

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}
