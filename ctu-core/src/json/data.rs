//! JSON values as plain data: no key of an object has a special meaning.

use super::special;
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Unexpected, Visitor},
};
use serde_json::{Map, Number, Value};

/// A JSON value of any shape, in which every object is data.
///
/// A `serde_json::Value` cannot hold every object once a crate of the program enables
/// `arbitrary_precision` (the feature `big-integers` does) or `raw_value` of `serde_json`: the key
/// `$serde_json::private::Number` then stands for a number, and [`from_slice`](super::from_slice)
/// refuses an object that begins with it. This type reads such an object as data. Use it for values
/// with keys from untrusted sources.
///
/// ```
/// use ctu_core::json::{Data, from_str, to_string};
///
/// let json = r#"{"$serde_json::private::Number":"1"}"#;
/// let data: Data = from_str(json)?;
/// assert!(data.0.is_object());
/// assert_eq!(to_string(&data)?, json);
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Data(pub Value);

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl From<Data> for Value {
    fn from(data: Data) -> Self {
        data.0
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

/// Hands a scalar to the reader of `serde_json`, which knows the numbers of this build.
macro_rules! scalars {
    ($($method:ident($t:ty),)*) => {$(
        fn $method<E: Error>(self, value: $t) -> Result<Data, E> {
            let from = serde::de::IntoDeserializer::<E>::into_deserializer(value);
            Value::deserialize(from).map(Data)
        }
    )*};
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    scalars! {
        visit_bool(bool),
        visit_i64(i64),
        visit_i128(i128),
        visit_u64(u64),
        visit_u128(u128),
        visit_f64(f64),
        visit_str(&str),
        visit_string(String),
    }

    fn visit_none<E: Error>(self) -> Result<Data, E> {
        Ok(Data(Value::Null))
    }

    fn visit_unit<E: Error>(self) -> Result<Data, E> {
        Ok(Data(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Data, D::Error> {
        Data::deserialize(from)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Data, D::Error> {
        Data::deserialize(from)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Data, A::Error> {
        let mut elements = Vec::new();
        while let Some(Data(element)) = from.next_element()? {
            elements.push(element);
        }
        Ok(Data(Value::Array(elements)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Data, A::Error> {
        let mut object = Map::new();
        while let Some(name) = from.next_key_seed(AnyName)? {
            match name {
                Name::Number => {
                    let digits: String = from.next_value()?;
                    let number = digits.parse::<Number>().map_err(A::Error::custom)?;
                    return Ok(Data(Value::Number(number)));
                }
                Name::Key(key) => {
                    let Data(value) = from.next_value()?;
                    object.insert(key, value);
                }
            }
        }
        Ok(Data(Value::Object(object)))
    }
}

/// The key of an object, or the mark of a number of any precision.
enum Name {
    Key(String),
    Number,
}

/// Reads a [`Name`]. `serde_json` reads a key of data as bytes where bytes are asked for, and hands
/// over its own mark as text all the same.
struct AnyName;

impl<'de> DeserializeSeed<'de> for AnyName {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Name, D::Error> {
        from.deserialize_bytes(self)
    }
}

impl Visitor<'_> for AnyName {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key of an object")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Name, E> {
        Ok(match text {
            special::NUMBER => Name::Number,
            _ => Name::Key(text.into()),
        })
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<Name, E> {
        match core::str::from_utf8(key) {
            Ok(text) => Ok(Name::Key(text.into())),
            Err(_) => Err(E::invalid_value(Unexpected::Bytes(key), &self)),
        }
    }
}
