//! The error of two levels.

use ctu_core::{CacheError, Error};
use std::fmt;

/// The error of a [`TwoLevelCache`](crate::TwoLevelCache), with the level that failed.
///
/// ```
/// use ctu_std::{CacheError, Error, TwoLevelError};
///
/// let error = TwoLevelError::<Error, Error>::Unavailable;
/// assert!(error.is_outage());
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TwoLevelError<A, B> {
    /// A mapping on the cache rejected the key or value. Nothing was changed.
    Core(Error),
    /// The first level failed. The effect on the second level has happened.
    First(A),
    /// The second level failed.
    Second(B),
    /// The breaker is open, so the second level was not called, and the operation cannot be recorded
    /// for a replay. Nothing was changed.
    Unavailable,
    /// The computation of the value was stopped: it took longer than its limit, or its runtime ended.
    ComputationStopped,
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
            Self::Unavailable => f.write_str("second level: its breaker is open"),
            Self::ComputationStopped => f.write_str("the computation of the value was stopped"),
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
            Self::Unavailable | Self::ComputationStopped => None,
        }
    }

    fn is_outage(&self) -> bool {
        match self {
            Self::Core(_) | Self::ComputationStopped => false,
            Self::First(error) => error.is_outage(),
            Self::Second(error) => error.is_outage(),
            Self::Unavailable => true,
        }
    }

    fn is_overload(&self) -> bool {
        match self {
            Self::Core(_) | Self::Unavailable | Self::ComputationStopped => false,
            Self::First(error) => error.is_overload(),
            Self::Second(error) => error.is_overload(),
        }
    }

    fn is_corrupt(&self) -> bool {
        match self {
            Self::Core(error) => error.is_corrupt(),
            Self::First(error) => error.is_corrupt(),
            Self::Second(error) => error.is_corrupt(),
            Self::Unavailable | Self::ComputationStopped => false,
        }
    }
}
