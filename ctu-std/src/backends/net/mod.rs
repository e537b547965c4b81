//! What every network backend needs and no protocol knows: sockets whose operations end within a
//! deadline, and a pool that throws away what failed and repeats what is safe to repeat.

mod address;
mod conversation;
mod deadline;
mod digits;
mod endpoint;
mod error;
mod limits;
mod peer;
mod pool;
mod reader;
mod reads;
mod resolve;
mod server_info;
mod socket;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod url;

pub(crate) use address::Address;
pub(crate) use conversation::Unsent;
pub(crate) use deadline::Deadline;
pub(crate) use digits::{push_number, read_number};
pub(crate) use endpoint::{Dialer, Endpoint};
pub use error::NetError;
pub(crate) use error::one_line;
pub(crate) use limits::Limits;
pub use peer::Peer;
#[cfg(feature = "cluster")]
pub(crate) use pool::Lease;
pub(crate) use pool::{Connect, Connection, Failure, Fate, Pool, Repeat, Work};
#[cfg(all(test, feature = "redis"))]
pub(crate) use reader::CHUNK;
pub(crate) use reader::Reader;
#[cfg(feature = "redis")]
pub(crate) use reader::garbage;
pub(crate) use reads::Reads;
pub use server_info::ServerInfo;
pub(crate) use stream::Stream;
#[cfg(feature = "redis")]
pub(crate) use url::shown;
pub(crate) use url::{Fault, Url};
