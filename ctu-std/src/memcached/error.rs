use crate::net::{Failure, Fate};
use ctu_core::{CacheError, Error};
use std::{fmt, io, sync::Arc, time::Duration};

/// Why an operation of a [`MemCached`](crate::MemCached) failed.
///
/// Every message is one line. None holds a key or a value.
/// Where an error says that a connection was lost or an answer came too late, the server may or may
/// not have done what it was asked to.
///
/// ```
/// use ctu_std::{MemCached, MemCachedError};
/// let error = MemCached::builder("http://localhost").raw().build().unwrap_err();
/// assert!(matches!(error, MemCachedError::Address(_)));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemCachedError {
    /// A key, value or time-to-live that does not fit, or a value of another kind than expected.
    /// Nothing was changed.
    Core(Error),
    /// The address is not one of a Memcached server; the text says what is wrong with it.
    Address(String),
    /// There is no connection to be had: refused, no such host, no such socket.
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
    /// Every connection to the server was in use until the deadline.
    PoolTimedOut {
        /// Host and port, or path.
        server: Arc<str>,
        /// How many connections there are.
        size: usize,
        /// The deadline that passed.
        after: Duration,
    },
    /// The server has as many clients as it allows (`-c`).
    TooManyClients {
        /// Host and port, or path.
        server: Arc<str>,
    },
    /// The server is out of memory, and was told not to evict (`-M`) or has nothing to evict.
    OutOfMemory {
        /// Host and port, or path.
        server: Arc<str>,
    },
    /// The server takes only smaller values (`-I`). What was there before is gone.
    /// See [`max_item`](crate::MemCachedBuilder::max_item).
    TooLarge {
        /// Host and port, or path.
        server: Arc<str>,
    },
    /// Any other error that the server reports.
    Server {
        /// Host and port, or path.
        server: Arc<str>,
        /// What it says.
        message: String,
    },
    /// What came back is not what a Memcached server answers to this.
    Protocol {
        /// Host and port, or path.
        server: Arc<str>,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl MemCachedError {
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

    fn timed_out(server: &Arc<str>, after: Duration) -> Self {
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

    /// What the server reports in `line`, if that is what it is.
    pub(super) fn reported(server: &Arc<str>, line: &[u8]) -> Option<Self> {
        let told = ["SERVER_ERROR", "CLIENT_ERROR", "ERROR"]
            .iter()
            .find_map(|word| line.strip_prefix(word.as_bytes()))?;
        let server = server.clone();
        let starts = |text: &str| told.trim_ascii().starts_with(text.as_bytes());
        Some(if starts("Too many open connections") {
            Self::TooManyClients { server }
        } else if starts("object too large") {
            Self::TooLarge { server }
        } else if starts("out of memory") || starts("Out of memory") {
            Self::OutOfMemory { server }
        } else {
            let message = one_line(line);
            Self::Server { server, message }
        })
    }
}

fn one_line(text: &[u8]) -> String {
    let one = |char: char| if char.is_control() { ' ' } else { char };
    String::from_utf8_lossy(text).chars().map(one).collect()
}

impl Failure for MemCachedError {
    fn fate(&self) -> Fate {
        match self {
            Self::Lost { .. } => Fate::Lost,
            Self::Core(_) | Self::OutOfMemory { .. } | Self::TooLarge { .. } => Fate::Keep,
            // Requests are well formed: where the server sees an error in one, the two are out of step.
            Self::Server { .. }
            | Self::TooManyClients { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::PoolTimedOut { .. }
            | Self::Protocol { .. }
            | Self::Address(_) => Fate::Discard,
        }
    }
}

impl CacheError for MemCachedError {
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
            | Self::OutOfMemory { .. }
            | Self::Protocol { .. } => true,
            Self::Core(_) | Self::Address(_) | Self::TooLarge { .. } | Self::Server { .. } => false,
        }
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
            Self::Address(what) => write!(f, "not the address of a Memcached server: {what}"),
            Self::Unreachable { server, why, .. } => write!(f, "no Memcached at {server}: {why}"),
            Self::Lost { server, kind } => {
                write!(f, "connection to Memcached at {server} lost: {kind}")
            }
            Self::TimedOut { server, after } => {
                write!(f, "Memcached at {server} did not answer within {after:?}")
            }
            Self::PoolTimedOut {
                server,
                size,
                after,
            } => write!(
                f,
                "all {size} connections to Memcached at {server} were in use for {after:?}"
            ),
            Self::TooManyClients { server } => {
                write!(f, "Memcached at {server} takes no more clients")
            }
            Self::OutOfMemory { server } => write!(f, "Memcached at {server} is out of memory"),
            Self::TooLarge { server } => {
                write!(f, "value larger than Memcached at {server} takes")
            }
            Self::Server { server, message } => write!(f, "Memcached at {server} says: {message}"),
            Self::Protocol { server, what } => {
                write!(f, "{server} does not answer as Memcached does: {what}")
            }
        }
    }
}

impl std::error::Error for MemCachedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Core(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_reports_is_told_apart() {
        let server: Arc<str> = "s".into();
        let reported = |line: &str| MemCachedError::reported(&server, line.as_bytes());
        let owned = || server.clone();
        assert_eq!(reported("STORED"), None);
        assert_eq!(
            reported("ERROR Too many open connections"),
            Some(MemCachedError::TooManyClients { server: owned() })
        );
        assert_eq!(
            reported("SERVER_ERROR object too large for cache"),
            Some(MemCachedError::TooLarge { server: owned() })
        );
        assert_eq!(
            reported("SERVER_ERROR out of memory storing object"),
            Some(MemCachedError::OutOfMemory { server: owned() })
        );
        let other = reported("CLIENT_ERROR bad\tdata chunk").map(|error| error.to_string());
        let shown = "Memcached at s says: CLIENT_ERROR bad data chunk";
        assert_eq!(other.as_deref(), Some(shown));
    }
}
