//! The Memcached cache for async callers. Entries, requests and decisions are those of the blocking
//! cache.

mod cache;
mod link;
mod server;

pub use cache::{AsyncMemCached, AsyncPrefixedMemCached, AsyncRawMemCached};
pub(super) use server::AsyncServer;
