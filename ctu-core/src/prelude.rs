//! The traits with the methods for users of a cache: `use ctu_core::prelude::*;`.
//!
//! `LocalAsyncCache` is not among them: its methods have the names of those of `AsyncCache`, and a
//! cache may implement both.

pub use crate::caches::{AsyncCache, AsyncCacheExt, Cache, CacheExt, HasAsyncStats, HasStats};
