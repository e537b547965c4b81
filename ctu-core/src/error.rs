use core::{fmt, time::Duration};

/// Why an in-memory cache or a mapping refused an operation.
///
/// The operation then had no effect: the cache holds what it held before. (A batch ends at the first entry that is refused;
/// those before it may be done.)
/// Caches that can fail in other ways have an error type of their own which holds this one
/// (`Cache::Error: From<Error>`), so a whole stack has the single error type of the cache at its base.
///
/// ```
/// use ctu_core::Error;
/// let error = Error::KeyTooLong { len: 21, max: 20 };
/// assert_eq!(error.to_string(), "key of 21 bytes, at most 20 fit");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// The key does not fit the buffer that keys are kept in. Lengths in bytes.
    KeyTooLong {
        /// Length of the key, with its prefixes or its encoding.
        len: usize,
        /// The longest key that fits.
        max: usize,
    },
    /// The value does not fit the buffer that values are kept in. Lengths in bytes.
    ValueTooLong {
        /// Length of the value, with what mappings added to it.
        len: usize,
        /// The longest value that fits.
        max: usize,
    },
    /// The time-to-live is longer than the cache can count.
    TtlTooLong {
        /// The longest time-to-live that this cache can count.
        max: Duration,
    },
    /// An entry's own time-to-live was asked for, and this cache keeps none.
    TtlUnsupported,
    /// The cache cannot do this at all; the text names the operation.
    Unsupported(&'static str),
    /// The cache is in use: by the holder of its lock (`try_` operations), or by the caller itself.
    Busy,
    /// The secret is too short to encrypt with. Lengths in bytes.
    SecretTooShort {
        /// Length of the secret.
        len: usize,
        /// The shortest secret allowed.
        min: usize,
    },
    /// A setting is outside its range.
    OutOfRange {
        /// Name of the setting.
        what: &'static str,
        /// What was asked for.
        got: usize,
        /// The smallest value allowed.
        min: usize,
        /// The largest value allowed.
        max: usize,
    },
    /// No setting has the name that was given; the text says what was to be named.
    UnknownName(&'static str),
    /// The key or value has no form in the encoding; the text says what is in the way.
    Encode(&'static str),
    /// What the inner cache holds is not in the encoding; the text says what was expected.
    Decode(&'static str),
}

impl Error {
    /// Whether what the cache holds is at fault, and not what was asked of it: a value that cannot be decoded. The cache was
    /// asked and answered then, and will answer the same until the value is written over.
    ///
    /// ```
    /// use ctu_core::Error;
    /// assert!(Error::Decode("JSON").is_damage());
    /// assert!(!Error::Encode("JSON").is_damage());
    /// ```
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Decode(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::KeyTooLong { len, max } => write!(f, "key of {len} bytes, at most {max} fit"),
            Self::ValueTooLong { len, max } => write!(f, "value of {len} bytes, at most {max} fit"),
            Self::TtlTooLong { max } => write!(f, "time-to-live too long, at most {max:?}"),
            Self::TtlUnsupported => f.write_str("this cache keeps no time-to-live per entry"),
            Self::Unsupported(what) => write!(f, "this cache cannot {what}"),
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
            Self::UnknownName(what) => write!(f, "unknown name of a {what}"),
            Self::Encode(what) => write!(f, "cannot encode: {what}"),
            Self::Decode(what) => write!(f, "cannot decode: {what}"),
        }
    }
}

impl core::error::Error for Error {}

/// The error of a [`Cache`](crate::Cache): what a whole stack fails with, and what its parts need to know of that.
pub trait CacheError: core::error::Error + From<Error> + 'static {
    /// The core error that this holds, if it holds one: nothing was done then, and the cache works.
    fn as_core(&self) -> Option<Error>;

    /// Whether the cache could not be reached or did not answer as it should, so that what is tried next is
    /// likely to fail as well. Not where the caller is to blame: a value too large, a wrong type.
    fn is_outage(&self) -> bool {
        self.as_core().is_none()
    }

    /// Whether the cache was not asked since this program has too many operations under way at once: the
    /// same operation may succeed later, and nothing is known about the cache. Not an outage.
    fn is_overload(&self) -> bool {
        false
    }

    /// Whether what the cache holds is at fault, and not what was asked of it: [`Error::is_damage`].
    fn is_damage(&self) -> bool {
        self.as_core().is_some_and(|error| error.is_damage())
    }
}

impl CacheError for Error {
    fn as_core(&self) -> Option<Error> {
        Some(*self)
    }
}
