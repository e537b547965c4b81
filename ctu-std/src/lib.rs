#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::await_holding_lock)]
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
#[cfg(feature = "snapshot")]
mod snapshot;
mod sync;
#[cfg(feature = "test-util")]
pub mod test_util;

#[doc(inline)]
pub use self::backends::memcached;
#[cfg(all(feature = "memcached", feature = "tokio"))]
#[doc(inline)]
pub use self::backends::memcached::{AsyncMemCached, AsyncPrefixedMemCached, AsyncRawMemCached};
#[cfg(feature = "memcached")]
#[doc(inline)]
pub use self::backends::memcached::{
    MemCached, MemCachedBuilder, MemCachedError, MemCachedStats, PrefixedMemCached, RawMemCached,
};
#[cfg(feature = "redis")]
pub use self::backends::redis::{
    AsJson, Form, Keys, Prefixed, PrefixedRedisCache, Raw, RawRedisCache, RedisBuilder, RedisCache,
    RedisError, RedisStats,
};
#[cfg(all(feature = "redis", feature = "tokio"))]
pub use self::backends::redis::{
    AsyncKeys, AsyncPrefixedRedisCache, AsyncRawRedisCache, AsyncRedisCache,
};
#[cfg(any(feature = "memcached", feature = "redis"))]
pub use self::backends::{
    net::{NetError, Peer, ServerInfo},
    str_key::StrKey,
};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use self::boot_clock::BootClock;
#[cfg(feature = "snapshot")]
pub use self::snapshot::{
    LoadSnapshot, Loaded, Save, SaveSnapshot, Saved, Snapshot, SnapshotError,
};
pub use self::{
    behaviours::{
        BreakerState, SingleFlightCache, TrackingState, TwoLevelBuilder, TwoLevelCache,
        TwoLevelError, TwoLevelStats,
    },
    caches::{
        AnyCache, AsyncClaims, AsyncTags, CacheEntry, Claims, Compute, Computed, ConcurrentCache,
        ConcurrentCacheBuilder, ConcurrentStats, FoundTagged, HeapSize, IntoCache, IsAsync,
        IsCache, IsStore, LockedCache, NoClock, RemovalCause, ShardedCache, TagGenerations,
        TaggedEntry, Tags, Tracked, Tracker, TrackingConnection, TrackingError, TrackingMessage,
        Unclocked, bytes_of_entry,
    },
    coarse_clock::CoarseClock,
};
// The names are listed, so that a new name of `ctu-core` does not silently join this crate.
pub use ctu_core::{
    Aead, Aes128Cbc, Aes256GcmSiv, AsPrefix, AsyncCache, AsyncCacheExt, AutoPrefix,
    AutoPrefixedCache, Base85, Buffer, Bytes, BytesCache, Cache, CacheError, CacheExt, Capability,
    ChaCha20, Cipher, Clock, Counts, DebugCache, Derived, EncryptedCache, Encryption, Error, Event,
    Failure, Format, Found, HasAsyncStats, HasStats, HashedAt, HashedNames, InMemory, IntoValue,
    Json, KeyParts, KeyRing, KeyText, KeyedAead, Keys as SealingKeys, LikeValue, LocalAsyncCache,
    LocalAsyncCacheExt, LocalSingleFlightCache, Location, LockKind, Log, MAX_INLINE_KEY,
    ManualClock, Mapped, Mapping, MonotonicCounter, Names, NoSalt, NoWallClock, Observed, Observer,
    Operation, OperationKind, Outcome, PlainAt, PlainNames, Prefix, PrefixCounter, PrefixEncoding,
    PrefixKey, PrefixedBytes, PrefixedCache, PrefixedText, Ready, Salsa20, Salt, SealError,
    SealedCache, Sealing, SealingKey, Secret, SecretCheck, SoftCounter, SpinCache, SpinMutex,
    Stats, StatsCache, StdClock, Store, StoredKey, SystemWallClock, Tag, Text, TextBuffer, ToBytes,
    ToBytesCache, WallClock, WithTtl, XChaCha20Poly1305, base85, full_hash_key, full_hash_key_with,
    heap, json, json_key, json_key_with, prelude, stores,
};
#[doc(hidden)]
pub use ctu_core::{CacheId, single_flight};
#[cfg(feature = "metrics")]
pub use ctu_core::{Meter, MeteredCache};

/// The runtime part of the attribute macros.
pub mod cached {
    #[doc(inline)]
    pub use ctu_core::cached::*;
}
// The same attributes. Their expansions name this crate, since a program may depend on no other.
pub use ctu_macros::{
    cache_functions_std as cache_functions, cache_methods_std as cache_methods,
    cached_std as cached,
};
// On a server: capacities are chosen at run time, and threads wait in the operating system.
pub use ctu_core::heap::{
    AdaptiveCache, AdaptiveTtlCache, DictCache, LruCache, TimeLimits, TtlCache,
};
