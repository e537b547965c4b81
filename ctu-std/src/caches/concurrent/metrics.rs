//! The statistics of a concurrent cache as metrics.

use super::ConcurrentStats;
use metrics::{Unit, counter, gauge};

impl ConcurrentStats {
    /// Hands these statistics to the recorder of the `metrics` facade, with the label `cache`. To be
    /// called now and then, as before each scrape. An exporter to Prometheus writes `_` in place of
    /// `.` in the names.
    ///
    /// | metric | kind, labels |
    /// | --- | --- |
    /// | `ctu.cache.requests` | counter; `result`: `hit`, `miss` |
    /// | `ctu.cache.insertions` | counter |
    /// | `ctu.cache.removals` | counter; `cause`: `evicted`, `expired`, `replaced`, `removed` |
    /// | `ctu.cache.hit_ratio` | gauge, 0 to 1; `capacity`: `half`, `same`, `twice` |
    /// | `ctu.cache.entry.count`, `ctu.cache.entry.limit` | gauges |
    /// | `ctu.cache.weight.usage`, `ctu.cache.weight.limit` | gauges, in a cache with a weigher |
    ///
    /// [`MeteredCache`](crate::MeteredCache) records how long the operations take.
    pub fn export(&self, cache: &'static str) {
        for (result, count) in [("hit", self.hits), ("miss", self.misses)] {
            counter!(
                description: "Lookups of a cache.",
                unit: Unit::Count,
                "ctu.cache.requests",
                "cache" => cache,
                "result" => result
            )
            .absolute(count);
        }
        counter!(
            description: "Values that were stored in a cache.",
            unit: Unit::Count,
            "ctu.cache.insertions",
            "cache" => cache
        )
        .absolute(self.insertions);
        for (cause, count) in [
            ("evicted", self.evicted),
            ("expired", self.expired),
            ("replaced", self.replaced),
            ("removed", self.removed),
        ] {
            counter!(
                description: "Values that left a cache.",
                unit: Unit::Count,
                "ctu.cache.removals",
                "cache" => cache,
                "cause" => cause
            )
            .absolute(count);
        }
        for (capacity, rate) in [
            ("half", self.hit_rate_at_half),
            ("same", self.hit_rate),
            ("twice", self.hit_rate_at_twice),
        ] {
            gauge!(
                description: "The share of lookups that find a value, at this capacity.",
                "ctu.cache.hit_ratio",
                "cache" => cache,
                "capacity" => capacity
            )
            .set(rate);
        }
        let entries = [
            ("ctu.cache.entry.count", self.entries),
            ("ctu.cache.entry.limit", self.capacity),
        ];
        for (name, entries) in entries {
            // Numbers of entries, which a float holds.
            gauge!(
                description: "Entries of a cache, and their maximum.",
                unit: Unit::Count,
                name,
                "cache" => cache
            )
            .set(entries as f64);
        }
        let Some(limit) = self.max_weight else { return };
        let weights = [
            ("ctu.cache.weight.usage", self.weight),
            ("ctu.cache.weight.limit", limit),
        ];
        for (name, weight) in weights {
            gauge!(
                description: "The weight of the entries of a cache, and its maximum.",
                name,
                "cache" => cache
            )
            .set(weight as f64);
        }
    }
}
