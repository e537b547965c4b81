//! The counts of Redis servers as metrics.

use super::RedisStats;
use metrics::{Unit, counter};

impl RedisStats {
    /// Hands these counts to the recorder of the `metrics` facade, with the label `cache`. To be
    /// called now and then, as before each scrape. An exporter to Prometheus writes `_` in place of
    /// `.` in the names, which are those of the Redis receiver of the OpenTelemetry collector.
    ///
    /// | counter | of |
    /// | --- | --- |
    /// | `redis.keyspace.hits`, `redis.keyspace.misses` | reads |
    /// | `redis.keys.expired`, `redis.keys.evicted` | keys that left |
    /// | `redis.commands.processed` | commands |
    /// | `redis.connections.received` | accepted connections |
    ///
    /// [`MeteredCache::of_server`](crate::MeteredCache::of_server) records how long the operations
    /// take.
    ///
    /// ```no_run
    /// use ctu_std::RedisCache;
    /// let cache = RedisCache::builder("redis://127.0.0.1").raw().build()?;
    /// cache.stats()?.export("pages");
    /// # Ok::<(), ctu_std::RedisError>(())
    /// ```
    pub fn export(&self, cache: &'static str) {
        for (name, description, count) in [
            ("redis.keyspace.hits", "Reads that found a key.", self.hits),
            (
                "redis.keyspace.misses",
                "Reads that found no key.",
                self.misses,
            ),
            ("redis.keys.expired", "Keys that expired.", self.expired),
            (
                "redis.keys.evicted",
                "Keys that made room for others.",
                self.evicted,
            ),
            ("redis.commands.processed", "Commands.", self.commands),
            (
                "redis.connections.received",
                "Accepted connections.",
                self.connections,
            ),
        ] {
            counter!(description: description, unit: Unit::Count, name, "cache" => cache)
                .absolute(count);
        }
    }
}
