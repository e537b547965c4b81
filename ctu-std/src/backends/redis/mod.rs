//! A Redis server as a cache.

mod address;
#[cfg(feature = "cluster")]
mod allowed;
mod batch;
mod bounds;
mod builder;
mod cache;
mod client;
#[cfg(feature = "cluster")]
mod cluster;
mod error;
mod expiry;
mod form;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod info;
mod keys;
mod link;
mod node;
mod reply;
mod request;
mod resp;
mod sentinel;
mod settings;
mod ttl;

pub use builder::RedisBuilder;
pub use cache::{PrefixedRedisCache, RawRedisCache, RedisCache};
pub use error::RedisError;
pub use form::{AsJson, Form, Prefixed, Raw};
pub use info::RedisStats;
pub use keys::Keys;
