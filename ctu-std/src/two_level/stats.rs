use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// What a [`TwoLevelCache`](crate::TwoLevelCache) counted since it was made or reset.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TwoLevelStats {
    /// Reads that the first level answered.
    pub first_hits: u64,
    /// Reads that the second level answered.
    pub second_hits: u64,
    /// Reads that found nothing at either level.
    pub misses: u64,
    /// Operations that failed because a level did.
    pub errors: u64,
}

impl TwoLevelStats {
    /// The share of reads that found a value at either level, 0 to 1; 0 where there was no read.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let hits = self.first_hits.saturating_add(self.second_hits);
        // Counts beyond 2^53 lose their last digits, which no rate shows.
        hits as f64 / hits.saturating_add(self.misses).max(1) as f64
    }
}

impl fmt::Display for TwoLevelStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            first_hits,
            second_hits,
            misses,
            errors,
        } = self;
        let rate = self.hit_rate() * 100.0;
        write!(
            f,
            "{first_hits} hits in the first level, {second_hits} in the second, {misses} misses, {errors} errors, hit rate {rate:.1} %"
        )
    }
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) first_hits: AtomicU64,
    pub(super) second_hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) errors: AtomicU64,
}

impl Counts {
    pub(super) fn get(&self) -> TwoLevelStats {
        TwoLevelStats {
            first_hits: self.first_hits.load(Relaxed),
            second_hits: self.second_hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            errors: self.errors.load(Relaxed),
        }
    }

    pub(super) fn reset(&self) {
        for count in [
            &self.first_hits,
            &self.second_hits,
            &self.misses,
            &self.errors,
        ] {
            count.store(0, Relaxed);
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
