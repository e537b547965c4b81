//! A cache whose hits take no lock.

mod cache;
mod queue;

pub use self::cache::{SieveCache, Untimed};
