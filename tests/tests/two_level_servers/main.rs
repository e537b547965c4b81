//! A resilient `TwoLevelCache` over a real Redis, in every fault: then the promises, key by key.
//!
//! `tests/run soak` lets it storm for ten minutes.

mod comparison;
mod node;
mod single_flight;
mod single_flight_tasks;
mod storm;
