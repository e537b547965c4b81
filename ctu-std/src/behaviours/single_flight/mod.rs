//! One computation a key, however many threads and tasks want its result.

mod asynchronous;
mod blocking;
mod cache;
mod flights;
mod many;
#[cfg(test)]
mod shuttle_tests;
mod tasks;
mod threads;
mod writes;

pub use cache::SingleFlightCache;
pub(crate) use flights::{Leading, SingleFlight, Turn};
pub(crate) use tasks::within;
