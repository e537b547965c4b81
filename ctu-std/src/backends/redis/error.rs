//! The errors of Redis caches.

use crate::backends::net::{ConnectionError, Disposition, NO_SENSE, NetError, Peer, one_line};
use ctu_core::{CacheError, Error};
use std::{fmt, io, sync::Arc, time::Duration};

/// Codes of replies by which a server refuses a command since it is not the master, or no longer: after
/// a failover, the name of the master leads to another server. `READONLY` has an error of its own.
const DEMOTED: [&str; 4] = [
    // A master that became a replica loads the data of the new master.
    "LOADING",
    // A replica that lost its master, and does not serve stale data.
    "MASTERDOWN",
    // A master that lost its replicas: the other side of a split has elected another.
    "NOREPLICAS",
    // A role that changed while the command waited.
    "UNBLOCKED",
];

/// The code of the reply to a script by its hash that the server lacks.
const NOSCRIPT: &str = "NOSCRIPT";

/// Why an operation of a [`RedisCache`](crate::RedisCache) failed.
///
/// Every message is one line. None holds a password, a key or a value.
/// After a lost connection or a late answer, the effect of the request is unknown: the server may have
/// run it, or may run it later. A server that hangs runs its waiting requests when it goes on, after
/// later requests on other connections.
///
/// ```
/// use ctu_std::{RedisCache, RedisError};
/// let error = RedisCache::builder("http://localhost").raw().build().unwrap_err();
/// assert!(matches!(error, RedisError::Url(_)));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RedisError {
    /// A key, value or time-to-live that does not fit, or a value of another kind than expected.
    /// Nothing was changed, but by [`pop`](ctu_core::Cache::pop): a value that it cannot read is gone.
    Core(Error),
    /// A stored value is not of the type asked for: another program or another version wrote it.
    /// [`as_core`](CacheError::as_core) is [`Error::Decode`].
    Decode {
        /// Host and port, or path; of several servers, all.
        server: Arc<str>,
        /// The reason, such as a field that is missing. It holds no part of the value.
        reason: Box<str>,
    },
    /// The address is not one of a Redis server; the text names the fault.
    Url(String),
    /// The server cannot be reached or understood, or has no time for this client.
    Net(NetError),
    /// A wrong user or password, or none where one is needed.
    Auth {
        /// Host and port, or path.
        server: Arc<str>,
    },
    /// This user may not do this (ACL).
    Denied {
        /// The text of the server.
        message: String,
    },
    /// The server is a replica, which cannot be written to.
    ReadOnly {
        /// Host and port, or path.
        server: Arc<str>,
    },
    /// The server is out of memory and is told not to evict (`maxmemory-policy noeviction`).
    OutOfMemory {
        /// Host and port, or path.
        server: Arc<str>,
    },
    /// The server is not ready: it loads its data, cannot save it, or its cluster or master is down.
    NotReady {
        /// Host and port, or path.
        server: Arc<str>,
        /// The first word of the text of the server, such as `LOADING`.
        code: String,
        /// The rest of it.
        message: String,
    },
    /// A node of a cluster or a sentinel names another server, which
    /// [`allowed_nodes`](crate::RedisBuilder::allowed_nodes) refuses. Nothing was sent there.
    NodeNotAllowed {
        /// The nodes or sentinels that name it: host and port.
        server: Arc<str>,
        /// The node that is refused.
        node: String,
    },
    /// An entry and one of its tags are in different slots of the cluster, which no request spans. Nothing
    /// was sent. Both need the same `{hash tag}`: in the prefix of the cache, or in the key and the tag.
    TagInOtherSlot,
    /// The key holds something other than a string: a list, a hash, ...
    WrongType,
    /// Any other error that the server reports.
    Server {
        /// Its first word, such as `ERR`.
        code: String,
        /// The rest of it.
        message: String,
    },
}

impl RedisError {
    /// The error of connecting to `server` within `after`.
    pub(super) fn connecting(server: &Arc<str>, after: Duration, error: &io::Error) -> Self {
        NetError::connecting(peer(server), after, error).into()
    }

    pub(super) fn timed_out(server: &Arc<str>, after: Duration) -> Self {
        let server = peer(server);
        NetError::TimedOut { server, after }.into()
    }

    pub(super) fn protocol(server: &Arc<str>, what: &'static str) -> Self {
        let server = peer(server);
        NetError::Protocol { server, what }.into()
    }

    /// The error of a request with these errors among its replies: the first one, unless the server lacks a
    /// script. The request is then sent again.
    pub(super) fn of_replies<'e>(
        server: &Arc<str>,
        errors: impl Iterator<Item = &'e redis::ServerError> + Clone,
    ) -> Option<Self> {
        let missing_script = errors.clone().find(|error| error.code() == NOSCRIPT);
        let error = missing_script.or_else(|| errors.clone().next())?;
        Some(Self::reported(server, error))
    }

    /// Whether the server lacks a script that the request names by its hash.
    pub(super) fn is_missing_script(&self) -> bool {
        matches!(self, Self::Server { code, .. } if code == NOSCRIPT)
    }

    /// The error that the server reports.
    pub(super) fn reported(server: &Arc<str>, error: &redis::ServerError) -> Self {
        let server = server.clone();
        // A server that does not know a command repeats its arguments: a key, a password.
        let details = error.details().unwrap_or_default();
        let message = || one_line(details.split(", with args").next().unwrap_or_default());
        match error.code() {
            "NOAUTH" | "WRONGPASS" => Self::Auth { server },
            "NOPERM" => Self::Denied { message: message() },
            "READONLY" => Self::ReadOnly { server },
            "OOM" => Self::OutOfMemory { server },
            "WRONGTYPE" => Self::WrongType,
            "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "BUSY" | "MISCONF"
            | "NOREPLICAS" | "UNBLOCKED" => Self::NotReady {
                server,
                code: error.code().to_owned(),
                message: message(),
            },
            "ERR" if details.starts_with("max number of clients") => {
                let server = peer(&server);
                NetError::TooManyClients { server }.into()
            }
            code => Self::Server {
                code: one_line(code),
                message: message(),
            },
        }
    }

    /// The error of a connection of the `redis` crate, which had `after` to reply.
    pub(super) fn external(error: &redis::RedisError, server: &Arc<str>, after: Duration) -> Self {
        if error.is_timeout() {
            return Self::timed_out(server, after);
        }
        if error.is_io_error() || error.is_connection_dropped() {
            let lost = NetError::Lost {
                server: peer(server),
                kind: io::ErrorKind::ConnectionAborted,
            };
            return lost.into();
        }
        let errors = error.clone().into_server_errors().unwrap_or_default();
        let reported = Self::of_replies(server, errors.iter().map(|(_, error)| error));
        reported.unwrap_or_else(|| NetError::malformed(peer(server), NO_SENSE).into())
    }

    /// This error of a server, as the reply to a login.
    pub(super) fn of_login(self, server: &Arc<str>) -> Self {
        match self {
            // "ERR AUTH called without any password configured".
            Self::Server { message, .. } if message.contains("AUTH") => Self::Auth {
                server: server.clone(),
            },
            error => error,
        }
    }

    /// Whether the server closes the connection after this error.
    pub(super) fn is_last(&self) -> bool {
        match self {
            Self::Net(NetError::TooManyClients { .. }) => true,
            Self::Server { code, message } => match code.as_str() {
                "ERR" => message.starts_with("Protocol error"),
                // For clients on other machines (`protected-mode`).
                code => code == "DENIED",
            },
            _ => false,
        }
    }
}

/// The Redis server at `address`.
pub(super) fn peer(address: &Arc<str>) -> Peer {
    Peer::new("Redis", address)
}

impl ConnectionError for RedisError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Net(error) => error.disposition(),
            // The rest of the value is still in transit.
            Self::Core(Error::StoredTooLong { .. }) => Disposition::Close,
            Self::Server { .. } if self.is_last() => Disposition::Close,
            Self::Core(_)
            | Self::Decode { .. }
            | Self::OutOfMemory { .. }
            | Self::Denied { .. }
            | Self::TagInOtherSlot
            | Self::WrongType
            | Self::Server { .. } => Disposition::Reuse,
            Self::ReadOnly { .. } => Disposition::Replaced,
            Self::NotReady { code, .. } if DEMOTED.contains(&code.as_str()) => {
                Disposition::Replaced
            }
            Self::NotReady { .. } => Disposition::Reuse,
            Self::Auth { .. } | Self::Url(_) => Disposition::Close,
            Self::NodeNotAllowed { .. } => Disposition::Reuse,
        }
    }
}

impl CacheError for RedisError {
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
            Self::Auth { .. }
            | Self::ReadOnly { .. }
            | Self::OutOfMemory { .. }
            | Self::NotReady { .. } => true,
            Self::NodeNotAllowed { .. } => true,
            Self::Core(_)
            | Self::Decode { .. }
            | Self::Url(_)
            | Self::Denied { .. }
            | Self::TagInOtherSlot
            | Self::WrongType
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

impl From<NetError> for RedisError {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

impl From<Error> for RedisError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => error.fmt(f),
            Self::Decode { server, reason } => {
                write!(f, "cannot decode a value of Redis at {server}: {reason}")
            }
            Self::Net(error) => error.fmt(f),
            Self::Url(what) => write!(f, "not the address of a Redis server: {what}"),
            Self::Auth { server } => {
                write!(f, "Redis at {server} refuses this user and password")
            }
            Self::Denied { message } => write!(f, "Redis does not allow this: {message}"),
            Self::ReadOnly { server } => write!(f, "Redis at {server} is a read-only replica"),
            Self::OutOfMemory { server } => write!(f, "Redis at {server} is out of memory"),
            Self::NotReady {
                server,
                code,
                message,
            } => {
                write!(f, "Redis at {server} is not ready: {code} {message}")
            }
            Self::NodeNotAllowed { server, node } => write!(
                f,
                "Redis at {server} refers to {node}, which `allowed_nodes` refuses"
            ),
            Self::TagInOtherSlot => {
                f.write_str("an entry of a cluster and its tags need the same {hash tag}")
            }
            Self::WrongType => f.write_str("the key holds something that no cache stored there"),
            Self::Server { code, message } => {
                write!(f, "Redis says: {code} {message}")?;
                match code.as_str() {
                    // A cache on a cluster never gets these.
                    "MOVED" | "ASK" | "CROSSSLOT" => {
                        f.write_str("; it is in a cluster: use RedisCache::cluster")
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

// The message contains that of the inner error, so the inner error is not a source as well.
impl std::error::Error for RedisError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_is_reused_unless_the_server_closes_it() {
        for (code, message, last) in [
            ("ERR", "Protocol error: invalid bulk length", true),
            ("DENIED", "Redis is running in protected mode", true),
            ("ERR", "unknown command 'GETDEL'", false),
            ("MOVED", "3999 127.0.0.1:6381", false),
        ] {
            let (code, message) = (code.into(), message.into());
            let error = RedisError::Server { code, message };
            assert_eq!(error.is_last(), last, "{error}");
            assert_eq!(error.disposition() == Disposition::Close, last, "{error}");
            assert!(!error.is_outage());
        }
    }
}
