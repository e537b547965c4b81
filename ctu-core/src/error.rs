//! The error of caches in memory and of mappings, and the trait of all errors of caches.

use core::{fmt, time::Duration};

/// The error of an in-memory cache or a mapping.
///
/// A failed operation has no effect. A batch ends at the first failed entry; the entries before it
/// may be done. A cache with other kinds of failure has an error type of its own that holds this
/// one (`Cache::Error: From<Error>`), so a stack has one error type: that of the cache at its base.
///
/// ```
/// use ctu_core::Error;
/// let error = Error::KeyTooLong { len: 21, max: 20 };
/// assert_eq!(error.to_string(), "key of 21 bytes, at most 20 fit");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// The key does not fit the key buffer. Lengths in bytes.
    KeyTooLong {
        /// Length of the key, including its prefixes or its encoding.
        len: usize,
        /// Capacity of the buffer.
        max: usize,
    },
    /// The value does not fit the value buffer. Lengths in bytes.
    ValueTooLong {
        /// Length of the value, including the overhead of mappings.
        len: usize,
        /// Capacity of the buffer.
        max: usize,
    },
    /// The stored value is longer than the read limit of the cache, and was not read. Lengths in
    /// bytes.
    StoredTooLong {
        /// Length of the stored value.
        len: usize,
        /// The read limit.
        max: usize,
    },
    /// The entry is heavier than the whole cache may be.
    EntryTooHeavy {
        /// Weight of the entry.
        weight: u64,
        /// Capacity of the cache in weight.
        max: u64,
    },
    /// The time-to-live is above the maximum of the cache.
    TtlTooLong {
        /// The maximum.
        max: Duration,
    },
    /// The cache has no time-to-live per entry.
    TtlUnsupported,
    /// The cache lacks this capability. A retry fails as well.
    Unsupported(Capability),
    /// The keys are stored as hashes (`EncryptedCache`). A hash has no prefix and no way back to
    /// its key, so `retain` and a partial `clear` are not possible. The whole inner cache can be
    /// cleared.
    HashedKeys,
    /// The cache is full, and its settings forbid the eviction of an entry.
    Full,
    /// The lock of the cache is held: by another user (`try_` operations), or by the caller itself.
    Busy,
    /// The secret is too short. Lengths in bytes.
    SecretTooShort {
        /// Length of the secret.
        len: usize,
        /// The minimum length.
        min: usize,
    },
    /// A setting is outside its range.
    OutOfRange {
        /// Name of the setting.
        what: &'static str,
        /// The given value.
        got: usize,
        /// The minimum.
        min: usize,
        /// The maximum.
        max: usize,
    },
    /// A fault of keys, clocks or hardware around sealed entries.
    Seal(SealError),
    /// Unknown option name. The text is the kind of option, for example "prefix encoding".
    UnknownName(&'static str),
    /// The separator of an automatic prefix is empty or begins with a character of the encoding, so
    /// one prefix could begin another. A separator that begins with any other character is allowed.
    AmbiguousSeparator,
    /// The key or value has no form in the encoding. The text is the reason.
    Encode(&'static str),
    /// The stored bytes are not valid in the encoding. The text names the expected form.
    Decode(&'static str),
}

/// A capability that some caches lack.
///
/// ```
/// use ctu_core::{Error, Capability};
/// let error = Error::Unsupported(Capability::ListKeys);
/// assert_eq!(error.to_string(), "this cache cannot list its keys");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Capability {
    /// Iteration over the own keys: `retain`, and `clear` or `len` of a cache that shares its base.
    ListKeys,
    /// `clear`.
    Clear,
    /// `len`.
    Len,
    /// Statistics of a server.
    Stats,
    /// `get_or_insert_with`.
    GetOrInsert,
    /// `add`: an insertion that reports whether there was an entry.
    Add,
    /// Groups of entries by tags.
    Tags,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ListKeys => "list its keys",
            Self::Clear => "be cleared",
            Self::Len => "count its entries",
            Self::Stats => "report statistics",
            Self::GetOrInsert => "get or insert a value",
            Self::Add => "add an entry only where there is none",
            Self::Tags => "group entries by tags",
        })
    }
}

/// A fault of the keys, clocks and hardware around sealed entries.
///
/// ```
/// use ctu_core::{Error, SealError};
/// let error = Error::Seal(SealError::UnknownKey { id: 7 });
/// assert_eq!(error.to_string(), "no key with id 7 is in the ring");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SealError {
    /// The ring has a key with this id already.
    DuplicateKey {
        /// The id.
        id: u8,
    },
    /// The ring has no key with this id for this purpose.
    UnknownKey {
        /// The id.
        id: u8,
    },
    /// The key seals new entries, and cannot be retired before another key does.
    KeyInUse {
        /// The id.
        id: u8,
    },
    /// The wall clock is not set, so that no expiry can be sealed.
    ClockUnset,
    /// The monotonic counter is at its end.
    CounterAtEnd,
    /// The hardware that holds the key failed. The text is the reason.
    Hardware(&'static str),
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::DuplicateKey { id } => write!(f, "a key with id {id} is in the ring already"),
            Self::UnknownKey { id } => write!(f, "no key with id {id} is in the ring"),
            Self::KeyInUse { id } => write!(f, "key {id} seals new entries and cannot be retired"),
            Self::ClockUnset => f.write_str("a time-to-live needs a wall clock that is set"),
            Self::CounterAtEnd => f.write_str("the monotonic counter is at its end"),
            Self::Hardware(reason) => write!(f, "the cipher hardware failed: {reason}"),
        }
    }
}

impl Error {
    /// Whether the stored value is corrupt: it cannot be decoded, or it is above the read limit.
    /// The cache itself works, and every read fails alike until the value is overwritten.
    ///
    /// ```
    /// use ctu_core::Error;
    /// assert!(Error::Decode("JSON").is_corrupt());
    /// assert!(!Error::Encode("JSON").is_corrupt());
    /// ```
    #[must_use]
    pub const fn is_corrupt(&self) -> bool {
        matches!(self, Self::Decode(_) | Self::StoredTooLong { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::KeyTooLong { len, max } => write!(f, "key of {len} bytes, at most {max} fit"),
            Self::ValueTooLong { len, max } => write!(f, "value of {len} bytes, at most {max} fit"),
            Self::StoredTooLong { len, max } => {
                write!(f, "stored value of {len} bytes, at most {max} are read")
            }
            Self::EntryTooHeavy { weight, max } => {
                write!(f, "entry of weight {weight}, at most {max} fit")
            }
            Self::TtlTooLong { max } => write!(f, "time-to-live too long, at most {max:?}"),
            Self::TtlUnsupported => f.write_str("this cache keeps no time-to-live per entry"),
            Self::Unsupported(capability) => write!(f, "this cache cannot {capability}"),
            Self::HashedKeys => f.write_str(
                "keys are stored as hashes, which have no prefix: only the whole cache can be cleared",
            ),
            Self::Full => f.write_str("the cache is full, and its settings forbid eviction"),
            Self::Busy => f.write_str("the cache is in use"),
            Self::SecretTooShort { len, min } => {
                write!(f, "secret of {len} bytes, at least {min} needed")
            }
            Self::OutOfRange {
                what,
                got,
                min,
                max,
            } => write!(f, "{what} of {got}, allowed is {min} to {max}"),
            Self::Seal(error) => write!(f, "{error}"),
            Self::AmbiguousSeparator => f.write_str(
                "a separator must begin with a character that the encoding of the prefix does not use",
            ),
            Self::UnknownName(what) => write!(f, "unknown name of a {what}"),
            Self::Encode(what) => write!(f, "cannot encode: {what}"),
            Self::Decode(what) => write!(f, "cannot decode: {what}"),
        }
    }
}

impl core::error::Error for Error {}

/// The error of a [`Cache`](crate::Cache), with the classification that wrappers need.
///
/// ```
/// use ctu_core::{CacheError, Error};
///
/// let error = Error::KeyTooLong { len: 21, max: 20 };
/// assert_eq!(error.as_core(), Some(error));
/// assert!(!error.is_outage());
/// ```
pub trait CacheError: core::error::Error + From<Error> + Send + Sync + 'static {
    /// The core error inside, if any: the operation had no effect, and the cache works.
    fn as_core(&self) -> Option<Error>;

    /// Whether the cache is unreachable or replies incorrectly, so that the next operation is
    /// likely to fail as well. Errors of the caller, such as a value too large, are no outage.
    fn is_outage(&self) -> bool {
        self.as_core().is_none()
    }

    /// Whether the operation did not reach the cache because this program has too many operations
    /// in flight. It may succeed later, and says nothing about the cache. Not an outage.
    fn is_overload(&self) -> bool {
        false
    }

    /// Whether the stored value is corrupt: [`Error::is_corrupt`].
    fn is_corrupt(&self) -> bool {
        self.as_core().is_some_and(|error| error.is_corrupt())
    }
}

impl CacheError for Error {
    fn as_core(&self) -> Option<Error> {
        Some(*self)
    }
}
