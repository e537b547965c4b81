#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod async_cache;
mod buffer;
mod cache;
#[cfg(feature = "macros")]
pub mod cached;
mod clock;
mod counter;
#[cfg(feature = "critical-section")]
mod critical_section;
mod debug;
mod encoding;
mod equivalent;
mod error;
#[cfg(feature = "defmt")]
mod format;
#[cfg(feature = "alloc")]
pub mod heap;
#[cfg(feature = "json")]
pub mod json;
mod key;
mod locked;
mod mapped;
mod mapping;
mod mappings;
mod stats;
mod store;
pub mod stores;
mod text_buffer;
mod value;

pub use async_cache::{AsyncCache, LocalAsyncCache, Ready};
pub use buffer::{Buffer, Bytes, Text};
pub use cache::{Cache, Found, WithTtl};
#[cfg(feature = "embassy-time")]
pub use clock::EmbassyClock;
#[cfg(feature = "std")]
pub use clock::StdClock;
pub use clock::{Clock, ManualClock};
#[cfg(feature = "critical-section")]
pub use critical_section::CriticalSectionMutex;
#[cfg(feature = "macros")]
pub use ctu_macros::{cache_functions, cache_methods, cached};
pub use debug::{DebugCache, Event};
pub use encoding::{PrefixEncoding, base85};
pub use equivalent::Equivalent;
pub use error::{CacheError, Error};
#[cfg(feature = "json")]
pub use json::{full_hash_key, full_hash_key_with, json_key, json_key_with};
pub use key::StoredKey;
pub use locked::{LockKind, LockedCache, SpinCache, SpinMutex};
pub use mapped::Mapped;
pub use mapping::Mapping;
pub use mappings::bytes::{Base85, BytesCache, KeyText, LikeValue};
#[cfg(feature = "aes")]
pub use mappings::encrypted::Aes128Cbc;
#[cfg(feature = "chacha20")]
pub use mappings::encrypted::ChaCha20;
#[cfg(feature = "encrypted")]
pub use mappings::encrypted::{Cipher, Derived, EncryptedCache, Encryption, Salsa20, Secret};
#[cfg(feature = "postcard")]
pub use mappings::to_bytes::Postcard;
#[cfg(any(feature = "json", feature = "postcard"))]
pub use mappings::to_bytes::{Format, Json, ToBytes, ToBytesCache};
pub use mappings::{
    auto_prefixed::{AutoPrefix, AutoPrefixedCache, PrefixCounter},
    prefixed::{
        AsPrefix, MAX_INLINE_KEY, Prefix, PrefixKey, PrefixedBytes, PrefixedCache, PrefixedText,
    },
};
pub use stats::{Stats, StatsCache};
pub use store::Store;
pub use stores::{lru::LruCache, ttl::TtlCache};
pub use text_buffer::TextBuffer;
pub use value::IntoValue;
