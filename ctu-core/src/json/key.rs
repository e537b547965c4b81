//! Keys of objects: their order and their form in Python's `json`.

use super::{
    escape::push_text,
    float::{push_float, widen},
    refusal::SerError,
    special,
};
use crate::error::Error;
use alloc::{borrow::Cow, borrow::ToOwned, string::String};
use core::cmp::Ordering;
use serde::ser::{Impossible, Serialize, SerializeStruct, Serializer};

/// A key of a map before its conversion to text. Python sorts by this form.
#[derive(Clone, Debug)]
pub(super) enum Key {
    None,
    Bool(bool),
    Int(Int),
    Float(f64),
    Text(Cow<'static, str>),
}

/// Every integer of Serde, so that all compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Int {
    /// Never for zero.
    negative: bool,
    magnitude: u128,
}

impl From<i128> for Int {
    fn from(value: i128) -> Self {
        Self {
            negative: value < 0,
            magnitude: value.unsigned_abs(),
        }
    }
}

impl From<u128> for Int {
    fn from(magnitude: u128) -> Self {
        Self {
            negative: false,
            magnitude,
        }
    }
}

impl Ord for Int {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude.cmp(&other.magnitude),
            (true, true) => other.magnitude.cmp(&self.magnitude),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Int {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Int {
    /// Compares exactly, as Python does, and not after rounding to a float.
    fn cmp_float(self, float: f64) -> Ordering {
        const TWO_POW_128: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
        if float >= TWO_POW_128 {
            return Ordering::Less;
        }
        if float <= -TWO_POW_128 {
            return Ordering::Greater;
        }
        // In range, so the cast drops the fraction and no more, and the way back is exact.
        let magnitude = float.abs() as u128;
        let fraction = float.abs() - magnitude as f64;
        let whole = Self {
            negative: float < 0.0 && magnitude != 0,
            magnitude,
        };
        self.cmp(&whole).then(match (fraction > 0.0, float < 0.0) {
            (false, _) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (true, true) => Ordering::Greater,
        })
    }
}

impl Key {
    /// Whether Python could compare the two.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let kind = |key: &Self| match key {
            Self::None => 0,
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => 1,
            Self::Text(_) => 2,
        };
        kind(self) == kind(other)
    }

    pub(super) const fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// The order of keys that are alike. NaN is refused before it is compared.
    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Self::Float(a), b) => match b.int() {
                Some(b) => b.cmp_float(*a).reverse(),
                None => Ordering::Equal,
            },
            (a, Self::Float(b)) => match a.int() {
                Some(a) => a.cmp_float(*b),
                None => Ordering::Equal,
            },
            (a, b) => a.int().cmp(&b.int()),
        }
    }

    fn int(&self) -> Option<Int> {
        match self {
            Self::Bool(value) => Some(Int::from(u128::from(*value))),
            Self::Int(value) => Some(*value),
            Self::None | Self::Float(_) | Self::Text(_) => None,
        }
    }

    /// Writes the key as text in quotes.
    pub(super) fn push(&self, out: &mut String) -> Result<(), Error> {
        if let Self::Text(text) = self {
            push_text(out, text);
            return Ok(());
        }
        out.push('"');
        match self {
            Self::Text(_) => {}
            Self::None => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Int(int) => {
                if int.negative {
                    out.push('-');
                }
                out.push_str(itoa::Buffer::new().format(int.magnitude));
            }
            Self::Float(float) => push_float(out, *float)?,
        }
        out.push('"');
        Ok(())
    }
}

/// A number given as text as a key of a map. Integers over 128 bits cannot be compared here.
fn number_key(text: &str) -> Option<Key> {
    if special::integer(text).is_none() {
        return text.parse().ok().map(Key::Float);
    }
    if let Ok(int) = text.parse::<i128>() {
        return Some(Key::Int(Int::from(int)));
    }
    text.parse::<u128>()
        .ok()
        .map(|int| Key::Int(Int::from(int)))
}

/// Makes a [`Key`] of a serialized value.
pub(super) struct KeySerializer;

const NOT_A_KEY: SerError = SerError(Error::Encode(
    "a map key that is no text, number, bool or none",
));

macro_rules! int_keys {
    ($($method:ident $t:ty => $wide:ty,)*) => {$(
        fn $method(self, value: $t) -> Result<Key, SerError> {
            Ok(Key::Int(Int::from(<$wide>::from(value))))
        }
    )*};
}

type No = Impossible<Key, SerError>;

impl Serializer for KeySerializer {
    type Ok = Key;
    type Error = SerError;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = NumberKey;
    type SerializeStructVariant = No;

    int_keys! {
        serialize_i8 i8 => i128,
        serialize_i16 i16 => i128,
        serialize_i32 i32 => i128,
        serialize_i64 i64 => i128,
        serialize_i128 i128 => i128,
        serialize_u8 u8 => u128,
        serialize_u16 u16 => u128,
        serialize_u32 u32 => u128,
        serialize_u64 u64 => u128,
        serialize_u128 u128 => u128,
    }

    fn serialize_bool(self, value: bool) -> Result<Key, SerError> {
        Ok(Key::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Key, SerError> {
        self.serialize_f64(widen(value))
    }

    fn serialize_f64(self, value: f64) -> Result<Key, SerError> {
        Ok(Key::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<Key, SerError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<Key, SerError> {
        Ok(Key::Text(Cow::Owned(value.to_owned())))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Key, SerError> {
        Err(NOT_A_KEY)
    }

    fn serialize_none(self) -> Result<Key, SerError> {
        Ok(Key::None)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Key, SerError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Key, SerError> {
        Ok(Key::None)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Key, SerError> {
        Ok(Key::None)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Key, SerError> {
        Ok(Key::Text(Cow::Borrowed(variant)))
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Key, SerError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Key, SerError> {
        Err(NOT_A_KEY)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<No, SerError> {
        Err(NOT_A_KEY)
    }

    fn serialize_tuple(self, _: usize) -> Result<No, SerError> {
        Err(NOT_A_KEY)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<No, SerError> {
        Err(NOT_A_KEY)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No, SerError> {
        Err(NOT_A_KEY)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<No, SerError> {
        Err(NOT_A_KEY)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<NumberKey, SerError> {
        if name == special::NUMBER {
            Ok(NumberKey(None))
        } else {
            Err(NOT_A_KEY)
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No, SerError> {
        Err(NOT_A_KEY)
    }
}

/// A `serde_json::Number` of any precision as a key.
pub(super) struct NumberKey(Option<Key>);

impl SerializeStruct for NumberKey {
    type Ok = Key;
    type Error = SerError;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), SerError> {
        if let Key::Text(text) = value.serialize(KeySerializer)? {
            self.0 = number_key(&text);
        }
        Ok(())
    }

    fn end(self) -> Result<Key, SerError> {
        self.0.ok_or(NOT_A_KEY)
    }
}
