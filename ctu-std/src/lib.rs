#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(feature = "memcache", feature = "redis"))]
#[doc = include_str!("../docs/from-cachetoolsutils.md")]
pub mod from_cachetoolsutils {}
mod coarse_clock;
#[cfg(test)]
mod explore;
mod into_cache;
pub mod memcached;
#[cfg(any(feature = "memcache", feature = "redis"))]
mod net;
#[cfg(feature = "redis")]
mod redis;
mod resilience;
#[cfg(feature = "redis")]
mod server_info;
mod sharded;
mod sieve;
mod single_flight;
mod spread;
#[cfg(any(feature = "memcache", feature = "redis"))]
mod str_key;
mod sync;
mod two_level;

#[cfg(feature = "memcache")]
#[doc(inline)]
pub use self::memcached::{
    MemCached, MemCachedBuilder, MemCachedError, MemCachedStats, PrefixedMemCached, RawMemCached,
};
#[cfg(feature = "redis")]
pub use self::redis::{
    AsJson, Form, Keys, Prefixed, PrefixedRedisCache, Raw, RawRedisCache, RedisBuilder, RedisCache,
    RedisError, RedisStats,
};
#[cfg(feature = "redis")]
pub use self::server_info::ServerInfo;
pub use self::{
    coarse_clock::CoarseClock,
    into_cache::{IntoCache, IsCache, IsStore},
    sharded::ShardedCache,
    sieve::{SieveCache, Untimed},
    single_flight::SingleFlightCache,
    two_level::{BreakerState, TwoLevelBuilder, TwoLevelCache, TwoLevelError, TwoLevelStats},
};
#[cfg(any(feature = "memcache", feature = "redis"))]
pub use self::{
    net::{NetError, Peer},
    str_key::StrKey,
};
pub use ctu_core::*;
// The same attributes; what they expand to names this crate, since a program may have no other.
pub use ctu_macros::{
    cache_functions_std as cache_functions, cache_methods_std as cache_methods,
    cached_std as cached,
};
// On a server: capacities are chosen at run time, and threads wait in the operating system.
pub use ctu_core::heap::{DictCache, LruCache, TtlCache};

/// A store for threads to share, behind a lock that waits in the operating system.
///
/// ```
/// use ctu_std::{Cache, LockedCache, LruCache};
///
/// let cache = LockedCache::new(LruCache::<String, u32>::with_capacity(100));
/// cache.insert("one", 1)?;
/// assert_eq!(cache.get("one")?, Some(1));
/// # Ok::<(), ctu_std::Error>(())
/// ```
pub type LockedCache<S> = ctu_core::LockedCache<parking_lot::RawMutex, S>;
