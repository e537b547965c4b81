use crate::{Error, Text};
use alloc::string::String;
use core::fmt::Write;

/// Writes `value` as Python's `repr` does.
///
/// The digits are those of `core`, which like Python's are the shortest that read back as the same
/// number, and of these the nearest: no crate is needed for them. Only the layout is Python's.
///
/// # Errors
/// [`Error::Encode`] for NaN and the infinities.
pub(super) fn push_float(out: &mut String, value: f64) -> Result<(), Error> {
    if !value.is_finite() {
        return Err(Error::Encode("NaN or infinity in JSON"));
    }
    // As in "-1.2345678901234567e-308": 24 characters at most.
    let mut text = Text::<32>::new();
    let written = write!(text, "{value:e}").is_ok();
    let (Some((mantissa, exponent)), true) = (text.split_once('e'), written) else {
        return Err(Error::Encode("float"));
    };
    let Ok(exponent) = exponent.parse::<i32>() else {
        return Err(Error::Encode("float"));
    };
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));

    out.push_str(sign);
    match exponent {
        // 0.000123
        -4..=-1 => {
            out.push_str("0.");
            out.extend((exponent..-1).map(|_| '0'));
            out.push_str(first);
            out.push_str(rest);
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

/// The `f64` that has the digits of an `f32`, and not its exact value: 0.1 for `0.1_f32`.
pub(super) fn widen(value: f32) -> f64 {
    let mut text = Text::<32>::new();
    // As in "-1.17549435e-38". NaN and the infinities parse as themselves.
    match write!(text, "{value:e}") {
        Ok(()) => text.parse().unwrap_or(f64::NAN),
        Err(_) => f64::NAN,
    }
}
