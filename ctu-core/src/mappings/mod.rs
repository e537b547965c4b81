//! The mappings: pure translations of keys and values.

pub(crate) mod auto_prefixed;
pub(crate) mod bytes;
#[cfg(feature = "encrypted")]
pub(crate) mod encrypted;
pub(crate) mod prefixed;
#[cfg(any(feature = "json", feature = "postcard"))]
pub(crate) mod to_bytes;
