use crate::error::{CacheError, Error};
use core::fmt;
use embedded_storage::nor_flash::NorFlashErrorKind;

/// The error of a [`FlashCache`](crate::FlashCache).
///
/// After [`Flash`](Self::Flash) or [`Worn`](Self::Worn), a write may have taken effect or not: the
/// entry has its value from before or the new one, or is a miss. Reads go on.
///
/// ```
/// use ctu_core::{CacheError, Error, FlashError};
/// let error = FlashError::from(Error::Full);
/// assert_eq!(error.as_core(), Some(Error::Full));
/// assert!(FlashError::Worn.is_outage());
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FlashError {
    /// An error of a cache or a mapping. The operation had no effect.
    Core(Error),
    /// The driver of the flash failed.
    Flash(NorFlashErrorKind),
    /// The flash does not keep the bytes that are written to it.
    Worn,
}

impl From<Error> for FlashError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl fmt::Display for FlashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => write!(f, "{error}"),
            Self::Flash(kind) => write!(f, "the flash failed: {kind}"),
            Self::Worn => f.write_str("the flash does not keep the bytes written to it"),
        }
    }
}

impl core::error::Error for FlashError {}

impl CacheError for FlashError {
    fn as_core(&self) -> Option<Error> {
        match self {
            Self::Core(error) => Some(*error),
            _ => None,
        }
    }
}

/// A failure inside the log. One byte: the functions of the log return it in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Flash(NorFlashErrorKind),
    Worn,
    Full,
    /// The flash has more entries than the index.
    Entries,
}

impl From<Fault> for FlashError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Flash(kind) => Self::Flash(kind),
            Fault::Worn => Self::Worn,
            Fault::Full | Fault::Entries => Self::Core(Error::Full),
        }
    }
}
