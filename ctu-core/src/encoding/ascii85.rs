//! Ascii85 in the default form of Python's `base64.a85encode`: no frame, no line breaks. This crate
//! has no decoder for it.

use super::base85::digits;
use crate::{entries::TextBuffer, error::Error};

/// Writes `bytes` as text; four zero bytes become a `z`.
///
/// # Errors
/// [`Error::ValueTooLong`] if the text does not fit `T`.
pub(crate) fn encode<T: TextBuffer>(bytes: &[u8]) -> Result<T, Error> {
    let mut text = T::default();
    for group in bytes.chunks(4) {
        if group == [0; 4] {
            text.append("z")?;
            continue;
        }
        let group_text = digits(group).map(|digit| digit.saturating_add(b'!'));
        let group_text = group_text.get(..=group.len()).unwrap_or(&group_text);
        // '!' to 'u': ASCII.
        text.append(core::str::from_utf8(group_text).unwrap_or_default())?;
    }
    Ok(text)
}
