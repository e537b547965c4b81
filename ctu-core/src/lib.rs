#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod behaviours;
#[cfg(feature = "macros")]
pub mod cached;
mod caches;
mod clock;
mod counter;
mod encoding;
mod entries;
mod error;
#[cfg(feature = "flash")]
mod flash;
#[cfg(feature = "json")]
pub mod json;
mod mappings;
pub mod prelude;
pub mod stores;
#[cfg(any(feature = "sealed", feature = "flash"))]
mod wall_clock;

#[cfg(feature = "alloc")]
#[doc(hidden)]
pub use behaviours::single_flight;
pub use behaviours::{
    Counts, DebugCache, Event, Failure, FrontCache, LocalSingleFlightCache, Log, Observed,
    Observer, Operation, OperationKind, Outcome, Stats, StatsCache,
};
#[cfg(feature = "metrics")]
pub use behaviours::{Meter, MeteredCache};
#[cfg(feature = "critical-section")]
pub use caches::CriticalSectionMutex;
pub use caches::{
    AsyncCache, AsyncCacheExt, Cache, CacheExt, CacheId, Found, HasAsyncStats, HasStats, InMemory,
    LocalAsyncCache, LocalAsyncCacheExt, LockKind, LockedCache, Ready, SpinCache, SpinMutex,
    WithTtl,
};
#[cfg(feature = "embassy-time")]
pub use clock::EmbassyClock;
#[cfg(feature = "std")]
pub use clock::StdClock;
pub use clock::{Clock, ManualClock};
#[cfg(feature = "macros")]
pub use ctu_macros::{cache_functions, cache_methods, cached};
pub use encoding::{PrefixEncoding, base85};
pub use entries::{Buffer, Bytes, IntoValue, KeyParts, StoredKey, Text, TextBuffer};
pub use error::{CacheError, Capability, Error, SealError};
#[cfg(feature = "flash-async")]
pub use flash::AsyncFlashCache;
#[cfg(feature = "flash")]
pub use flash::{FlashCache, FlashError, FlashOptions};
#[cfg(feature = "json")]
pub use json::{full_hash_key, full_hash_key_with, json_key, json_key_with};
#[cfg(feature = "aes")]
pub use mappings::Aes128Cbc;
#[cfg(feature = "aes-gcm-siv")]
pub use mappings::Aes256GcmSiv;
#[cfg(feature = "ascon")]
pub use mappings::AsconAead128;
#[cfg(feature = "chacha20")]
pub use mappings::ChaCha20;
#[cfg(feature = "postcard")]
pub use mappings::Postcard;
#[cfg(any(feature = "encrypted", feature = "sealed"))]
pub use mappings::Secret;
#[cfg(feature = "sealed")]
pub use mappings::{
    Aead, HashedAt, HashedNames, KeyRing, KeyedAead, Keys, Location, MonotonicCounter, Names,
    NoSalt, PlainAt, PlainNames, Salt, SealedCache, Sealing, SealingKey, SoftCounter, Tag,
    XChaCha20Poly1305,
};
pub use mappings::{
    AsPrefix, AutoPrefix, AutoPrefixedCache, Base85, BytesCache, KeyText, LikeValue,
    MAX_INLINE_KEY, Mapped, Mapping, Prefix, PrefixCounter, PrefixKey, PrefixedBytes,
    PrefixedCache, PrefixedText,
};
#[cfg(feature = "encrypted")]
pub use mappings::{Cipher, Derived, EncryptedCache, Encryption, Salsa20, SecretCheck};
#[cfg(any(feature = "json", feature = "postcard"))]
pub use mappings::{Format, Json, ToBytes, ToBytesCache};
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use stores::on_heap as heap;
pub use stores::{
    ArenaFixedCache, ArenaLruCache, ClockCache, FixedCache, LruCache, S3FifoCache, SmallClockCache,
    SmallFixedCache, SmallLruCache, SmallS3FifoCache, SmallTtlCache, Store, TtlCache,
};
#[cfg(all(any(feature = "sealed", feature = "flash"), feature = "std"))]
pub use wall_clock::SystemWallClock;
#[cfg(any(feature = "sealed", feature = "flash"))]
pub use wall_clock::{NoWallClock, WallClock};
