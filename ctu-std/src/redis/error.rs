use crate::net::{Failure, Fate};
use ctu_core::{CacheError, Error};
use std::{fmt, io, sync::Arc, time::Duration};

/// Why an operation of a [`RedisCache`](crate::RedisCache) failed.
///
/// Every message is one line. None holds a password, a key or a value.
/// Where an error says that a connection was lost or an answer came too late, the server may or may
/// not have done what it was asked to.
///
/// ```
/// use ctu_std::{RedisCache, RedisError};
/// let error = RedisCache::builder("http://localhost").raw().build().unwrap_err();
/// assert!(matches!(error, RedisError::Url(_)));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisError {
    /// A key, value or time-to-live that does not fit, or a value of another kind than expected.
    /// Nothing was changed.
    Core(Error),
    /// The address is not one of a Redis server; the text says what is wrong with it.
    Url(String),
    /// There is no connection to be had: refused, no such host, no such socket, no TLS.
    Unreachable {
        /// Host and port, or path.
        server: Arc<str>,
        /// What kind of failure it was.
        kind: io::ErrorKind,
        /// What the operating system says.
        why: String,
    },
    /// The connection broke before the answer was complete.
    Lost {
        /// Host and port, or path.
        server: Arc<str>,
        /// What kind of failure it was.
        kind: io::ErrorKind,
    },
    /// No answer within the deadline.
    TimedOut {
        /// Host and port, or path.
        server: Arc<str>,
        /// The deadline that passed.
        after: Duration,
    },
    /// Every connection of the pool was in use until the deadline.
    PoolTimedOut {
        /// How many connections there are.
        size: usize,
        /// The deadline that passed.
        after: Duration,
    },
    /// The server has as many clients as it allows (`maxclients`).
    TooManyClients {
        /// Host and port, or path.
        server: Arc<str>,
    },
    /// A wrong user or password, or none where one is needed.
    Auth {
        /// Host and port, or path.
        server: Arc<str>,
    },
    /// This user may not do this (ACL).
    Denied {
        /// What the server says.
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
        /// What the server says.
        message: String,
    },
    /// The key holds something other than a string: a list, a hash, ...
    WrongType,
    /// Any other error that the server reports.
    Server {
        /// Its first word, such as `ERR`.
        code: String,
        /// The rest of it.
        message: String,
    },
    /// What came back is not what a Redis server answers to this.
    Protocol {
        /// Host and port, or path.
        server: Arc<str>,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl RedisError {
    /// What failed while connecting to `server`, which had `after` to answer.
    pub(super) fn connecting(server: &Arc<str>, after: Duration, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::timed_out(server, after),
            kind => Self::Unreachable {
                server: server.clone(),
                kind,
                // The system's messages end in a number, which says less.
                why: match error.raw_os_error() {
                    Some(_) => kind.to_string(),
                    None => error.to_string(),
                },
            },
        }
    }

    /// What failed while talking to `server`, which had `after` to answer.
    pub(super) fn talking(server: &Arc<str>, after: Duration, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::timed_out(server, after),
            io::ErrorKind::InvalidData => Self::protocol(server, "its answer makes no sense"),
            kind => Self::Lost {
                server: server.clone(),
                kind,
            },
        }
    }

    pub(super) fn timed_out(server: &Arc<str>, after: Duration) -> Self {
        Self::TimedOut {
            server: server.clone(),
            after,
        }
    }

    pub(super) fn protocol(server: &Arc<str>, what: &'static str) -> Self {
        Self::Protocol {
            server: server.clone(),
            what,
        }
    }

    /// What the server reports.
    pub(super) fn reported(server: &Arc<str>, error: &redis::ServerError) -> Self {
        let server = server.clone();
        // A server that does not know a command repeats what it was given: a key, a password.
        let details = error.details().unwrap_or_default();
        let message = || one_line(details.split(", with args").next().unwrap_or_default());
        match error.code() {
            "NOAUTH" | "WRONGPASS" => Self::Auth { server },
            "NOPERM" => Self::Denied { message: message() },
            "READONLY" => Self::ReadOnly { server },
            "OOM" => Self::OutOfMemory { server },
            "WRONGTYPE" => Self::WrongType,
            "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "BUSY" | "MISCONF"
            | "NOREPLICAS" => Self::NotReady {
                server,
                message: message(),
            },
            "ERR" if details.starts_with("max number of clients") => {
                Self::TooManyClients { server }
            }
            code => Self::Server {
                code: one_line(code),
                message: message(),
            },
        }
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

impl Failure for RedisError {
    fn fate(&self) -> Fate {
        match self {
            Self::Lost { .. } => Fate::Lost,
            Self::Core(_)
            | Self::OutOfMemory { .. }
            | Self::NotReady { .. }
            | Self::Denied { .. }
            | Self::WrongType
            | Self::Server { .. } => Fate::Keep,
            // A master that became a replica: the name may lead to another server by now.
            Self::ReadOnly { .. }
            | Self::Auth { .. }
            | Self::TooManyClients { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::PoolTimedOut { .. }
            | Self::Protocol { .. }
            | Self::Url(_) => Fate::Discard,
        }
    }
}

impl CacheError for RedisError {
    fn as_core(&self) -> Option<Error> {
        match self {
            Self::Core(error) => Some(*error),
            _ => None,
        }
    }

    /// Whether the server or the way to it is at fault, so that the same operation may succeed
    /// later; the others are faults of the caller and stay.
    fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::PoolTimedOut { .. }
            | Self::TooManyClients { .. }
            | Self::Auth { .. }
            | Self::ReadOnly { .. }
            | Self::OutOfMemory { .. }
            | Self::NotReady { .. }
            | Self::Protocol { .. } => true,
            Self::Core(_)
            | Self::Url(_)
            | Self::Denied { .. }
            | Self::WrongType
            | Self::Server { .. } => false,
        }
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
            Self::Url(what) => write!(f, "not the address of a Redis server: {what}"),
            Self::Unreachable { server, why, .. } => write!(f, "no Redis at {server}: {why}"),
            Self::Lost { server, kind } => {
                write!(f, "connection to Redis at {server} lost: {kind}")
            }
            Self::TimedOut { server, after } => {
                write!(f, "Redis at {server} did not answer within {after:?}")
            }
            Self::PoolTimedOut { size, after } => write!(
                f,
                "all {size} connections to Redis were in use for {after:?}"
            ),
            Self::TooManyClients { server } => {
                write!(f, "Redis at {server} takes no more clients")
            }
            Self::Auth { server } => {
                write!(f, "Redis at {server} refuses this user and password")
            }
            Self::Denied { message } => write!(f, "Redis does not allow this: {message}"),
            Self::ReadOnly { server } => write!(f, "Redis at {server} is a read-only replica"),
            Self::OutOfMemory { server } => write!(f, "Redis at {server} is out of memory"),
            Self::NotReady { server, message } => {
                write!(f, "Redis at {server} is not ready: {message}")
            }
            Self::WrongType => f.write_str("the key holds something that no cache stored there"),
            Self::Server { code, message } => write!(f, "Redis says: {code} {message}"),
            Self::Protocol { server, what } => {
                write!(f, "{server} does not answer as Redis does: {what}")
            }
        }
    }
}

impl std::error::Error for RedisError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Core(error) => Some(error),
            _ => None,
        }
    }
}
