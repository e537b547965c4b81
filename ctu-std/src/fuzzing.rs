//! Entry points of the fuzz targets (`tests/fuzz`) to private parsers. They are not part of the
//! public API of this crate.

/// Parses `bytes` as replies of a Redis server, up to the first invalid one, and passes each to the
/// parsers of error replies, redirects and slot maps. Returns the number of replies.
pub fn redis_replies(bytes: &[u8]) -> usize {
    crate::backends::redis::fuzzing::read(bytes)
}
