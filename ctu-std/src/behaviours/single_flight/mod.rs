//! One computation a key, however many threads want its result.

mod cache;
#[cfg(test)]
mod shuttle_tests;
mod turns;
mod writes;

pub use cache::SingleFlightCache;
pub(crate) use turns::{Leading, SingleFlight, Turn};
