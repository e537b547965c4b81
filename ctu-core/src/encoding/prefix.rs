//! Encodings of the number in an automatic prefix.

use super::{ascii85, base85};
use crate::{entries::Text, error::Error};
use core::str::FromStr;

/// The encoding of the cache number in an `AutoPrefixedCache`, with the names of CacheToolsUtils.
///
/// ```
/// use ctu_core::PrefixEncoding;
///
/// let encoding: PrefixEncoding = "b64".parse()?;
/// assert_eq!(encoding.encode(0), "AA==");
/// assert_eq!(encoding.encode(256), "AQA=");
/// assert!("z85".parse::<PrefixEncoding>().is_err());
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PrefixEncoding {
    /// Base64 with padding, `b64`: the default.
    #[default]
    B64,
    /// Base64 for URLs with padding, `b64u`.
    B64u,
    /// Base32 with padding, `b32`.
    B32,
    /// Base32 with the digits of hexadecimal first and padding, `b32x`.
    B32x,
    /// Hexadecimal in capitals, `b16`.
    B16,
    /// Ascii85, `a85`.
    A85,
    /// Base85 of RFC 1924, `b85`.
    B85,
}

impl PrefixEncoding {
    /// The encoding's name in Python.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::B64 => "b64",
            Self::B64u => "b64u",
            Self::B32 => "b32",
            Self::B32x => "b32x",
            Self::B16 => "b16",
            Self::A85 => "a85",
            Self::B85 => "b85",
        }
    }

    /// Whether encoded numbers may contain `character`.
    pub(crate) fn uses(self, character: char) -> bool {
        // `str::contains` has a panic that the compiler cannot rule out.
        let is_in = |digits: &[u8]| digits.iter().any(|&digit| char::from(digit) == character);
        match self {
            Self::B64 => is_in(BASE64.as_bytes()) || character == '=',
            Self::B64u => is_in(BASE64URL.as_bytes()) || character == '=',
            Self::B32 => is_in(BASE32.as_bytes()) || character == '=',
            Self::B32x => is_in(BASE32HEX.as_bytes()) || character == '=',
            Self::B16 => matches!(character, '0'..='9' | 'A'..='F'),
            Self::A85 => matches!(character, '!'..='u' | 'z'),
            Self::B85 => is_in(base85::ALPHABET),
        }
    }

    /// Encodes `counter`: its bytes, most significant first, without leading zeros, at least one.
    #[must_use]
    pub fn encode(self, counter: u64) -> Text<24> {
        let bytes = counter.to_be_bytes();
        let zeros = (counter.leading_zeros() / 8).min(7) as usize;
        let bytes = bytes.get(zeros..).unwrap_or(&bytes);
        // Eight bytes take at most 16 characters, so none of these fails.
        match self {
            Self::B64 => digits::<6, 4>(BASE64, bytes),
            Self::B64u => digits::<6, 4>(BASE64URL, bytes),
            Self::B32 => digits::<5, 8>(BASE32, bytes),
            Self::B32x => digits::<5, 8>(BASE32HEX, bytes),
            Self::B16 => digits::<4, 1>(BASE32HEX, bytes),
            Self::A85 => ascii85::encode(bytes).unwrap_or_default(),
            Self::B85 => base85::encode(bytes).unwrap_or_default(),
        }
    }
}

const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Its first sixteen are the digits of hexadecimal.
const BASE32HEX: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/// Encodes `bytes` in digits of `BITS` bits, padded to a multiple of `GROUP` characters.
///
/// Written here, since the tables of a crate for this take 2.5 KiB of flash, and a no-panic link
/// fails with it.
fn digits<const BITS: u32, const GROUP: usize>(alphabet: &str, bytes: &[u8]) -> Text<24> {
    let mut text = Text::new();
    let push = |text: &mut Text<24>, digit: u32| {
        let digit = (digit & ((1 << BITS) - 1)) as usize;
        let _ = text.push(
            alphabet
                .as_bytes()
                .get(digit)
                .copied()
                .unwrap_or_default()
                .into(),
        );
    };
    // At most 5 bits are pending before the next 8.
    let (mut waiting, mut bits) = (0u32, 0);
    for &byte in bytes {
        waiting = waiting << 8 | u32::from(byte);
        bits += 8;
        while bits >= BITS {
            bits -= BITS;
            push(&mut text, waiting >> bits);
        }
    }
    if bits > 0 {
        push(&mut text, waiting << (BITS - bits));
    }
    while !text.len().is_multiple_of(GROUP) && text.push('=').is_ok() {}
    text
}

impl FromStr for PrefixEncoding {
    type Err = Error;

    /// Parses the name of an encoding in Python.
    ///
    /// # Errors
    /// [`Error::UnknownName`].
    fn from_str(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "b64" => Self::B64,
            "b64u" => Self::B64u,
            "b32" => Self::B32,
            "b32x" => Self::B32x,
            "b16" => Self::B16,
            "a85" => Self::A85,
            "b85" => Self::B85,
            _ => return Err(Error::UnknownName("prefix encoding")),
        })
    }
}

impl TryFrom<&str> for PrefixEncoding {
    type Error = Error;

    fn try_from(name: &str) -> Result<Self, Error> {
        name.parse()
    }
}
