#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backends;
mod behaviours;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod boot_clock;
mod caches;
mod coarse_clock;
pub mod docs;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod per_process;
mod random;
mod sync;

#[doc(inline)]
pub use self::backends::memcached;
#[cfg(feature = "memcache")]
#[doc(inline)]
pub use self::backends::memcached::{
    MemCached, MemCachedBuilder, MemCachedError, MemCachedStats, PrefixedMemCached, RawMemCached,
};
#[cfg(feature = "redis")]
pub use self::backends::redis::{
    AsJson, Form, Keys, Prefixed, PrefixedRedisCache, Raw, RawRedisCache, RedisBuilder, RedisCache,
    RedisError, RedisStats,
};
#[cfg(any(feature = "memcache", feature = "redis"))]
pub use self::backends::{
    net::{NetError, Peer, ServerInfo},
    str_key::StrKey,
};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use self::boot_clock::BootClock;
pub use self::{
    behaviours::{
        BreakerState, SingleFlightCache, TwoLevelBuilder, TwoLevelCache, TwoLevelError,
        TwoLevelStats,
    },
    caches::{
        AnyCache, ConcurrentCache, IntoCache, IsAsync, IsCache, IsStore, LockedCache, ShardedCache,
        Untimed,
    },
    coarse_clock::CoarseClock,
};
pub use ctu_core::*;
// The same attributes; what they expand to names this crate, since a program may have no other.
pub use ctu_macros::{
    cache_functions_std as cache_functions, cache_methods_std as cache_methods,
    cached_std as cached,
};
// On a server: capacities are chosen at run time, and threads wait in the operating system.
pub use ctu_core::heap::{DictCache, LruCache, TtlCache};
