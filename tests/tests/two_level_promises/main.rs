//! What a resilient `TwoLevelCache` promises, over a second level that fails in every way, and a clock that
//! moves when told to.

mod computing;
mod damage;
mod node;
mod recovery;
mod remote;
mod schedules;
mod switches;

use std::time::Duration;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}
