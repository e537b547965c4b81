use super::{
    decode_error::DecodeError,
    guard::Guard,
    scan::{Scan, scan},
};
use crate::error::Error;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{
    Deserializer,
    de::{Read, SliceRead, StrRead},
    error::Category,
};

/// Reads JSON of any origin, as `serde_json` does: the whole input is one value, a key given twice
/// counts last in a map and is an error in a struct, floats are read exactly.
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
/// [`Error::Decode`] for text that is not JSON, not of the type, or nested more than
/// [`MAX_DEPTH`](super::MAX_DEPTH) deep, skipped and raw parts included. Python also reads `NaN`,
/// `Infinity` and half a surrogate pair; these are errors here.
///
/// An object with a private name of `serde_json` for a key is data to every type but
/// `serde_json::Value` and `serde_json::Number`, which refuse it where they would take it for a
/// number or for raw JSON. [`Data`](super::Data) is a `Value` without that limit.
pub fn from_slice<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Error> {
    Ok(decode(json)?)
}

/// Reads JSON as [`from_slice`] does, with the reason of a failure.
///
/// ```
/// let error = ctu_core::json::decode::<u8>(b"\"text\"").unwrap_err();
/// assert!(error.to_string().contains("u8"), "{error}");
/// ```
///
/// # Errors
/// As [`from_slice`]; the message names the field and the expected type, and holds no data.
pub fn decode<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, DecodeError> {
    read(json, SliceRead::new(json))
}

/// Reads JSON.
///
/// ```
/// assert_eq!(ctu_core::json::from_str("[1, 2]"), Ok((1, 2)));
/// ```
///
/// # Errors
/// As [`from_slice`].
pub fn from_str<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Error> {
    Ok(read(json.as_bytes(), StrRead::new(json))?)
}

const TOO_DEEP: &str = "JSON nested at most 127 deep";
const PRIVATE: &str = "JSON without private names of `serde_json`, which `json::Data` reads";

fn read<'a, T, R>(json: &'a [u8], from: R) -> Result<T, DecodeError>
where
    T: Deserialize<'a>,
    R: Read<'a>,
{
    let Scan {
        too_deep,
        has_private_name,
        has_control,
    } = scan(json);
    if too_deep || has_private_name || has_control {
        // Invalid JSON is reported as such, also within keys that are read as bytes.
        serde_json::from_slice::<IgnoredAny>(json)?;
    }
    if too_deep {
        return Err(Error::Decode(TOO_DEEP).into());
    }
    let mut reader = Deserializer::new(from);
    if has_private_name {
        return T::deserialize(Guard(&mut reader)).map_err(|error| match error.classify() {
            Category::Data => Error::Decode(PRIVATE).into(),
            _ => error.into(),
        });
    }
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}
