//! Statistics of Memcached servers.

use super::{MemCached, MemCachedError};
use crate::backends::net::{Reads, ServerInfo};
use ctu_core::{Error, HasStats};
use std::fmt;

/// The counts of a Memcached server since its start, for all its clients together.
///
/// ```no_run
/// use ctu_std::MemCached;
/// let cache = MemCached::builder("127.0.0.1").raw().build()?;
/// for stats in cache.stats()? {
///     println!("{}: {} items", stats.server, stats.items);
/// }
/// # Ok::<(), ctu_std::MemCachedError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct MemCachedStats {
    /// Host and port, or path.
    pub server: String,
    /// Reads that found a key.
    pub hits: u64,
    /// Reads that found none.
    pub misses: u64,
    /// The number of entries, expired ones that no lookup has met included.
    pub items: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Entries that had to leave for want of memory.
    pub evicted: u64,
    /// Connections that were accepted.
    pub connections: u64,
}

impl MemCachedStats {
    /// The share of reads that found a key, 0 to 1; 0 where there was no read.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        self.reads().hit_rate()
    }

    fn reads(&self) -> Reads {
        Reads {
            hits: self.hits,
            misses: self.misses,
        }
    }
}

impl fmt::Display for MemCachedStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.server, self.reads())
    }
}

impl<K: ?Sized, V, F> MemCached<K, V, F> {
    /// The information of each server about itself: `section` is `settings`, `items`, `slabs`, ..., or empty
    /// for the usual fields.
    ///
    /// `reset` returns no field: the servers set their counters to zero, for all their clients.
    ///
    /// # Errors
    /// [`Error::Encode`] for a section that is not one word, and those of a server.
    pub fn info(&self, section: &str) -> Result<Vec<ServerInfo>, MemCachedError> {
        check_section(section)?;
        let deadline = self.client.deadline();
        let servers = self.client.all();
        servers
            .map(|server| {
                Ok(ServerInfo {
                    server: server.label().to_string(),
                    fields: server.stats(section, deadline)?,
                })
            })
            .collect()
    }

    /// The counts of each server since its start, of all its clients: put a
    /// [`StatsCache`](crate::StatsCache) on a cache for its own.
    ///
    /// # Errors
    /// Those of a server, such as an outage.
    pub fn stats(&self) -> Result<Vec<MemCachedStats>, MemCachedError> {
        Ok(self.info("")?.into_iter().map(counts).collect())
    }

    /// The share of the servers' reads that found a key, 0 to 1.
    ///
    /// # Errors
    /// Those of a server, such as an outage.
    pub fn hit_rate(&self) -> Result<f64, MemCachedError> {
        Ok(hit_rate(&self.stats()?))
    }
}

/// The share of the reads of all servers that found a key.
pub(super) fn hit_rate(stats: &[MemCachedStats]) -> f64 {
    let reads = Reads {
        hits: sum(stats, |stats| stats.hits),
        misses: sum(stats, |stats| stats.misses),
    };
    reads.hit_rate()
}

/// The sum of a count over all servers. A server may report any number.
pub(super) fn sum(stats: &[MemCachedStats], count: impl Fn(&MemCachedStats) -> u64) -> u64 {
    stats.iter().map(count).fold(0, u64::saturating_add)
}

/// Refuses a section that is not one word.
pub(super) fn check_section(section: &str) -> Result<(), Error> {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    match section.chars().all(is_word) {
        true => Ok(()),
        false => Err(Error::Encode("a section that is not one word")),
    }
}

pub(super) fn counts(info: ServerInfo) -> MemCachedStats {
    let mut stats = MemCachedStats {
        server: info.server,
        ..MemCachedStats::default()
    };
    for (name, value) in info.fields {
        let counter = match name.as_str() {
            "get_hits" => &mut stats.hits,
            "get_misses" => &mut stats.misses,
            "curr_items" => &mut stats.items,
            "bytes" => &mut stats.bytes,
            "evictions" => &mut stats.evicted,
            "total_connections" => &mut stats.connections,
            _ => continue,
        };
        *counter = value.trim().parse().unwrap_or_default();
    }
    stats
}

impl<K: ?Sized, V, F> HasStats for MemCached<K, V, F> {
    type Stats = Vec<MemCachedStats>;
    type Error = MemCachedError;

    fn stats(&self) -> Result<Vec<MemCachedStats>, MemCachedError> {
        self.stats()
    }

    fn hit_rate(&self) -> Result<f64, MemCachedError> {
        self.hit_rate()
    }
}
