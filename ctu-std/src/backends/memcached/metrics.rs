//! The counts of Memcached servers as metrics.

use super::MemCachedStats;
use metrics::{Unit, counter, gauge};

impl MemCachedStats {
    /// Hands these counts to the recorder of the `metrics` facade, with the labels `cache` and
    /// `server`. To be called now and then for each server, as before each scrape. An exporter to
    /// Prometheus writes `_` in place of `.` in the names, which are those of the Memcached receiver
    /// of the OpenTelemetry collector.
    ///
    /// | metric | kind, labels |
    /// | --- | --- |
    /// | `memcached.operations` | counter; `operation`: `get`; `type`: `hit`, `miss` |
    /// | `memcached.evictions`, `memcached.connections.total` | counters |
    /// | `memcached.current_items`, `memcached.bytes` | gauges |
    ///
    /// [`MeteredCache::of_server`](crate::MeteredCache::of_server) records how long the operations
    /// take.
    ///
    /// ```no_run
    /// use ctu_std::MemCached;
    /// let cache = MemCached::builder("127.0.0.1").raw().build()?;
    /// cache.stats()?.iter().for_each(|server| server.export("pages"));
    /// # Ok::<(), ctu_std::MemCachedError>(())
    /// ```
    pub fn export(&self, cache: &'static str) {
        for (result, count) in [("hit", self.hits), ("miss", self.misses)] {
            counter!(
                description: "Reads of a server.",
                unit: Unit::Count,
                "memcached.operations",
                "cache" => cache,
                "server" => self.server.clone(),
                "operation" => "get",
                "type" => result
            )
            .absolute(count);
        }
        for (name, description, count) in [
            (
                "memcached.evictions",
                "Entries that made room for others.",
                self.evicted,
            ),
            (
                "memcached.connections.total",
                "Accepted connections.",
                self.connections,
            ),
        ] {
            counter!(
                description: description,
                unit: Unit::Count,
                name,
                "cache" => cache,
                "server" => self.server.clone()
            )
            .absolute(count);
        }
        for (name, description, unit, amount) in [
            (
                "memcached.current_items",
                "Entries.",
                Unit::Count,
                self.items,
            ),
            (
                "memcached.bytes",
                "Bytes of all entries.",
                Unit::Bytes,
                self.bytes,
            ),
        ] {
            // A float holds numbers up to 2^53 exactly.
            gauge!(
                description: description,
                unit: unit,
                name,
                "cache" => cache,
                "server" => self.server.clone()
            )
            .set(amount as f64);
        }
    }
}
