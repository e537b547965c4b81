//! Code that benchmarks share.

pub mod cli;
pub mod contest;
