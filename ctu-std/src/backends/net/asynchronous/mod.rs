//! The async driver: connections that many tasks share.
//!
//! Requests of all tasks go out in the order in which they are queued, and replies come back in the same
//! order (pipelining). One task a connection, the driver, reads and writes; a caller only queues its
//! request and waits. So a caller that is dropped at any point leaves the order of replies as it is: its
//! reply is read and dropped. All decisions about retries are those of the blocking pool (`retry.rs`).

mod connections;
mod driver;
mod entry;
mod join;
mod large_reads;
mod large_writes;
mod multiplexed;
mod sent;
mod stream;

pub(crate) use connections::{AsyncConnect, Connections, Outgoing};
pub(crate) use join::join_all;
pub(crate) use multiplexed::Multiplexed;
pub(crate) use stream::AsyncStream;
