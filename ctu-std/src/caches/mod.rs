//! Caches in the memory of one process.

mod into_cache;
mod locked;
mod sharded;
mod sieve;
mod spread;

pub use into_cache::{IntoCache, IsCache, IsStore};
pub use locked::LockedCache;
pub use sharded::ShardedCache;
pub use sieve::{SieveCache, Untimed};
