//! What the tests and benchmarks of ctu share.

pub mod contest;
pub mod load;
pub mod proxy;
pub mod servers;
