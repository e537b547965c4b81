//! Memcached, shared with programs that use CacheToolsUtils.

#[cfg(feature = "memcached")]
mod address;
#[cfg(feature = "memcached")]
mod answers;
#[cfg(all(feature = "memcached", feature = "tokio"))]
mod asynchronous;
#[cfg(feature = "memcached")]
mod builder;
#[cfg(feature = "memcached")]
mod cache;
#[cfg(feature = "memcached")]
mod client;
mod codec;
#[cfg(feature = "memcached")]
mod commands;
#[cfg(feature = "memcached")]
mod entries;
#[cfg(feature = "memcached")]
mod error;
#[cfg(feature = "memcached-client")]
mod external;
#[cfg(feature = "memcached")]
mod form;
#[cfg(feature = "memcached")]
mod keys;
#[cfg(feature = "memcached")]
mod link;
#[cfg(all(feature = "memcached", feature = "metrics"))]
mod metrics;
#[cfg(feature = "memcached")]
mod requests;
#[cfg(feature = "memcached")]
mod ring;
#[cfg(feature = "memcached")]
mod server;
#[cfg(feature = "memcached")]
mod state;
#[cfg(feature = "memcached")]
mod stats;
#[cfg(feature = "memcached")]
mod ttl;

#[cfg(all(feature = "memcached", feature = "tokio"))]
pub use self::asynchronous::{AsyncMemCached, AsyncPrefixedMemCached, AsyncRawMemCached};
#[cfg(feature = "memcached")]
pub use self::{
    builder::MemCachedBuilder,
    cache::{MemCached, PrefixedMemCached, RawMemCached},
    error::MemCachedError,
    form::{AsPython, Form, Raw},
    stats::MemCachedStats,
};
#[cfg(feature = "memcached")]
use codec::check_prefix;
pub use codec::{JsonSerde, KEY_MAX, MemValue, encode_key};
