//! JSON byte for byte as Python's `json.dumps(value, sort_keys=True, separators=(",", ":"))`.
//!
//! Two programs find each other's entries only if they write a key in the same bytes. Serde's own
//! JSON differs from Python's in its floats, in its text beyond ASCII and in the order of keys.
//!
//! ```
//! use ctu_core::json;
//! use serde::Serialize;
//!
//! #[derive(Serialize)]
//! struct Page<'a> {
//!     title: &'a str,
//!     scale: f64,
//!     id: Option<u32>,
//! }
//!
//! let page = Page { title: "café", scale: 1e16, id: None };
//! assert_eq!(json::to_string(&page)?, r#"{"id":null,"scale":1e+16,"title":"caf\u00e9"}"#);
//! # Ok::<(), ctu_core::Error>(())
//! ```
//!
//! The types of Serde are written as `serde_json` writes them: structs and maps are objects, tuples
//! and sequences are arrays, `None` and `()` are null, a variant is its name or `{name: content}`.
//! The rules of Python take precedence:
//!
//! - Keys are sorted before they become text: numbers (with `bool`, as 0 and 1) by size, text by
//!   code point. Keys of both kinds in one map are an error. An equal key given again replaces the
//!   value.
//! - Bytes (`serialize_bytes`) are an error. `Vec<u8>` and `[u8]` without `serde_bytes` are
//!   sequences of numbers to Serde, and arrays here.
//! - NaN and the infinities are an error: Python writes words for them which are not JSON, and which
//!   neither [`from_slice`] nor most other readers take.
//! - An `f32` has the shortest digits that read back as that `f32`: `0.1_f32` is `0.1`, as for
//!   `serde_json`, and Python rewrites it unchanged. (A `serde_json::Value` made of it holds an `f64`
//!   and is `0.10000000149011612`.)
//! - Arrays and objects may be nested [`MAX_DEPTH`] deep, the limit of the reader.
//!
//! Integers above 64 bits: `i128` and `u128` are written and read. A `serde_json::Value` reads
//! them, of any size, with the feature `big-integers`, and without it as the nearest `f64`.
//!
//! With that feature, or `raw_value` of `serde_json`, a `Value` rejects an object with a private
//! name of `serde_json` as its first key. [`Data`] accepts it.

mod args;
mod data;
mod decode_error;
mod escape;
mod float;
mod guard;
mod key;
mod map;
mod read;
mod refusal;
mod scan;
mod seq;
mod serializer;
mod special;
#[cfg(test)]
mod tests;
mod writer;

pub use args::{full_hash_key, full_hash_key_with, json_key, json_key_with};
pub use data::Data;
pub use decode_error::DecodeError;
pub use read::{decode, from_slice, from_str};

use crate::{entries::Buffer, error::Error};
use alloc::{string::String, vec::Vec};
use serde::Serialize;
use writer::Writer;

/// How deep arrays and objects may be nested. One more is an error, in writing and in reading.
pub const MAX_DEPTH: usize = 127;

/// Writes `value` as JSON.
///
/// ```
/// assert_eq!(ctu_core::json::to_string(&("é", 0.5)), Ok(r#"["\u00e9",0.5]"#.to_owned()));
/// ```
///
/// # Errors
/// [`Error::Encode`] for a value without JSON: see the [module](self).
pub fn to_string<T: ?Sized + Serialize>(value: &T) -> Result<String, Error> {
    Writer::new().write(value)
}

/// Writes `value` as JSON, which is ASCII.
///
/// ```
/// assert_eq!(ctu_core::json::to_vec(&[1, 2]), Ok(b"[1,2]".to_vec()));
/// ```
///
/// # Errors
/// As [`to_string`].
pub fn to_vec<T: ?Sized + Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    to_string(value).map(String::into_bytes)
}

/// Appends `value` as JSON to `buffer`, which is unchanged on an error.
///
/// ```
/// use ctu_core::{Bytes, json};
///
/// let mut buffer = Bytes::<8>::from_slice(b"v=")?;
/// json::append_to(&mut buffer, &[1, 2])?;
/// assert_eq!(buffer, b"v=[1,2]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`to_string`], and [`Error::ValueTooLong`] when it does not fit.
pub fn append_to<B, T>(buffer: &mut B, value: &T) -> Result<(), Error>
where
    B: Buffer,
    T: ?Sized + Serialize,
{
    buffer.append(to_string(value)?.as_bytes())
}
