use super::{MemCached, MemCachedError};
use ctu_core::Error;
use std::fmt;

/// What a Memcached server counted since it started, for all its clients together.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemCachedStats {
    /// Host and port, or path.
    pub server: String,
    /// Reads that found a key.
    pub hits: u64,
    /// Reads that found none.
    pub misses: u64,
    /// Entries now, those included whose time is over and that nobody has asked for since.
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
        hit_rate(self.hits, self.misses)
    }
}

/// Counts beyond 2^53 lose their last digits, which no rate shows.
fn hit_rate(hits: u64, misses: u64) -> f64 {
    hits as f64 / hits.saturating_add(misses).max(1) as f64
}

impl fmt::Display for MemCachedStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.hit_rate() * 100.0;
        let reads = self.hits.saturating_add(self.misses);
        let server = &self.server;
        write!(f, "{server}: {rate:.1} % of {reads} reads were hits")
    }
}

impl<K: ?Sized, V, F> MemCached<K, V, F> {
    /// What each server tells about itself: `section` is `settings`, `items`, `slabs`, ..., or empty
    /// for the usual. The server, then pairs of a name and a value in its order.
    ///
    /// # Errors
    /// [`Error::Encode`] for a section that is not one word, and whatever keeps a server from telling.
    pub fn info(&self, section: &str) -> Result<Vec<ServerInfo>, MemCachedError> {
        let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
        if !section.chars().all(is_word) {
            return Err(Error::Encode("a section that is not one word").into());
        }
        let deadline = self.client.deadline();
        let servers = self.client.servers.iter();
        servers
            .map(|server| Ok((server.label.to_string(), server.stats(section, deadline)?)))
            .collect()
    }

    /// What each server counted since it started. Of the servers, not of this cache alone: put a
    /// [`StatsCache`](crate::StatsCache) on a cache for its own.
    ///
    /// # Errors
    /// Whatever keeps a server from telling.
    pub fn stats(&self) -> Result<Vec<MemCachedStats>, MemCachedError> {
        Ok(self.info("")?.into_iter().map(counts).collect())
    }

    /// The share of the servers' reads that found a key, 0 to 1.
    ///
    /// # Errors
    /// Whatever keeps a server from telling.
    pub fn hits(&self) -> Result<f64, MemCachedError> {
        let stats = self.stats()?;
        let sum = |count: fn(&MemCachedStats) -> u64| stats.iter().map(count).sum();
        Ok(hit_rate(sum(|stats| stats.hits), sum(|stats| stats.misses)))
    }
}

/// A server, and what it tells about itself.
pub type ServerInfo = (String, Vec<(String, String)>);

fn counts((server, info): ServerInfo) -> MemCachedStats {
    let mut stats = MemCachedStats {
        server,
        ..MemCachedStats::default()
    };
    for (name, value) in info {
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
