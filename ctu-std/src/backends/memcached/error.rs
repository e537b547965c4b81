//! The errors of Memcached caches.

use crate::backends::net::{ConnectionError, Disposition, NetError, Peer, one_line};
use ctu_core::{CacheError, Error};
use std::{fmt, io, sync::Arc, time::Duration};

/// Why an operation of a [`MemCached`](crate::MemCached) failed.
///
/// Every message is one line. None holds a key or a value.
/// After a lost connection or a late answer, the effect of the request is unknown: the server may have
/// run it, or may run it later. A server that hangs runs its waiting requests when it goes on, after
/// later requests on other connections.
///
/// ```
/// use ctu_std::{MemCached, MemCachedError};
/// let error = MemCached::builder("http://localhost").raw().build().unwrap_err();
/// assert!(matches!(error, MemCachedError::Address(_)));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MemCachedError {
    /// A key, value or time-to-live that does not fit, or a value of another kind than expected.
    /// Nothing was changed.
    Core(Error),
    /// A stored value is not of the type asked for: another program or another version wrote it.
    /// [`as_core`](CacheError::as_core) is [`Error::Decode`].
    Decode {
        /// Host and port, or path.
        server: Arc<str>,
        /// The reason, such as a field that is missing. It holds no part of the value.
        reason: Box<str>,
    },
    /// The address is not one of a Memcached server; the text names the fault.
    Address(String),
    /// The server cannot be reached or understood, or has no time for this client.
    Net(NetError),
    /// The server is out of memory, and was told not to evict (`-M`) or has nothing to evict.
    OutOfMemory {
        /// Host and port, or path.
        server: Arc<str>,
    },
    /// The server takes only smaller values (`-I`). The previous entry is gone.
    /// See [`max_item`](crate::MemCachedBuilder::max_item).
    TooLarge {
        /// Host and port, or path.
        server: Arc<str>,
    },
    /// The server cannot run the request now (`SERVER_ERROR`): a proxy reports it while the server behind
    /// it is down.
    NotReady {
        /// Host and port, or path.
        server: Arc<str>,
        /// The text of the server.
        message: String,
    },
    /// Any other error that the server reports.
    Server {
        /// Host and port, or path.
        server: Arc<str>,
        /// The text of the server.
        message: String,
    },
}

impl MemCachedError {
    /// The error of connecting to `server` within `after`.
    pub(super) fn connecting(server: &Arc<str>, after: Duration, error: &io::Error) -> Self {
        NetError::connecting(peer(server), after, error).into()
    }

    /// The error of an operation on `server`, which had `after` to answer.
    #[cfg(feature = "memcached-client")]
    pub(super) fn talking(server: &Arc<str>, after: Duration, error: &io::Error) -> Self {
        NetError::talking(peer(server), after, error).into()
    }

    #[cfg(feature = "memcached-client")]
    pub(super) fn protocol(server: &Arc<str>, what: &'static str) -> Self {
        let server = peer(server);
        NetError::Protocol { server, what }.into()
    }

    /// The error that the server reports in `line`, if the line is one.
    pub(super) fn reported(server: &Arc<str>, line: &[u8]) -> Option<Self> {
        let (word, told) = ["SERVER_ERROR", "CLIENT_ERROR", "ERROR"]
            .iter()
            .find_map(|word| Some((*word, line.strip_prefix(word.as_bytes())?.trim_ascii())))?;
        let server = server.clone();
        let starts = |text: &str| told.starts_with(text.as_bytes());
        Some(if starts("Too many open connections") {
            let server = peer(&server);
            NetError::TooManyClients { server }.into()
        } else if starts("object too large") {
            Self::TooLarge { server }
        } else if starts("out of memory") || starts("Out of memory") {
            Self::OutOfMemory { server }
        } else {
            let message = one_line(&String::from_utf8_lossy(line));
            match word {
                "SERVER_ERROR" => Self::NotReady { server, message },
                _ => Self::Server { server, message },
            }
        })
    }
}

impl MemCachedError {
    /// Whether the server, or a proxy before it, may have met a command that it does not know.
    pub(super) fn may_be_refusal(&self) -> bool {
        match self {
            Self::Net(error) => {
                matches!(error, NetError::Lost { .. } | NetError::EntryRefused { .. })
            }
            Self::Server { message, .. } => message == "ERROR",
            _ => false,
        }
    }
}

/// The Memcached server at `address`.
pub(super) fn peer(address: &Arc<str>) -> Peer {
    Peer::new("Memcached", address)
}

impl ConnectionError for MemCachedError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Net(error) => error.disposition(),
            // The rest of the value is still in transit.
            Self::Core(Error::StoredTooLong { .. }) => Disposition::Close,
            Self::Core(_)
            | Self::Decode { .. }
            | Self::OutOfMemory { .. }
            | Self::TooLarge { .. }
            | Self::NotReady { .. } => Disposition::Reuse,
            // Requests are well formed: where the server sees an error in one, the two are out of step.
            Self::Server { .. } | Self::Address(_) => Disposition::Close,
        }
    }
}

impl CacheError for MemCachedError {
    fn as_core(&self) -> Option<Error> {
        match self {
            Self::Core(error) => Some(*error),
            Self::Decode { .. } => Some(Error::Decode("a value of the type asked for")),
            _ => None,
        }
    }

    /// Whether the server or the way to it is at fault, so that the same operation may succeed
    /// later; the others are faults of the caller and stay.
    fn is_outage(&self) -> bool {
        match self {
            Self::Net(error) => error.is_outage(),
            Self::OutOfMemory { .. } | Self::NotReady { .. } => true,
            Self::Core(_)
            | Self::Decode { .. }
            | Self::Address(_)
            | Self::TooLarge { .. }
            | Self::Server { .. } => false,
        }
    }

    /// Whether the operation found no free connection in time.
    fn is_overload(&self) -> bool {
        matches!(self, Self::Net(error) if error.is_overload())
    }

    /// Whether the stored value is corrupt: it cannot be decoded, it is above the read limit, or the
    /// server closes the connection at its transfer.
    fn is_corrupt(&self) -> bool {
        match self {
            Self::Net(error) => matches!(error, NetError::EntryRefused { .. }),
            error => error.as_core().is_some_and(|error| error.is_corrupt()),
        }
    }
}

impl From<NetError> for MemCachedError {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

impl From<Error> for MemCachedError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl fmt::Display for MemCachedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => error.fmt(f),
            Self::Decode { server, reason } => {
                write!(
                    f,
                    "cannot decode a value of Memcached at {server}: {reason}"
                )
            }
            Self::Net(error) => error.fmt(f),
            Self::Address(what) => write!(f, "not the address of a Memcached server: {what}"),
            Self::OutOfMemory { server } => write!(f, "Memcached at {server} is out of memory"),
            Self::TooLarge { server } => {
                write!(f, "value larger than Memcached at {server} takes")
            }
            Self::NotReady { server, message } => {
                write!(f, "Memcached at {server} is not ready: {message}")
            }
            Self::Server { server, message } => write!(f, "Memcached at {server} says: {message}"),
        }
    }
}

// The message contains that of the inner error, so the inner error is not a source as well.
impl std::error::Error for MemCachedError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_errors_are_classified() {
        let server: Arc<str> = "s".into();
        let reported = |line: &str| MemCachedError::reported(&server, line.as_bytes());
        let owned = || server.clone();
        assert_eq!(reported("STORED"), None);
        assert_eq!(
            reported("ERROR Too many open connections"),
            Some(
                NetError::TooManyClients {
                    server: peer(&server)
                }
                .into()
            )
        );
        assert_eq!(
            reported("SERVER_ERROR object too large for cache"),
            Some(MemCachedError::TooLarge { server: owned() })
        );
        assert_eq!(
            reported("SERVER_ERROR out of memory storing object"),
            Some(MemCachedError::OutOfMemory { server: owned() })
        );
        let down = reported("SERVER_ERROR backend\ttimeout").unwrap();
        let shown = "Memcached at s is not ready: SERVER_ERROR backend timeout";
        assert_eq!(down.to_string(), shown);
        assert!(down.is_outage() && down.disposition() == Disposition::Reuse);
        for line in ["CLIENT_ERROR bad data chunk", "ERROR"] {
            let error = reported(line).unwrap();
            assert!(!error.is_outage() && error.disposition() == Disposition::Close);
        }
        let other = reported("CLIENT_ERROR bad\tdata chunk").map(|error| error.to_string());
        let shown = "Memcached at s says: CLIENT_ERROR bad data chunk";
        assert_eq!(other.as_deref(), Some(shown));
    }
}
