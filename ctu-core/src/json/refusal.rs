use crate::error::Error;
use core::fmt::{self, Display};
use serde::ser;

/// Serde builds errors from any text. This type keeps its own error and accepts no such text.
#[derive(Debug)]
pub(super) struct SerError(pub(super) Error);

impl From<Error> for SerError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl Display for SerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for SerError {}

impl ser::Error for SerError {
    fn custom<T: Display>(_: T) -> Self {
        Self(Error::Encode("a value that its own type refused"))
    }
}
