//! Caches in the memory of one process.

mod claims;
mod concurrent;
mod into_cache;
mod kind;
mod locked;
mod shard_index;
mod sharded;
mod tags;
mod tracked;

pub use claims::{AsyncClaims, Claims};
pub use concurrent::{
    CacheEntry, Compute, Computed, ConcurrentCache, ConcurrentCacheBuilder, ConcurrentStats,
    HeapSize, NoClock, RemovalCause, Unclocked, bytes_of_entry,
};
pub use into_cache::{IntoCache, IsStore};
pub use kind::{AnyCache, IsAsync, IsCache};
pub use locked::LockedCache;
pub use sharded::ShardedCache;
pub use tags::{AsyncTags, FoundTagged, TagGenerations, TaggedEntry, Tags};
pub use tracked::{Tracked, Tracker, TrackingConnection, TrackingError, TrackingMessage};
