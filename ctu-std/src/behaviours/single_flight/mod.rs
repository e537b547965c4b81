//! One computation a key, however many threads want its result.

mod cache;
#[cfg(test)]
mod shuttle_tests;
mod threads;
mod writes;

pub use cache::SingleFlightCache;
pub(crate) use threads::{Leading, SingleFlight, Turn};
