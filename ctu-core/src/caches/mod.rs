//! Caches: the traits, their implementations for pointers, and the locks that turn a store into a
//! cache.

mod async_cache;
mod cache;
mod copying;
#[cfg(feature = "critical-section")]
mod critical_section;
mod ext;
mod forward;
mod has_async_stats;
mod has_stats;
mod id;
mod in_memory;
mod locked;
mod pointers;

pub use async_cache::{AsyncCache, LocalAsyncCache, Ready};
pub use cache::{Cache, Found, WithTtl};
#[cfg(feature = "flash")]
pub(crate) use copying::CopyingStore;
pub(crate) use copying::copying_store_is_cache;
#[cfg(feature = "critical-section")]
pub use critical_section::CriticalSectionMutex;
pub use ext::{AsyncCacheExt, CacheExt, LocalAsyncCacheExt};
pub use has_async_stats::HasAsyncStats;
pub(crate) use has_async_stats::forward_async_stats;
pub use has_stats::HasStats;
pub(crate) use has_stats::forward_stats;
pub use id::CacheId;
pub use in_memory::InMemory;
pub(crate) use locked::with_cell;
pub use locked::{LockKind, LockedCache, SpinCache, SpinMutex};
