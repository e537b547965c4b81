//! A cache whose hits take no lock.

mod cache;
mod entry;
mod queue;

pub use self::cache::{SieveCache, Untimed};
