//! A resilient `TwoLevelCache` over a real Redis, in every weather: then the promises, key by key.
//!
//! `tests/run soak` lets it storm for ten minutes.

mod comparison;
mod node;
mod storm;
mod weather;
