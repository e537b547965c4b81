//! Code that tests and benchmarks share.

pub mod blocking;
pub mod cancel;
pub mod contest;
pub mod example;
pub mod load;
pub mod proxy;
pub mod servers;
pub mod step_cache;
#[cfg(feature = "tls")]
pub mod tls_front;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
