//! Memcached, shared with programs that use CacheToolsUtils.

mod codec;

pub use codec::{JsonSerde, KEY_MAX, MemValue, encode_key};
