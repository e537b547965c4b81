//! A cache for many threads: shards behind locks, and copies of hot entries' addresses for each
//! processor, so that look-ups of one key by many threads write to no memory in common.

mod adaptation;
mod as_cache;
mod builder;
mod cache;
mod compute;
mod entries;
mod entry;
mod heap_size;
mod life;
mod locks;
mod look_up;
#[cfg(feature = "metrics")]
mod metrics;
mod near;
mod removal;
mod remove;
mod resize;
mod shards;
mod stats;
#[cfg(test)]
mod tests;
mod weights;
mod write;

pub use builder::{ConcurrentCacheBuilder, Unclocked};
pub use cache::{ConcurrentCache, NoClock};
pub use compute::{Compute, Computed};
pub use entries::CacheEntry;
pub use heap_size::{HeapSize, bytes_of_entry};
pub use removal::RemovalCause;
pub use stats::ConcurrentStats;
