//! The stores of `ctu-core` against models, with panics in user code, under threads, and as data.

mod adaptive;
mod adaptive_ttl;
mod arena;
mod hash_panics;
mod hostile_types;
mod lock_hold;
mod lru;
mod serialised;
mod threads;
mod ttl;
mod unordered;
