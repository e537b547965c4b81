//! Caches in the memory of one process.

mod concurrent;
mod into_cache;
mod locked;
mod sharded;
mod spread;

pub use concurrent::{ConcurrentCache, Untimed};
pub use into_cache::{IntoCache, IsCache, IsStore};
pub use locked::LockedCache;
pub use sharded::ShardedCache;
