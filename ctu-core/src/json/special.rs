//! What `serde_json` passes through Serde under private names: numbers of any precision and raw JSON.
//! The names are the same in every release of `serde_json` 1; were one to change, its values would
//! be written as objects.

use super::{
    Data,
    float::push_float,
    from_str,
    key::{Int, Key, KeySerializer},
    writer::{Refusal, Writer},
};
use crate::error::Error;
use alloc::{borrow::Cow, string::String};
use serde::Serialize;

pub(super) const NUMBER: &str = "$serde_json::private::Number";
pub(super) const RAW: &str = "$serde_json::private::RawValue";

pub(super) fn is_private(name: &str) -> bool {
    matches!(name, NUMBER | RAW)
}

/// The text that `serde_json` hands over.
pub(super) fn text_of<T: ?Sized + Serialize>(value: &T) -> Result<Cow<'static, str>, Refusal> {
    match value.serialize(KeySerializer)? {
        Key::Text(text) => Ok(text),
        _ => Err(Refusal(Error::Encode("a number without text"))),
    }
}

/// Writes a number given as text: an integer of any size as it is, anything else as a float.
pub(super) fn push_number(out: &mut String, text: &str) -> Result<(), Error> {
    let Some((negative, digits)) = integer(text) else {
        return match text.parse() {
            Ok(float) => push_float(out, float),
            Err(_) => Err(Error::Encode("a number that is none")),
        };
    };
    // Python reads -0 as an integer, and writes it 0.
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        out.push('0');
        return Ok(());
    }
    if negative {
        out.push('-');
    }
    out.push_str(digits);
    Ok(())
}

/// A number given as text as a key of a map. Integers over 128 bits cannot be compared here.
pub(super) fn number_key(text: &str) -> Option<Key> {
    if integer(text).is_none() {
        return text.parse().ok().map(Key::Float);
    }
    if let Ok(int) = text.parse::<i128>() {
        return Some(Key::Int(Int::from(int)));
    }
    text.parse::<u128>()
        .ok()
        .map(|int| Key::Int(Int::from(int)))
}

/// Whether it is negative, and the digits.
fn integer(text: &str) -> Option<(bool, &str)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let all = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    all.then_some((negative, digits))
}

/// Reads raw JSON and writes it in Python's form.
pub(super) fn write_raw(writer: &mut Writer, text: &str) -> Result<(), Refusal> {
    let value: Data =
        from_str(text).map_err(|_| Refusal(Error::Encode("raw JSON that is not JSON")))?;
    value.serialize(writer)
}
