//! Keys as the text of Python's `str()`.

use ctu_core::json;
use std::{borrow::Cow, fmt::Write};

/// A key as the text that Python's `str()` makes of it: the part after the prefix in a
/// `PrefixedRedisCache`, and the text that a `MemCached` encodes.
///
/// Text is itself, numbers are written in decimal, `bool` is `True` or `False`, bytes are `b'..'` as
/// Python shows them. Keys of other types are best made into text by [`json_key`](crate::json_key) or [`full_hash_key`](crate::full_hash_key).
///
/// ```
/// use ctu_std::StrKey;
/// assert_eq!((-12).text(), "-12");
/// assert_eq!(true.text(), "True");
/// assert_eq!(i32::from_text("-12"), Some(-12));
/// ```
pub trait StrKey: ToOwned {
    /// The text of this key.
    fn text(&self) -> Cow<'_, str>;

    /// The key whose text this is; `None` where there is none.
    fn from_text(text: &str) -> Option<Self::Owned>;
}

impl StrKey for str {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }

    fn from_text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

impl StrKey for String {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }

    fn from_text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

impl StrKey for [u8] {
    fn text(&self) -> Cow<'_, str> {
        Cow::Owned(python_bytes(self))
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        let bytes = read_python_bytes(text)?;
        (python_bytes(&bytes) == text).then_some(bytes)
    }
}

/// Bytes as Python shows them.
pub(crate) fn python_bytes(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    };
    let mut text = String::with_capacity(3 + bytes.len());
    text.push('b');
    text.push(quote);
    for &byte in bytes {
        match byte {
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => {
                if char::from(byte) == quote {
                    text.push('\\');
                }
                text.push(byte.into());
            }
            // Writing to a string cannot fail.
            _ => drop(write!(text, "\\x{byte:02x}")),
        }
    }
    text.push(quote);
    text
}

/// The bytes that are shown so, and perhaps otherwise as well.
fn read_python_bytes(text: &str) -> Option<Vec<u8>> {
    let quoted = text.strip_prefix('b')?;
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut chars = inner.bytes();
    while let Some(byte) = chars.next() {
        bytes.push(match byte {
            b'\\' => match chars.next()? {
                b't' => b'\t',
                b'n' => b'\n',
                b'r' => b'\r',
                b'x' => {
                    let digit = |byte: u8| char::from(byte).to_digit(16);
                    let (high, low) = (digit(chars.next()?)?, digit(chars.next()?)?);
                    u8::try_from(high * 16 + low).ok()?
                }
                escaped => escaped,
            },
            byte => byte,
        });
    }
    Some(bytes)
}

impl StrKey for bool {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(if *self { "True" } else { "False" })
    }

    fn from_text(text: &str) -> Option<bool> {
        match text {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        }
    }
}

impl StrKey for f64 {
    fn text(&self) -> Cow<'_, str> {
        let text = match *self {
            number if number.is_nan() => "nan".into(),
            f64::INFINITY => "inf".into(),
            f64::NEG_INFINITY => "-inf".into(),
            // As JSON it has the form of Python's `repr`.
            number => json::to_string(&number).unwrap_or_else(|_| number.to_string()),
        };
        Cow::Owned(text)
    }

    fn from_text(text: &str) -> Option<f64> {
        text.parse()
            .ok()
            .filter(|number: &f64| number.text() == text)
    }
}

macro_rules! number_is_text {
    ($($t:ty),*) => {$(
        impl StrKey for $t {
            fn text(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }

            fn from_text(text: &str) -> Option<$t> {
                // "+1" and "01" are read as numbers, and written by none.
                text.parse().ok().filter(|number: &$t| number.to_string() == text)
            }
        }
    )*};
}
number_is_text!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, char
);

#[cfg(test)]
mod tests {
    use super::StrKey;

    #[test]
    fn numbers_match_python() {
        let floats = [0.1, 1.0, -0.0, 1e16, 1e-7, 1.5e300, f64::INFINITY];
        let texts = ["0.1", "1.0", "-0.0", "1e+16", "1e-07", "1.5e+300", "inf"];
        assert_eq!(floats.map(|float| float.text().into_owned()), texts);
        for text in texts {
            assert!(f64::from_text(text).is_some(), "{text}");
        }
        assert_eq!(f64::NAN.text(), "nan");
        assert_eq!(u128::MAX.text(), u128::MAX.to_string());
    }

    #[test]
    fn bytes_match_python() {
        for (bytes, text) in [
            (&b""[..], "b''"),
            (b"a'b", r#"b"a'b""#),
            (b"a'\"", r#"b'a\'"'"#),
            (b"\t\n\r\\\0\x7f\xff ~", r"b'\t\n\r\\\x00\x7f\xff ~'"),
        ] {
            assert_eq!(bytes.text(), text);
            assert_eq!(<[u8]>::from_text(text).as_deref(), Some(bytes));
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(<[u8]>::from_text(&all.text()), Some(all));
        for text in [
            "", "b", "b'", "a", "'a'", "b'\\'", r"b'\x1'", r"b'\x61'", "b\"a\"", "b'é'",
        ] {
            assert_eq!(<[u8]>::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn text_that_no_key_encodes_to_is_foreign() {
        assert_eq!(
            ["+1", "01", " 1", "1.0", "x", ""].map(u8::from_text),
            [None; 6]
        );
        assert_eq!([f64::from_text("1"), f64::from_text("1.00")], [None, None]);
        assert_eq!(bool::from_text("true"), None);
        assert_eq!(str::from_text("").as_deref(), Some(""));
    }
}
