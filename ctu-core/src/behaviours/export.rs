//! The counts of a cache as metrics.

use super::Stats;
use metrics::{Unit, counter, gauge};

impl Stats {
    /// Hands these counts to the recorder of the `metrics` facade, with the label `cache`. To be
    /// called now and then, as before each scrape.
    ///
    /// | metric | kind, labels |
    /// | --- | --- |
    /// | `ctu.cache.requests` | counter; `result`: `hit`, `miss` |
    /// | `ctu.cache.operations` | counter; `operation`: `contains`, `insert`, `remove` |
    /// | `ctu.cache.entry.count` | gauge, in a cache that can count its entries |
    ///
    /// ```
    /// use ctu_core::{LruCache, SpinCache, StatsCache, prelude::*};
    /// let cache = StatsCache::new(SpinCache::new(LruCache::<u32, u32, 8>::new()));
    /// cache.insert(&1, 10)?;
    /// cache.stats()?.export("pages");
    /// # Ok::<(), ctu_core::Error>(())
    /// ```
    pub fn export(&self, cache: &'static str) {
        let misses = self.reads.wrapping_sub(self.hits);
        for (result, count) in [("hit", self.hits), ("miss", misses)] {
            counter!(
                description: "Lookups of a cache.",
                unit: Unit::Count,
                "ctu.cache.requests",
                "cache" => cache,
                "result" => result
            )
            .absolute(count as u64);
        }
        for (operation, count) in [
            ("contains", self.tests),
            ("insert", self.writes),
            ("remove", self.dels),
        ] {
            counter!(
                description: "Operations of a cache other than lookups.",
                unit: Unit::Count,
                "ctu.cache.operations",
                "cache" => cache,
                "operation" => operation
            )
            .absolute(count as u64);
        }
        if let Some(size) = self.size {
            gauge!(
                description: "Entries of a cache.",
                unit: Unit::Count,
                "ctu.cache.entry.count",
                "cache" => cache
            )
            .set(size as f64);
        }
    }
}
