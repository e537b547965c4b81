use crate::Error;
use serde::Deserialize;
use serde_json::error::Category;

/// Reads JSON, whoever wrote it, as `serde_json` does: the whole input is one value, a key given
/// twice counts last in a map and is an error in a struct, floats are read exactly.
///
/// ```
/// use ctu_core::{Error, json};
///
/// assert_eq!(json::from_slice::<(u8, f64)>(b"[1, 1e-05]"), Ok((1, 0.00001)));
/// assert_eq!(json::from_slice::<u8>(b"256"), Err(Error::Decode("JSON of the type asked for")));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// [`Error::Decode`] for what is not JSON, not of the type, or nested too deep. Python also reads
/// `NaN`, `Infinity` and half a surrogate pair; these are errors here.
pub fn from_slice<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|error| refused(&error))
}

/// Reads JSON.
///
/// # Errors
/// As [`from_slice`].
pub fn from_str<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| refused(&error))
}

fn refused(error: &serde_json::Error) -> Error {
    Error::Decode(match error.classify() {
        Category::Data => "JSON of the type asked for",
        Category::Io | Category::Syntax | Category::Eof => "JSON",
    })
}
