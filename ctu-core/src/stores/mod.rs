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
#[cfg(feature = "defmt")]
mod format;
mod index;
mod iter;
mod lru;
#[cfg(feature = "alloc")]
#[doc(hidden)]
pub mod on_heap;
#[cfg(feature = "serde")]
mod serial;
mod slots;
mod store;
mod ticks;
mod time;
mod timeline;
mod treap;
mod ttl;

#[cfg(feature = "alloc")]
pub use dict::DictCache;
pub use iter::Iter;
pub use lru::{Lru, LruCache};
#[cfg(feature = "alloc")]
pub use slots::{Heap, RandomState};
pub use slots::{Inline, Slots};
pub use store::Store;
pub use ttl::{Ttl, TtlCache};
