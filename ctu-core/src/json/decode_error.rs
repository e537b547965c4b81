//! The reason why bytes are not JSON of a type, without the data.

use crate::error::Error;
use core::fmt;
use serde_json::error::Category;

/// Why [`decode`](super::decode) failed.
///
/// The message names the field, the expected type and the position. It holds no part of the data:
/// messages of `serde` are kept only up to the value that they quote, and messages of a type's own
/// `Deserialize` are left out.
///
/// ```
/// use ctu_core::{Error, json};
/// use serde::Deserialize;
///
/// #[derive(Debug, Deserialize)]
/// #[expect(dead_code)]
/// struct User { name: String, age: u8 }
///
/// let error = json::decode::<User>(br#"{"name": "Ada"}"#).unwrap_err();
/// assert_eq!(error.to_string(), "missing field `age` at line 1 column 15");
/// let error = json::decode::<u8>(br#""hush""#).unwrap_err();
/// assert_eq!(error.to_string(), "invalid type: string, expected u8 at line 1 column 6");
/// assert_eq!(Error::from(error), Error::Decode("JSON of the type asked for"));
/// ```
#[derive(Debug)]
pub struct DecodeError {
    error: Error,
    cause: Option<serde_json::Error>,
}

impl From<Error> for DecodeError {
    fn from(error: Error) -> Self {
        Self { error, cause: None }
    }
}

impl From<serde_json::Error> for DecodeError {
    fn from(cause: serde_json::Error) -> Self {
        let error = Error::Decode(match cause.classify() {
            Category::Data => "JSON of the type asked for",
            Category::Io | Category::Syntax | Category::Eof => "JSON",
        });
        Self {
            error,
            cause: Some(cause),
        }
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        error.error
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(cause) = &self.cause else {
            return match self.error {
                Error::Decode(expected) => write!(f, "expected {expected}"),
                other => other.fmt(f),
            };
        };
        let message = alloc::format!("{cause}");
        let place = alloc::format!(" at line {} column {}", cause.line(), cause.column());
        let (reason, place) = match message.strip_suffix(place.as_str()) {
            Some(reason) => (reason, place.as_str()),
            None => (message.as_str(), ""),
        };
        match cause.classify() {
            Category::Data => redacted(reason, f)?,
            // The texts of the parser are fixed.
            Category::Io | Category::Syntax | Category::Eof => f.write_str(reason)?,
        }
        f.write_str(place)
    }
}

impl core::error::Error for DecodeError {}

/// Messages that contain no data: their text is constant.
const FIXED: [&str; 3] = [
    "missing field `",
    "duplicate field `",
    "data did not match any variant of ",
];

/// Messages that quote the data before `, expected`.
const QUOTING: [&str; 2] = ["invalid type: ", "invalid value: "];

/// The kinds of data that these messages name.
const KINDS: [&str; 16] = [
    "boolean",
    "integer",
    "floating point",
    "number",
    "character",
    "string",
    "byte array",
    "unit value",
    "null",
    "Option value",
    "newtype struct",
    "sequence",
    "map",
    "enum",
    "unit variant",
    "newtype variant",
];

/// Messages that quote a name or a number of the data first.
const NAMING: [&str; 3] = ["unknown variant", "unknown field", "invalid length"];

/// Writes the part of a message of `serde` that is no data.
fn redacted(message: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let starts = |known: &&str| message.starts_with(*known);
    if FIXED.iter().any(starts) {
        return f.write_str(message);
    }
    // The last one: a quoted text may have the same words.
    let expected = message.rfind(", expected ");
    let expected = expected
        .and_then(|at| message.get(at..))
        .unwrap_or_default();
    if let Some(known) = QUOTING.into_iter().find(starts) {
        let rest = message.get(known.len()..).unwrap_or_default();
        let kind = KINDS.into_iter().find(|kind| rest.starts_with(kind));
        return write!(f, "{known}{}{expected}", kind.unwrap_or("data"));
    }
    match NAMING.into_iter().find(starts) {
        Some(known) => write!(f, "{known}{expected}"),
        None => f.write_str("refused by the type"),
    }
}
