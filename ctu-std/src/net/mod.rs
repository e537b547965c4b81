//! What every network backend needs and no protocol knows: sockets whose operations end within a
//! deadline, and a pool that throws away what failed and repeats what is safe to repeat.

mod address;
mod deadline;
mod endpoint;
mod pool;
mod resolve;
mod socket;
mod stream;
#[cfg(feature = "tls")]
mod tls;

pub(crate) use address::Address;
pub(crate) use deadline::Deadline;
pub(crate) use endpoint::Endpoint;
pub(crate) use pool::{Connect, Connection, Failure, Fate, Pool, Repeat};
pub(crate) use stream::Stream;
