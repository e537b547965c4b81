//! The statistics of a concurrent cache as metrics.

use super::ConcurrentStats;
use metrics::{counter, gauge};

impl ConcurrentStats {
    /// Hands these statistics to the recorder of the `metrics` facade, with the label `cache`. To be
    /// called now and then, as before each scrape.
    ///
    /// | metric | kind, labels |
    /// | --- | --- |
    /// | `ctu_cache_requests` | counter; `result`: `hit`, `miss` |
    /// | `ctu_cache_insertions` | counter |
    /// | `ctu_cache_removals` | counter; `cause`: `evicted`, `expired`, `replaced`, `removed` |
    /// | `ctu_cache_hit_ratio` | gauge, 0 to 1; `capacity`: `half`, `same`, `twice` |
    /// | `ctu_cache_entries`, `ctu_cache_entries_limit` | gauges |
    /// | `ctu_cache_weight`, `ctu_cache_weight_limit` | gauges; the limit in a cache with a weigher |
    pub fn export(&self, cache: &'static str) {
        for (result, count) in [("hit", self.hits), ("miss", self.misses)] {
            counter!("ctu_cache_requests", "cache" => cache, "result" => result).absolute(count);
        }
        counter!("ctu_cache_insertions", "cache" => cache).absolute(self.insertions);
        for (cause, count) in [
            ("evicted", self.evicted),
            ("expired", self.expired),
            ("replaced", self.replaced),
            ("removed", self.removed),
        ] {
            counter!("ctu_cache_removals", "cache" => cache, "cause" => cause).absolute(count);
        }
        for (capacity, rate) in [
            ("half", self.hit_rate_at_half),
            ("same", self.hit_rate),
            ("twice", self.hit_rate_at_twice),
        ] {
            gauge!("ctu_cache_hit_ratio", "cache" => cache, "capacity" => capacity).set(rate);
        }
        // Numbers of entries, which a float holds.
        gauge!("ctu_cache_entries", "cache" => cache).set(self.entries as f64);
        gauge!("ctu_cache_entries_limit", "cache" => cache).set(self.capacity as f64);
        gauge!("ctu_cache_weight", "cache" => cache).set(self.weight as f64);
        if let Some(limit) = self.max_weight {
            gauge!("ctu_cache_weight_limit", "cache" => cache).set(limit as f64);
        }
    }
}
