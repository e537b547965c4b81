//! Reports of the servers.

use super::{
    super::{RedisError, RedisStats, info},
    AsyncRedisCache,
};
use crate::backends::net::ServerInfo;
use ctu_core::{Capability, HasAsyncStats};

impl<K: ?Sized, V, F> AsyncRedisCache<K, V, F> {
    /// As [`RedisCache::info`](crate::RedisCache::info).
    ///
    /// # Errors
    /// A failure of the server or of the way to it.
    pub async fn info(&self, section: &str) -> Result<Vec<ServerInfo>, RedisError> {
        let command = info::command(section);
        self.client
            .execute_on_all(Capability::Stats, &command)
            .await
    }

    /// As [`RedisCache::stats`](crate::RedisCache::stats).
    ///
    /// # Errors
    /// A failure of the server or of the way to it.
    pub async fn stats(&self) -> Result<RedisStats, RedisError> {
        Ok(RedisStats::sum(self.info("stats").await?))
    }

    /// The share of the server's reads that found a key, 0 to 1.
    ///
    /// # Errors
    /// A failure of the server or of the way to it.
    pub async fn hit_rate(&self) -> Result<f64, RedisError> {
        Ok(self.stats().await?.hit_rate())
    }
}

impl<K: ?Sized, V, F> HasAsyncStats for AsyncRedisCache<K, V, F>
where
    Self: Sync,
{
    type Stats = RedisStats;
    type Error = RedisError;

    fn stats_async(&self) -> impl Future<Output = Result<RedisStats, RedisError>> + Send {
        self.stats()
    }

    fn hit_rate_async(&self) -> impl Future<Output = Result<f64, RedisError>> + Send {
        self.hit_rate()
    }
}
