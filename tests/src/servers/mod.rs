//! Real servers for tests: each a child process on a free port of its own, ended with the test.

mod cluster;
mod memcached;
mod parrot;
mod program;
mod redis;

pub use cluster::RedisCluster;
pub use memcached::MemcachedServer;
pub use parrot::Parrot;
pub use program::free_port;
pub use redis::RedisServer;
