//! What the tests and benchmarks of ctu share.

pub mod contest;
pub mod proxy;
pub mod servers;
