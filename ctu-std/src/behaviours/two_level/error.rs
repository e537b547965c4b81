use ctu_core::{CacheError, Error};
use std::fmt;

/// Why an operation of a [`TwoLevelCache`](crate::TwoLevelCache) failed, and at which level.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TwoLevelError<A, B> {
    /// A mapping on the cache refused the key or value. Nothing was changed.
    Core(Error),
    /// The first level failed. What an operation does to the second level is done.
    First(A),
    /// The second level failed.
    Second(B),
}

impl<A, B> From<Error> for TwoLevelError<A, B> {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl<A: fmt::Display, B: fmt::Display> fmt::Display for TwoLevelError<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => error.fmt(f),
            Self::First(error) => write!(f, "first level: {error}"),
            Self::Second(error) => write!(f, "second level: {error}"),
        }
    }
}

// The message shows the inner error, so that is not a source too.
impl<A: std::error::Error, B: std::error::Error> std::error::Error for TwoLevelError<A, B> {}

impl<A: CacheError, B: CacheError> CacheError for TwoLevelError<A, B> {
    fn as_core(&self) -> Option<Error> {
        match self {
            Self::Core(error) => Some(*error),
            Self::First(error) => error.as_core(),
            Self::Second(error) => error.as_core(),
        }
    }

    fn is_outage(&self) -> bool {
        match self {
            Self::Core(_) => false,
            Self::First(error) => error.is_outage(),
            Self::Second(error) => error.is_outage(),
        }
    }

    fn is_overload(&self) -> bool {
        match self {
            Self::Core(_) => false,
            Self::First(error) => error.is_overload(),
            Self::Second(error) => error.is_overload(),
        }
    }
}
