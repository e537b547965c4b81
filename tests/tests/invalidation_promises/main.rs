//! The promise of `TwoLevelBuilder::invalidation_bound`, over a model of a server that works in cycles and
//! a manual clock.

mod model;
mod schedules;
mod steps;
mod switches;

use std::time::Duration;

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}
