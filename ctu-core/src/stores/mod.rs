//! Caches as plain data.
//!
//! [`Lru`] keeps entries and their recency order; [`Ttl`] adds deadlines to it. Both are written once,
//! over where entries live: in the value itself ([`Inline`]: no heap, a capacity that the type names)
//! or on the heap (`Heap`: a capacity chosen at run time). Slots are dense: entry `i` of `n` is in
//! slot `i`, and removing one moves the last into its place, so no slot is ever empty.

mod as_collection;
mod as_store;
#[cfg(feature = "alloc")]
mod dict;
mod expiry;
#[cfg(feature = "alloc")]
mod heap;
mod index;
mod inline;
mod iter;
pub(crate) mod lru;
#[cfg(feature = "serde")]
mod serial;
mod slots;
mod ticks;
mod time;
mod timeline;
mod treap;
pub(crate) mod ttl;

#[cfg(feature = "alloc")]
pub use dict::DictCache;
#[cfg(feature = "alloc")]
pub use heap::{Heap, RandomState};
pub use inline::Inline;
pub use iter::Iter;
pub use lru::Lru;
pub use slots::Slots;
pub use ttl::Ttl;
