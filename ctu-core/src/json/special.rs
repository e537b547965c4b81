//! The private names under which `serde_json` passes numbers of any precision and raw JSON through
//! Serde. They are the same in every release of `serde_json` 1. If a name changed, its values would
//! be written as objects.

use super::float::push_float;
use crate::error::Error;
use alloc::string::String;

pub(super) const NUMBER: &str = "$serde_json::private::Number";
pub(super) const RAW: &str = "$serde_json::private::RawValue";

pub(super) fn is_private(name: &str) -> bool {
    matches!(name, NUMBER | RAW)
}

/// Writes a number from text: an integer of any size unchanged, any other number as a float.
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

/// Whether it is negative, and the digits.
pub(super) fn integer(text: &str) -> Option<(bool, &str)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let all = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    all.then_some((negative, digits))
}
