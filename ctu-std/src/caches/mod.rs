//! Caches in the memory of one process.

mod concurrent;
mod into_cache;
mod kind;
mod locked;
mod sharded;
mod spread;

pub use concurrent::{ConcurrentCache, Untimed};
pub use into_cache::{IntoCache, IsStore};
pub use kind::{AnyCache, IsAsync, IsCache};
pub use locked::LockedCache;
pub use sharded::ShardedCache;
