//! Backends: servers as caches. `net` has the sockets and pools, and knows no protocol.

pub mod memcached;
#[cfg(any(feature = "memcached", feature = "redis"))]
pub(crate) mod net;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(any(feature = "memcached", feature = "redis"))]
pub(crate) mod str_key;
