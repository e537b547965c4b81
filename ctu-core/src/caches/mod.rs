//! Caches: the traits, their implementations for pointers, and the locks that turn a store into a cache.

mod async_cache;
mod cache;
#[cfg(feature = "critical-section")]
mod critical_section;
mod forward;
mod locked;
mod pointers;

pub use async_cache::{AsyncCache, LocalAsyncCache, Ready};
pub use cache::{Cache, Found, WithTtl};
#[cfg(feature = "critical-section")]
pub use critical_section::CriticalSectionMutex;
pub use locked::{LockKind, LockedCache, SpinCache, SpinMutex};
