//! Memcached, shared with programs that use CacheToolsUtils.

#[cfg(feature = "memcache")]
mod address;
#[cfg(feature = "memcache")]
mod answers;
#[cfg(feature = "memcache")]
mod builder;
#[cfg(feature = "memcache")]
mod cache;
#[cfg(feature = "memcache")]
mod client;
mod codec;
#[cfg(feature = "memcache")]
mod commands;
#[cfg(feature = "memcache")]
mod error;
#[cfg(feature = "memcache-client")]
mod external;
#[cfg(feature = "memcache")]
mod form;
#[cfg(feature = "memcache")]
mod keys;
#[cfg(feature = "memcache")]
mod link;
#[cfg(feature = "memcache")]
mod requests;
#[cfg(feature = "memcache")]
mod ring;
#[cfg(feature = "memcache")]
mod server;
#[cfg(feature = "memcache")]
mod stats;
#[cfg(feature = "memcache")]
mod ttl;

#[cfg(feature = "memcache")]
pub use self::{
    builder::MemCachedBuilder,
    cache::{MemCached, PrefixedMemCached, RawMemCached},
    error::MemCachedError,
    form::{AsPython, Form, Raw},
    stats::MemCachedStats,
};
#[cfg(feature = "memcache")]
use codec::check_prefix;
pub use codec::{JsonSerde, KEY_MAX, MemValue, encode_key};
