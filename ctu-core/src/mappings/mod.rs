//! The mappings: pure translations of keys and values.

#[cfg(feature = "encrypted")]
pub(crate) mod encrypted;
pub(crate) mod prefixed;
