//! Base85 with the alphabet of RFC 1924, compatible with Python's `base64.b85encode` and
//! `b85decode`.
//!
//! Four bytes become five characters. A final group of `n` bytes becomes `n + 1` characters,
//! without padding.
//!
//! No crate serves here: the common one for this alphabet needs `std` and `unsafe`, and overflows
//! on bad input that Python rejects.
//!
//! ```
//! use ctu_core::{Bytes, Text, base85};
//!
//! let text = base85::encode::<Text<10>>(b"abcd")?;
//! assert_eq!(text, "VPa!s");
//! assert_eq!(base85::decode::<Bytes<4>>(&text)?, b"abcd");
//! # Ok::<(), ctu_core::Error>(())
//! ```

use crate::{
    entries::{Buffer, TextBuffer},
    error::Error,
};

pub(super) const ALPHABET: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// The value of the last character. The decoder fills a short final group with it.
const FILL: u64 = 84;

/// No character has this value.
const NONE: u8 = u8::MAX;

/// The value of each character. The compiler evaluates the table and its bounds.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// The number of characters for `len` bytes.
///
/// ```
/// assert_eq!(ctu_core::base85::encoded_len(16), 20);
/// ```
#[must_use]
pub const fn encoded_len(len: usize) -> usize {
    let rest = len % 4;
    let whole = (len / 4).saturating_mul(5);
    if rest == 0 {
        whole
    } else {
        whole.saturating_add(rest + 1)
    }
}

/// The number of bytes for `len` characters.
///
/// ```
/// assert_eq!(ctu_core::base85::decoded_len(20), 16);
/// ```
#[must_use]
pub const fn decoded_len(len: usize) -> usize {
    len / 5 * 4 + (len % 5).saturating_sub(1)
}

/// Encodes `bytes`.
///
/// ```
/// use ctu_core::{Error, Text, base85};
/// assert_eq!(base85::encode::<Text<5>>(b"key")?, "Yh`%");
/// assert_eq!(base85::encode::<Text<5>>(b"longer"), Err(Error::ValueTooLong { len: 8, max: 5 }));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// [`Error::ValueTooLong`] if the text does not fit `T`.
pub fn encode<T: TextBuffer>(bytes: &[u8]) -> Result<T, Error> {
    let mut text = T::default();
    for group in bytes.chunks(4) {
        let group_text = digits(group).map(character);
        let group_text = group_text.get(..=group.len()).unwrap_or(&group_text);
        // The alphabet is ASCII.
        text.append(core::str::from_utf8(group_text).unwrap_or_default())
            .map_err(|error| whole_length(error, encoded_len(bytes.len())))?;
    }
    Ok(text)
}

/// The five characters of a group. A group of `n < 4` bytes uses the first `n + 1`.
#[doc(hidden)]
#[must_use]
pub fn encode_group(group: &[u8]) -> [u8; 5] {
    digits(group).map(character)
}

/// Decodes the output of [`encode`]. As in Python, a single final character yields no byte.
///
/// ```
/// use ctu_core::{Bytes, Error, base85};
/// assert_eq!(base85::decode::<Bytes<5>>("Yh`%")?, b"key");
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// [`Error::Decode`] for a character outside the alphabet and for a group over 32 bits;
/// [`Error::ValueTooLong`] if the bytes do not fit `B`.
pub fn decode<B: Buffer>(text: &str) -> Result<B, Error> {
    let mut bytes = B::default();
    for group in text.as_bytes().chunks(5) {
        let mut word: u64 = 0;
        for character in group {
            let value = VALUES.get(usize::from(*character)).copied().unwrap_or(NONE);
            if value == NONE {
                return Err(Error::Decode("a character that is not base85"));
            }
            // At most 85 to the fifth, which is less than 2 to the 33rd.
            word = word * 85 + u64::from(value);
        }
        for _ in group.len()..5 {
            word = word * 85 + FILL;
        }
        let Ok(word) = u32::try_from(word) else {
            return Err(Error::Decode("a base85 group over 32 bits"));
        };
        let word = word.to_be_bytes();
        bytes
            .append(word.get(..group.len().saturating_sub(1)).unwrap_or(&word))
            .map_err(|error| whole_length(error, decoded_len(text.len())))?;
    }
    Ok(bytes)
}

/// The five digits of a group, filled up with zeros. Most significant first.
pub(super) fn digits(group: &[u8]) -> [u8; 5] {
    let mut word = [0; 4];
    for (to, from) in word.iter_mut().zip(group) {
        *to = *from;
    }
    let mut word = u32::from_be_bytes(word);
    let mut digits = [0; 5];
    for digit in digits.iter_mut().rev() {
        *digit = (word % 85) as u8;
        word /= 85;
    }
    digits
}

fn character(digit: u8) -> u8 {
    // A digit is less than 85.
    ALPHABET.get(usize::from(digit)).copied().unwrap_or(b'0')
}

/// A buffer is filled group by group; the error states the length that the whole would need.
fn whole_length(error: Error, len: usize) -> Error {
    match error {
        Error::ValueTooLong { max, .. } => Error::ValueTooLong { len, max },
        other => other,
    }
}
