#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod memcached;

pub use ctu_core::*;
