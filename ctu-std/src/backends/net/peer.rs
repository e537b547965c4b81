use std::{fmt, sync::Arc};

/// A server that an error tells of. Shown as `Redis at 127.0.0.1:6379`.
///
/// ```
/// use ctu_std::{MemCachedError, NetError};
/// /// The address of the server that did not answer.
/// fn late_server(error: &NetError) -> Option<&str> {
///     match error {
///         NetError::TimedOut { server, .. } => Some(server.address()),
///         _ => None,
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    service: &'static str,
    address: Arc<str>,
}

impl Peer {
    /// The server of this kind at `address`.
    pub(crate) fn new(service: &'static str, address: &Arc<str>) -> Self {
        Self {
            service,
            address: address.clone(),
        }
    }

    /// The kind of the server: `Redis` or `Memcached`.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Host and port, or path.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, address } = self;
        write!(f, "{service} at {address}")
    }
}
