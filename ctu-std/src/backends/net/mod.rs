//! The parts of every network backend that know no protocol: sockets whose operations end within a
//! deadline, and a pool that closes failed connections and retries the operations that are safe to
//! repeat.

mod address;
#[cfg(feature = "tokio")]
mod asynchronous;
mod deadline;
mod digits;
mod endpoint;
mod error;
mod exchange;
mod input;
mod limits;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod options;
mod parser;
mod peer;
mod pool;
mod reads;
mod resolve;
mod retry;
mod server_info;
mod socket;
#[cfg(any(feature = "redis", feature = "tokio"))]
mod spread;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod url;

pub(crate) use address::Address;
#[cfg(feature = "tokio")]
pub(crate) use asynchronous::{
    AsyncConnect, AsyncStream, Connections, Multiplexed, Outgoing, join_all,
};
pub(crate) use deadline::Deadline;
pub(crate) use digits::{push_number, read_number};
pub(crate) use endpoint::{Dialer, Endpoint};
pub use error::NetError;
pub(crate) use error::{NO_SENSE, one_line};
pub(crate) use exchange::Unsent;
#[cfg(all(test, feature = "redis"))]
pub(crate) use input::CHUNK;
pub(crate) use input::{Input, Malformed};
pub(crate) use limits::Limits;
#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) use options::network_options;
pub(crate) use parser::Parser;
pub use peer::Peer;
#[cfg(feature = "cluster")]
pub(crate) use pool::Lease;
pub(crate) use pool::{Connect, Connection, Pool};
pub(crate) use reads::Reads;
#[cfg(feature = "tokio")]
use retry::LARGE;
pub(crate) use retry::{Attempts, ConnectionError, Disposition, Repeat, Work};
pub use server_info::ServerInfo;
#[cfg(any(feature = "redis", feature = "tokio"))]
pub(crate) use spread::connection_of;
pub(crate) use stream::Stream;
#[cfg(feature = "cluster")]
pub(crate) use stream::wait_for_any;
#[cfg(feature = "redis")]
pub(crate) use url::shown;
pub(crate) use url::{Fault, Url};
