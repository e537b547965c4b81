//! The promises of a resilient `TwoLevelCache`, over a second level with every kind of fault and a
//! manual clock.

mod async_node;
mod computing;
mod damage;
mod node;
mod recovery;
mod remote;
mod schedules;
mod steps;
mod switches;

use std::time::Duration;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}
