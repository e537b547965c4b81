//! A Redis server as a cache.

mod address;
mod allowed;
#[cfg(feature = "tokio")]
mod asynchronous;
mod bounds;
mod build;
mod builder;
mod cache;
mod claims;
mod client;
#[cfg(feature = "cluster")]
mod cluster;
mod command;
mod entries;
mod entry_commands;
mod error;
mod expiry;
mod form;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod info;
mod key_commands;
mod keys;
mod link;
#[cfg(feature = "metrics")]
mod metrics;
mod node;
mod plain_entries;
mod reply;
mod request;
mod resp;
mod scan;
mod script;
mod sentinel;
mod settings;
mod tag_scripts;
mod tagged_entries;
mod tags;
mod tracking;
mod ttl;

#[cfg(feature = "tokio")]
pub use asynchronous::{AsyncKeys, AsyncPrefixedRedisCache, AsyncRawRedisCache, AsyncRedisCache};
pub use builder::RedisBuilder;
pub use cache::{PrefixedRedisCache, RawRedisCache, RedisCache};
pub use error::RedisError;
pub use form::{AsJson, Form, Prefixed, Raw};
pub use info::RedisStats;
pub use keys::Keys;
