//! Floats as Python's `repr` writes them.

use crate::{entries::Text, error::Error};
use alloc::string::String;
use core::fmt::Write;

/// Writes `value` as Python's `repr` does.
///
/// The digits are those of `zmij`, which `serde_json` brings along. Like Python's they are the
/// shortest that read back as the same number, of these the nearest, and of two as near the even
/// one. (`core` takes the upper one: 772716456255417.25 has 16 digits and ends in 2 in Python, in 3
/// there.) Only the layout is made here.
///
/// # Errors
/// [`Error::Encode`] for NaN and the infinities.
pub(super) fn push_float(out: &mut String, value: f64) -> Result<(), Error> {
    if !value.is_finite() {
        return Err(Error::Encode("NaN or infinity in JSON"));
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    let (digits, exponent) = decimal(value.abs());
    let (first, rest) = digits.split_at_checked(1).unwrap_or(("0", ""));
    match exponent {
        // 0.000123
        -4..=-1 => {
            out.push_str("0.");
            out.extend((exponent..-1).map(|_| '0'));
            out.push_str(&digits);
        }
        // 123.45, 12300.0
        0..=15 => {
            let whole = exponent.unsigned_abs() as usize;
            let (more, fraction) = rest.split_at_checked(whole).unwrap_or((rest, ""));
            out.push_str(first);
            out.push_str(more);
            out.extend((more.len()..whole).map(|_| '0'));
            out.push('.');
            out.push_str(if fraction.is_empty() { "0" } else { fraction });
        }
        // 1e-05, 1.23e+16
        _ => {
            out.push_str(first);
            if !rest.is_empty() {
                out.push('.');
                out.push_str(rest);
            }
            let sign = if exponent < 0 { '-' } else { '+' };
            // Writing to a `String` does not fail.
            let _ = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
        }
    }
    Ok(())
}

/// The significant digits of a number that is neither negative nor infinite, and the power of ten
/// that the first of them stands for.
fn decimal(value: f64) -> (Text<24>, i32) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));

    // At most 24 characters in total.
    let mut digits = Text::<24>::new();
    let _ = digits.push_str(whole);
    let _ = digits.push_str(fraction);
    let significant = digits.trim_start_matches('0');
    let zeros = digits.len().saturating_sub(significant.len());
    let significant = significant.trim_end_matches('0');
    if significant.is_empty() {
        return (Text::try_from("0").unwrap_or_default(), 0);
    }
    let first = (whole.len() as i32)
        .saturating_sub(zeros as i32)
        .saturating_add(exponent)
        .saturating_sub(1);
    (Text::try_from(significant).unwrap_or_default(), first)
}

/// The `f64` that has the digits of an `f32`, and not its exact value: 0.1 for `0.1_f32`.
pub(super) fn widen(value: f32) -> f64 {
    if !value.is_finite() {
        return value.into();
    }
    let mut buffer = zmij::Buffer::new();
    buffer.format_finite(value).parse().unwrap_or(f64::NAN)
}
