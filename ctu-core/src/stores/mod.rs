//! Stores: caches as plain data, with one owner and no lock.
//!
//! [`Lru`] keeps entries and their recency order; [`Ttl`] adds deadlines. Both are written once,
//! over the storage of the entries: [`Inline`] keeps them in the store itself (no heap, capacity in
//! the type), `Heap` keeps them on the heap (capacity chosen at run time). Slots are dense: entry
//! `i` of `n` is in slot `i`, and a removal moves the last entry into the freed slot. [`Unordered`]
//! keeps no recency order: it evicts by CLOCK or S3-FIFO, or refuses a new key. [`Arena`] keeps keys and values of
//! different lengths in one array of bytes.
//!
//! # Capacity 0
//! A store or cache with a capacity chosen at run time may have capacity 0. It keeps nothing: every
//! write succeeds, every lookup is a miss, and a computed value goes to its caller alone. The
//! capacity of an in-place store is a type parameter from 1 to 65,535, which the compiler checks.

mod arena;
mod as_collection;
mod as_store;
mod computed;
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
#[cfg(feature = "alloc")]
pub mod policy;
mod recency;
#[cfg(feature = "serde")]
mod serial;
mod slots;
mod store;
mod sweep;
mod ticks;
mod time;
mod timeline;
mod ttl;
mod unordered;

pub use arena::{Arena, ArenaFixedCache, ArenaLruCache, ArenaRule, EvictLru};
#[cfg(feature = "alloc")]
pub use dict::DictCache;
pub use iter::{IntoIter, Iter, LiveIter};
pub use lru::{Lru, LruCache, SmallLruCache};
#[cfg(feature = "alloc")]
pub use slots::{Heap, RandomState};
pub use slots::{Inline, Slot, Slots};
pub use store::Store;
pub use sweep::Sweep;
pub use ttl::{SmallTtlCache, Ttl, TtlCache};
pub use unordered::{
    Clock, ClockCache, Evicting, FixedCache, Refuse, Rule, S3Fifo, S3FifoCache, SmallClockCache,
    SmallFixedCache, SmallS3FifoCache, Unordered,
};
