use super::{MAX_DEPTH, special};
use alloc::string::String;

/// The findings of one pass over JSON text, before any type reads it.
pub(super) struct Scan {
    /// Whether arrays and objects are nested more than [`MAX_DEPTH`] deep. The limit of
    /// `serde_json` holds for each call of its reader, and not for skipped or raw values.
    pub(super) too_deep: bool,
    /// Whether a text, plain or escaped, is a private name of `serde_json`.
    pub(super) has_private_name: bool,
    /// Whether a text has a control character that is not escaped, which no JSON has. `serde_json`
    /// lets it pass in a key that is read as bytes.
    pub(super) has_control: bool,
}

/// Scans `json` in linear time and constant memory. Text that is not JSON gets some answer; the
/// reader refuses that text.
pub(super) fn scan(json: &[u8]) -> Scan {
    let mut found = Scan {
        too_deep: false,
        has_private_name: false,
        has_control: false,
    };
    let mut depth = 0_usize;
    let mut rest = json;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'[' | b'{' => {
                depth = depth.saturating_add(1);
                found.too_deep |= depth > MAX_DEPTH;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                let (text, after) = split_text(rest);
                found.has_private_name |= is_private_name(text);
                found.has_control |= text.iter().any(|byte| *byte < b' ');
                rest = after;
            }
            _ => {}
        }
    }
    found
}

/// Splits after the quote that ends a text, escapes respected: the text without it, and the rest.
fn split_text(json: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0_usize;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => break,
            b'\\' => at = at.saturating_add(2),
            _ => at = at.saturating_add(1),
        }
    }
    let (text, rest) = json.split_at_checked(at).unwrap_or((json, &[]));
    (text, rest.get(1..).unwrap_or_default())
}

fn is_private_name(text: &[u8]) -> bool {
    // The most bytes that JSON has for one of ASCII: `\u0024`.
    const LONGEST: usize = 6;
    [special::NUMBER, special::RAW].into_iter().any(|name| {
        if text.len() == name.len() {
            return text == name.as_bytes();
        }
        let may_be = name.len()..=name.len().saturating_mul(LONGEST);
        may_be.contains(&text.len()) && unescaped(text).is_some_and(|text| text == name)
    })
}

fn unescaped(text: &[u8]) -> Option<String> {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    quoted.push_str(core::str::from_utf8(text).ok()?);
    quoted.push('"');
    serde_json::from_str(&quoted).ok()
}
