//! Entry points of the fuzz targets (`tests/fuzz`) to readers that are not public. No part of the
//! interface of this crate.

/// Reads `bytes` as the replies of a Redis server, up to the first that is none, and hands each to
/// the readers of error replies, redirects and slot maps. Returns the number of replies.
pub fn redis_replies(bytes: &[u8]) -> usize {
    crate::backends::redis::fuzzing::read(bytes)
}
