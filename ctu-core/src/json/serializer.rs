//! The Serde serializer: appends a value to a [`Writer`].

use super::{
    escape::push_text,
    float::{push_float, widen},
    map::{MapWriter, StructWriter},
    refusal::SerError,
    seq::SeqWriter,
    special,
    writer::{Expect, Writer},
};
use crate::error::Error;
use serde::ser::{Serialize, Serializer};

macro_rules! integers {
    ($($method:ident $t:ty,)*) => {$(
        fn $method(self, value: $t) -> Result<(), SerError> {
            self.scalar()?.push_str(itoa::Buffer::new().format(value));
            Ok(())
        }
    )*};
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = SerError;
    type SerializeSeq = SeqWriter<'w>;
    type SerializeTuple = SeqWriter<'w>;
    type SerializeTupleStruct = SeqWriter<'w>;
    type SerializeTupleVariant = SeqWriter<'w>;
    type SerializeMap = MapWriter<'w>;
    type SerializeStruct = StructWriter<'w>;
    type SerializeStructVariant = MapWriter<'w>;

    integers! {
        serialize_i8 i8,
        serialize_i16 i16,
        serialize_i32 i32,
        serialize_i64 i64,
        serialize_i128 i128,
        serialize_u8 u8,
        serialize_u16 u16,
        serialize_u32 u32,
        serialize_u64 u64,
        serialize_u128 u128,
    }

    fn serialize_bool(self, value: bool) -> Result<(), SerError> {
        self.scalar()?
            .push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), SerError> {
        self.serialize_f64(widen(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), SerError> {
        push_float(self.scalar()?, value)?;
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), SerError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), SerError> {
        push_text(self.scalar()?, value);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), SerError> {
        Err(SerError(Error::Encode("bytes in JSON")))
    }

    fn serialize_none(self) -> Result<(), SerError> {
        self.scalar()?.push_str("null");
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), SerError> {
        let start = self.out.len();
        self.wrapped(value)?;
        if self.is_key && self.out.get(start..) == Some("null") {
            return Err(SerError(Error::Encode("a key of `Some` of what is null")));
        }
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), SerError> {
        self.out.push_str(match self.expect {
            Expect::Anything => "null",
            Expect::Arguments => "[]",
            Expect::Keywords => "{}",
        });
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), SerError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), SerError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), SerError> {
        self.wrapped(value)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), SerError> {
        self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.close("}");
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<SeqWriter<'w>, SerError> {
        self.is(Expect::Arguments)?;
        SeqWriter::open(self, "]")
    }

    fn serialize_tuple(self, len: usize) -> Result<SeqWriter<'w>, SerError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        len: usize,
    ) -> Result<SeqWriter<'w>, SerError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<SeqWriter<'w>, SerError> {
        self.open_variant(variant)?;
        SeqWriter::open(self, "]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapWriter<'w>, SerError> {
        let keys_are_text = self.expect == Expect::Keywords;
        self.is(Expect::Keywords)?;
        MapWriter::open(self, keys_are_text, "}")
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<StructWriter<'w>, SerError> {
        match name {
            special::NUMBER => {
                self.scalar()?;
                Ok(StructWriter::Number(self))
            }
            special::RAW => Ok(StructWriter::Raw(self)),
            _ => {
                self.is(Expect::Keywords)?;
                Ok(StructWriter::Object(MapWriter::open(self, true, "}")?))
            }
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<MapWriter<'w>, SerError> {
        self.open_variant(variant)?;
        MapWriter::open(self, true, "}}")
    }
}
