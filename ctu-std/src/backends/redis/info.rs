//! Information and statistics of Redis servers.

use super::{RedisCache, RedisError, bounds::Bounds, command::Command, request::Request};
use crate::backends::net::{Reads, ServerInfo};
use ctu_core::{Capability, HasStats};
use std::fmt;

/// The counts of a Redis server since its start, for all its databases and clients together.
///
/// ```no_run
/// use ctu_std::RedisCache;
/// let cache = RedisCache::builder("redis://127.0.0.1").raw().build()?;
/// let stats = cache.stats()?;
/// println!("{} of {} reads hit", stats.hits, stats.hits + stats.misses);
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct RedisStats {
    /// Reads that found a key.
    pub hits: u64,
    /// Reads that found none.
    pub misses: u64,
    /// Keys that reached the end of their time.
    pub expired: u64,
    /// Keys that had to leave for want of memory.
    pub evicted: u64,
    /// Commands that were run.
    pub commands: u64,
    /// Connections that were accepted.
    pub connections: u64,
}

impl RedisStats {
    /// The share of reads that found a key, 0 to 1; 0 where there was no read.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        self.reads().hit_rate()
    }

    /// The sums over these servers.
    pub(super) fn sum(servers: Vec<ServerInfo>) -> Self {
        let mut stats = Self::default();
        for (name, value) in servers.into_iter().flat_map(|server| server.fields) {
            let counter = match name.as_str() {
                "keyspace_hits" => &mut stats.hits,
                "keyspace_misses" => &mut stats.misses,
                "expired_keys" => &mut stats.expired,
                "evicted_keys" => &mut stats.evicted,
                "total_commands_processed" => &mut stats.commands,
                "total_connections_received" => &mut stats.connections,
                _ => continue,
            };
            let more = value.trim().parse().unwrap_or_default();
            *counter = counter.saturating_add(more);
        }
        stats
    }

    fn reads(&self) -> Reads {
        Reads {
            hits: self.hits,
            misses: self.misses,
        }
    }
}

impl fmt::Display for RedisStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reads().fmt(f)
    }
}

impl<K: ?Sized, V, F> RedisCache<K, V, F> {
    /// The information of the server about itself: `section` is `server`, `memory`, `stats`, ..., or empty
    /// for the usual ones. Of a cluster, that of each master.
    ///
    /// ```no_run
    /// use ctu_std::RedisCache;
    /// let cache = RedisCache::builder("redis://127.0.0.1").raw().build()?;
    /// for info in cache.info("memory")? {
    ///     println!("{}: {:?}", info.server, info.get("used_memory_human"));
    /// }
    /// # Ok::<(), ctu_std::RedisError>(())
    /// ```
    ///
    /// # Errors
    /// Those of the server, such as an outage.
    pub fn info(&self, section: &str) -> Result<Vec<ServerInfo>, RedisError> {
        let command = command(section);
        self.client.execute_on_all(Capability::Stats, &command)
    }

    /// The counts of the server since its start, of all its clients; of a cluster, the sums over its
    /// masters. For the counts of this cache alone, put a [`StatsCache`](crate::StatsCache) on a cache for its own.
    ///
    /// # Errors
    /// Those of the server, such as an outage.
    pub fn stats(&self) -> Result<RedisStats, RedisError> {
        Ok(RedisStats::sum(self.info("stats")?))
    }

    /// The share of the server's reads that found a key, 0 to 1.
    ///
    /// # Errors
    /// Those of the server, such as an outage.
    pub fn hit_rate(&self) -> Result<f64, RedisError> {
        Ok(self.stats()?.hit_rate())
    }
}

impl<K: ?Sized, V, F> HasStats for RedisCache<K, V, F> {
    type Stats = RedisStats;
    type Error = RedisError;

    fn stats(&self) -> Result<RedisStats, RedisError> {
        self.stats()
    }

    fn hit_rate(&self) -> Result<f64, RedisError> {
        self.hit_rate()
    }
}

/// The command of [`RedisCache::info`].
pub(super) fn command(section: &str) -> Command<ServerInfo> {
    let request = match section {
        "" => Request::of(&[b"INFO"]),
        section => Request::of(&[b"INFO", section.as_bytes()]),
    };
    Command {
        request: request.expecting(Bounds::INFO),
        read: |reply| {
            let text = reply.bytes()?.unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let pairs = text.lines().filter_map(|line| line.split_once(':'));
            let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            Ok(ServerInfo {
                server: reply.server().to_string(),
                fields: pairs.collect(),
            })
        },
    }
}
