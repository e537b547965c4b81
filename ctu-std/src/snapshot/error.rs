//! The error of snapshots.

use ctu_core::Error;
use std::{fmt, io};

/// The error of a snapshot that was not saved or loaded.
///
/// ```
/// use ctu_std::{ConcurrentCache, Snapshot, SnapshotError};
/// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
/// let loaded = Snapshot::new().load(&mut &cache, &b"another file"[..]);
/// assert!(matches!(loaded, Err(SnapshotError::NotASnapshot)));
/// ```
#[non_exhaustive]
#[derive(Debug)]
pub enum SnapshotError {
    /// The stream failed.
    Io(io::Error),
    /// The stream does not begin as a snapshot.
    NotASnapshot,
    /// The stream is of another version of the format.
    Version {
        /// The version of the stream.
        found: u8,
        /// The version that is read.
        supported: u8,
    },
    /// The keys and values are of another [`schema`](super::Snapshot::schema).
    Schema {
        /// The schema of the stream.
        found: u32,
        /// The expected schema.
        expected: u32,
    },
    /// The stream is damaged, or ends early. The text names the place.
    Damaged(&'static str),
    /// A key or value has no form in bytes. The text is the reason.
    Encode(String),
    /// A key or value does not have the form of its type: the stream was written by a program with
    /// other types.
    Decode(String),
    /// The store cannot keep the entries.
    Cache(Error),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the stream of the snapshot failed: {error}"),
            Self::NotASnapshot => f.write_str("the stream is no snapshot"),
            Self::Version { found, supported } => {
                write!(
                    f,
                    "snapshot of version {found}, version {supported} is read"
                )
            }
            Self::Schema { found, expected } => {
                write!(f, "snapshot of schema {found}, expected is {expected}")
            }
            Self::Damaged(place) => write!(f, "the snapshot is damaged: {place}"),
            Self::Encode(reason) => write!(f, "an entry has no form in bytes: {reason}"),
            Self::Decode(reason) => write!(f, "an entry of other types: {reason}"),
            Self::Cache(error) => write!(f, "the cache cannot keep the entries: {error}"),
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Cache(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("it ends early"),
            _ => Self::Io(error),
        }
    }
}
