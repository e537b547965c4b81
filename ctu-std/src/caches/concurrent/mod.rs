//! A cache for many threads: shards behind locks, and copies of hot entries' addresses for each
//! processor, so that look-ups of one key by many threads write to no memory in common.

mod cache;
mod entry;
mod near;

pub use cache::{ConcurrentCache, NoClock};
