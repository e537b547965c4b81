//! One computation a key, however many threads want its result.

mod turns;

pub(crate) use turns::{Leading, SingleFlight, Turn};
