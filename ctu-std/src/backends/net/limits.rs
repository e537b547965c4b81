use ctu_core::Error;
use std::time::Duration;

/// How long an operation may take, and how many may be under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The time of an operation: waiting for a connection, connecting and repeating included.
    pub(crate) deadline: Duration,
    /// Connections to a server, at most.
    pub(crate) pool_size: usize,
    /// How old a connection gets at most; `None` for no limit.
    pub(crate) max_connection_age: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            pool_size: 16,
            max_connection_age: Some(Duration::from_secs(5 * 60)),
        }
    }
}

impl Limits {
    /// [`Error::OutOfRange`] for a pool of no connection.
    pub(crate) fn check(self) -> Result<Self, Error> {
        match self.pool_size {
            0 => Err(Error::OutOfRange {
                what: "pool_size",
                got: 0,
                min: 1,
                max: usize::MAX,
            }),
            _ => Ok(self),
        }
    }
}
