//! The Redis cache for async callers. Entries, commands and decisions are those of the blocking cache.

mod cache;
mod client;
#[cfg(feature = "cluster")]
mod cluster;
#[cfg(feature = "redis-aio")]
mod external;
mod keys;
mod link;
mod node;
mod stats;

pub use cache::{AsyncPrefixedRedisCache, AsyncRawRedisCache, AsyncRedisCache};
pub(super) use client::{AsyncClient, AsyncServers};
#[cfg(feature = "cluster")]
pub(super) use cluster::AsyncCluster;
#[cfg(feature = "redis-aio")]
pub(super) use external::AsyncExternal;
pub use keys::AsyncKeys;
pub(super) use link::{AsyncConnector, AsyncSource, exchange, open};
pub(super) use node::AsyncNode;
