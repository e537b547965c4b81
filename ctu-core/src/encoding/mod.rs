//! Encodings of bytes as text.

pub(crate) mod ascii85;
pub mod base85;
mod prefix;

#[cfg(test)]
mod tests;

pub use prefix::PrefixEncoding;
