//! `ConcurrentCache` among threads and as a first level, and every cache of capacity 0.

mod capacity_zero;
mod checker;
mod first_level_removals;
