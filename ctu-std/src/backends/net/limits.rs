use ctu_core::Error;
use std::time::Duration;

/// Connections of a blocking pool, and those of an async cache, unless the caller sets a number: an async
/// connection carries the requests of many tasks.
const DEFAULT_POOL: usize = 16;
#[cfg(feature = "tokio")]
const DEFAULT_SHARED: usize = 4;

/// The time of an operation, and the number of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The time of an operation: waiting for a connection, connecting and repeating included.
    pub(crate) deadline: Duration,
    /// Connections to a server, at most; `None` unless the caller sets it.
    pub(crate) pool_size: Option<usize>,
    /// The age of a connection, at most; `None` for no limit.
    pub(crate) max_connection_age: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            pool_size: None,
            max_connection_age: Some(Duration::from_secs(5 * 60)),
        }
    }
}

impl Limits {
    /// The size of a blocking pool.
    pub(crate) fn pool_size(&self) -> usize {
        self.pool_size.unwrap_or(DEFAULT_POOL).max(1)
    }

    /// The number of connections that tasks share.
    #[cfg(feature = "tokio")]
    pub(crate) fn shared_connections(&self) -> usize {
        self.pool_size.unwrap_or(DEFAULT_SHARED).max(1)
    }

    /// [`Error::OutOfRange`] for a pool of no connection.
    pub(crate) fn check(self) -> Result<Self, Error> {
        match self.pool_size {
            Some(0) => Err(Error::OutOfRange {
                what: "pool_size",
                got: 0,
                min: 1,
                max: usize::MAX,
            }),
            _ => Ok(self),
        }
    }
}
