//! The failures of a connection, for all protocols.

use super::{ConnectionError, Disposition, Malformed, Peer};
use std::{fmt, io, time::Duration};

/// The failure to reach or to understand a server, for every protocol.
///
/// Errors of all backends wrap it, so that one pattern matches failures of the network:
/// `RedisError::Net`, `MemCachedError::Net`.
/// Every message is one line and names the server. After a lost connection or a late answer, the server
/// may have run the request, or may run it later.
///
/// ```
/// use ctu_std::{Cache, NetError, RedisCache, RedisError};
///
/// fn retry_later(error: &NetError) -> bool {
///     matches!(error, NetError::TimedOut { .. } | NetError::PoolTimedOut { .. })
/// }
/// let cache = RedisCache::builder("unix:///nowhere/redis.sock").raw().build()?;
/// let Err(RedisError::Net(error)) = cache.get(b"key") else {
///     panic!("there is a server");
/// };
/// assert!(!retry_later(&error));
/// assert_eq!(error.server().to_string(), "Redis at /nowhere/redis.sock");
/// assert_eq!(error.to_string(), "no Redis at /nowhere/redis.sock: entity not found");
/// # Ok::<(), RedisError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NetError {
    /// There is no connection to be had: refused, no such host, no such socket, no TLS.
    Unreachable {
        /// The server.
        server: Peer,
        /// The kind of the failure.
        kind: io::ErrorKind,
        /// The message of the operating system.
        why: String,
    },
    /// The connection broke before the answer was complete.
    Lost {
        /// The server.
        server: Peer,
        /// The kind of the failure.
        kind: io::ErrorKind,
    },
    /// No answer within the deadline.
    TimedOut {
        /// The server.
        server: Peer,
        /// The deadline that passed.
        after: Duration,
    },
    /// Every connection to the server was in use for too long: the deadline passed in the queue for one,
    /// or more than half of it, so that the server had no fair time to answer. Not an outage of the
    /// server, but an [overload](ctu_core::CacheError::is_overload) of this program.
    PoolTimedOut {
        /// The server.
        server: Peer,
        /// The size of the pool; `None` where it is unknown, as of a `memcache::Client`.
        size: Option<usize>,
        /// The deadline that passed.
        after: Duration,
    },
    /// The server closes the connection at the transfer of this entry, and answers other requests: the
    /// connection was lost twice in a row, and a fresh one works. The size of the entry is probably
    /// above a limit of the server (`client-query-buffer-limit` or `client-output-buffer-limit` of
    /// Redis) or of a proxy before it. Not an outage.
    EntryRefused {
        /// The server.
        server: Peer,
    },
    /// The server has as many clients as it allows (`maxclients` of Redis, `-c` of Memcached).
    TooManyClients {
        /// The server.
        server: Peer,
    },
    /// The reply is not a valid one to the request.
    Protocol {
        /// The server.
        server: Peer,
        /// The fault of the reply.
        what: &'static str,
    },
}

/// The fault of a reply that no such server sends to its request.
pub(crate) const NO_SENSE: Malformed = Malformed("its answer makes no sense");

impl NetError {
    /// The server at the other end.
    #[must_use]
    pub fn server(&self) -> &Peer {
        match self {
            Self::Unreachable { server, .. }
            | Self::Lost { server, .. }
            | Self::TimedOut { server, .. }
            | Self::PoolTimedOut { server, .. }
            | Self::EntryRefused { server }
            | Self::TooManyClients { server }
            | Self::Protocol { server, .. } => server,
        }
    }

    /// The error of connecting to `server` within `after`.
    pub(crate) fn connecting(server: Peer, after: Duration, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::TimedOut { server, after },
            kind => Self::Unreachable {
                server,
                kind,
                // The system's messages end in a number, which says less.
                why: match error.raw_os_error() {
                    Some(_) => kind.to_string(),
                    None => error.to_string(),
                },
            },
        }
    }

    /// The error of an exchange with `server` within `after`.
    pub(crate) fn talking(server: Peer, after: Duration, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::TimedOut { server, after },
            io::ErrorKind::InvalidData => Self::malformed(server, NO_SENSE),
            // In TLS 1.3 a rejected client certificate surfaces only at the first read after the
            // handshake.
            io::ErrorKind::ConnectionRefused => Self::connecting(server, after, error),
            kind => Self::Lost { server, kind },
        }
    }

    /// The error of a reply that no such server sends.
    pub(crate) fn malformed(server: Peer, Malformed(what): Malformed) -> Self {
        Self::Protocol { server, what }
    }

    /// The error of bytes that belong to no request.
    pub(crate) fn unasked_bytes(server: Peer) -> Self {
        let what = "it says more than it was asked";
        Self::Protocol { server, what }
    }

    /// Whether the server or the way to it is at fault.
    pub(crate) fn is_outage(&self) -> bool {
        !matches!(self, Self::PoolTimedOut { .. } | Self::EntryRefused { .. })
    }

    /// Whether this program has more operations under way than connections.
    pub(crate) fn is_overload(&self) -> bool {
        matches!(self, Self::PoolTimedOut { .. })
    }
}

impl ConnectionError for NetError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Lost { .. } => Disposition::Lost,
            Self::TimedOut { .. } => Disposition::Silent,
            // The connection is the one that answered after the loss.
            Self::EntryRefused { .. } => Disposition::Reuse,
            Self::Unreachable { .. }
            | Self::PoolTimedOut { .. }
            | Self::TooManyClients { .. }
            | Self::Protocol { .. } => Disposition::Close,
        }
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { server, why, .. } => write!(f, "no {server}: {why}"),
            Self::Lost { server, kind } => write!(f, "connection to {server} lost: {kind}"),
            Self::TimedOut { server, after } => {
                write!(f, "{server} did not answer within {after:?}")
            }
            Self::PoolTimedOut {
                server,
                size,
                after,
            } => {
                f.write_str("all ")?;
                if let Some(size) = size {
                    write!(f, "{size} ")?;
                }
                write!(
                    f,
                    "connections to {server} were in use for too long; deadline {after:?}"
                )
            }
            Self::EntryRefused { server } => write!(
                f,
                "{server} closes the connection at this entry: see its limits of size"
            ),
            Self::TooManyClients { server } => write!(f, "{server} takes no more clients"),
            Self::Protocol { server, what } => {
                let (address, service) = (server.address(), server.service());
                write!(f, "{address} does not answer as {service} does: {what}")
            }
        }
    }
}

impl std::error::Error for NetError {}

/// The text of a server for a message: control characters become blanks.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_millis(250);

    fn server() -> Peer {
        Peer::new("Redis", &"[::1]:7".into())
    }

    #[test]
    fn messages_are_one_line_with_the_server() {
        let lost = NetError::talking(server(), AFTER, &io::ErrorKind::ConnectionReset.into());
        let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "no luck");
        let none = NetError::connecting(server(), AFTER, &refused);
        assert_eq!(NetError::talking(server(), AFTER, &refused), none);
        let late = NetError::talking(server(), AFTER, &io::ErrorKind::TimedOut.into());
        let busy = NetError::PoolTimedOut {
            server: server(),
            size: Some(16),
            after: AFTER,
        };
        let full = NetError::TooManyClients { server: server() };
        let odd = NetError::talking(server(), AFTER, &io::ErrorKind::InvalidData.into());
        for (error, message) in [
            (&none, "no Redis at [::1]:7: no luck"),
            (
                &lost,
                "connection to Redis at [::1]:7 lost: connection reset",
            ),
            (&late, "Redis at [::1]:7 did not answer within 250ms"),
            (
                &busy,
                "all 16 connections to Redis at [::1]:7 were in use for too long; deadline 250ms",
            ),
            (&full, "Redis at [::1]:7 takes no more clients"),
            (
                &odd,
                "[::1]:7 does not answer as Redis does: its answer makes no sense",
            ),
        ] {
            assert_eq!(error.to_string(), message);
            assert_eq!(error.server(), &server());
            assert_eq!(error.is_outage(), error != &busy);
            assert_eq!(error.is_overload(), error == &busy);
            let again = error.disposition() == Disposition::Lost;
            assert_eq!(again, error == &lost, "{error}");
        }
    }

    #[test]
    fn connect_timeout_is_timed_out() {
        let late = NetError::connecting(server(), AFTER, &io::ErrorKind::TimedOut.into());
        let expected = NetError::TimedOut {
            server: server(),
            after: AFTER,
        };
        assert_eq!(late, expected);
    }

    #[test]
    fn server_text_stays_on_one_line() {
        assert_eq!(one_line("a\r\nb\tc é"), "a  b c é");
    }
}
