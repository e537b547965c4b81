//! `TwoLevelCache` over an async second level.

mod allocations;
mod background;
mod dropped;
mod limits;

use ctu_std::{ConcurrentCache, IsAsync, ManualClock, TwoLevelBuilder, TwoLevelCache};
use ctu_tests::{
    allocations::Counting,
    step_cache::{StepCache, yield_once},
};
use std::{sync::Arc, time::Duration};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type First = ConcurrentCache<u32, u32>;
type Builder = TwoLevelBuilder<First, StepCache, IsAsync>;
type Tested = TwoLevelCache<First, StepCache, IsAsync>;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn builder() -> Builder {
    TwoLevelCache::builder(First::with_capacity(100), StepCache::default())
}

/// A cache with a journal that is replayed by hand, and its clock.
fn resilient() -> (Tested, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let builder = builder()
        .manual_recovery()
        .breaker(2, secs(1))
        .open_for(secs(1), secs(1))
        .settle_time(secs(5))
        .clock(Arc::clone(&clock));
    (builder.seed(1).build(), clock)
}

async fn slow(value: u32) -> u32 {
    for _ in 0..3 {
        yield_once().await;
    }
    value
}

/// Replays all of the journal.
async fn recover(cache: &Tested, clock: &ManualClock) {
    for _ in 0..20 {
        cache.recover().await;
        clock.advance(secs(6));
    }
    assert_eq!(cache.stats().journal, 0);
}
