//! What the tests and benchmarks of ctu share.

pub mod contest;
pub mod load;
pub mod proxy;
pub mod servers;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
