use super::{
    MAX_DEPTH,
    escape::push_text,
    float::{push_float, widen},
    map::{MapWriter, StructWriter},
    special,
};
use crate::error::Error;
use alloc::string::String;
use core::fmt::{self, Display, Write};
use serde::ser::{
    self, Serialize, SerializeSeq, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
    Serializer,
};

/// `Some` and newtypes leave no trace in JSON, but each takes its share of the stack: a value
/// linked by these alone must be refused as well.
const MAX_WRAPPED: usize = 4 * MAX_DEPTH;

/// Serde wants an error made of any text; ours stays what it is and is not opened to that.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for Refusal {}

impl ser::Error for Refusal {
    fn custom<T: Display>(_: T) -> Self {
        Self(Error::Encode("a value that its own type refused"))
    }
}

/// What the outermost value has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    Anything,
    /// A sequence; `()` stands for an empty one.
    Arguments,
    /// An object with text for keys; `()` stands for an empty one.
    Keywords,
}

/// The Serde serializer: appends JSON in Python's form to a text.
pub(super) struct Writer {
    pub(super) out: String,
    depth: usize,
    wrapped: usize,
    expect: Expect,
    /// Arguments are told apart by what is written of them, and nothing is read back.
    is_key: bool,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self::inside(0, Expect::Anything)
    }

    /// For a value that will be put `depth` brackets deep.
    pub(super) fn inside(depth: usize, expect: Expect) -> Self {
        Self {
            // What most keys and small values fit.
            out: String::with_capacity(128),
            depth,
            wrapped: 0,
            is_key: expect != Expect::Anything,
            expect,
        }
    }

    pub(super) fn write<T: ?Sized + Serialize>(mut self, value: &T) -> Result<String, Error> {
        match value.serialize(&mut self) {
            Ok(()) => Ok(self.out),
            Err(Refusal(error)) => Err(error),
        }
    }

    /// Takes note that the value is to be one of `kind`, and refuses it where another is wanted.
    fn is(&mut self, kind: Expect) -> Result<(), Refusal> {
        match self.expect {
            expect if expect == kind => {}
            Expect::Anything => {}
            Expect::Arguments => {
                let what = "arguments that are no sequence; write one argument as (x,)";
                return Err(Refusal(Error::Encode(what)));
            }
            Expect::Keywords => {
                let what = "keyword arguments that are no map or struct";
                return Err(Refusal(Error::Encode(what)));
            }
        }
        self.expect = Expect::Anything;
        Ok(())
    }

    /// The place for a value without brackets.
    fn scalar(&mut self) -> Result<&mut String, Refusal> {
        self.is(Expect::Anything)?;
        Ok(&mut self.out)
    }

    fn open(&mut self, bracket: &str) -> Result<(), Refusal> {
        self.depth = self.depth.saturating_add(bracket.len());
        if self.depth > MAX_DEPTH {
            return Err(Refusal(Error::Encode("arrays or objects nested too deep")));
        }
        self.out.push_str(bracket);
        Ok(())
    }

    pub(super) fn close(&mut self, brackets: &str) {
        self.depth = self.depth.saturating_sub(brackets.len());
        self.out.push_str(brackets);
    }

    fn open_seq(&mut self, close: &'static str) -> Result<SeqWriter<'_>, Refusal> {
        self.open("[")?;
        Ok(SeqWriter {
            writer: self,
            empty: true,
            close,
        })
    }

    fn open_map(
        &mut self,
        keys_are_text: bool,
        close: &'static str,
    ) -> Result<MapWriter<'_>, Refusal> {
        self.open("{")?;
        Ok(MapWriter::new(self, keys_are_text, close))
    }

    /// `{"name":`, to be closed with a bracket of its own.
    fn open_variant(&mut self, name: &str) -> Result<(), Refusal> {
        self.is(Expect::Keywords)?;
        self.open("{")?;
        push_text(&mut self.out, name);
        self.out.push(':');
        Ok(())
    }

    fn wrapped<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Refusal> {
        if self.wrapped >= MAX_WRAPPED {
            return Err(Refusal(Error::Encode("a value nested too deep")));
        }
        self.wrapped += 1;
        value.serialize(&mut *self)?;
        self.wrapped -= 1;
        Ok(())
    }
}

macro_rules! integers {
    ($($method:ident $t:ty,)*) => {$(
        fn $method(self, value: $t) -> Result<(), Refusal> {
            // Writing to a `String` does not fail.
            let _ = write!(self.scalar()?, "{value}");
            Ok(())
        }
    )*};
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Refusal;
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

    fn serialize_bool(self, value: bool) -> Result<(), Refusal> {
        self.scalar()?
            .push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Refusal> {
        self.serialize_f64(widen(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Refusal> {
        push_float(self.scalar()?, value)?;
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Refusal> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Refusal> {
        push_text(self.scalar()?, value);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Refusal> {
        Err(Refusal(Error::Encode("bytes in JSON")))
    }

    fn serialize_none(self) -> Result<(), Refusal> {
        self.scalar()?.push_str("null");
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Refusal> {
        let start = self.out.len();
        self.wrapped(value)?;
        if self.is_key && self.out.get(start..) == Some("null") {
            return Err(Refusal(Error::Encode("a key of `Some` of what is null")));
        }
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Refusal> {
        self.out.push_str(match self.expect {
            Expect::Anything => "null",
            Expect::Arguments => "[]",
            Expect::Keywords => "{}",
        });
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refusal> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Refusal> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.wrapped(value)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.close("}");
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<SeqWriter<'w>, Refusal> {
        self.is(Expect::Arguments)?;
        self.open_seq("]")
    }

    fn serialize_tuple(self, len: usize) -> Result<SeqWriter<'w>, Refusal> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<SeqWriter<'w>, Refusal> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<SeqWriter<'w>, Refusal> {
        self.open_variant(variant)?;
        self.open_seq("]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapWriter<'w>, Refusal> {
        let keys_are_text = self.expect == Expect::Keywords;
        self.is(Expect::Keywords)?;
        self.open_map(keys_are_text, "}")
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<StructWriter<'w>, Refusal> {
        match name {
            special::NUMBER => {
                self.scalar()?;
                Ok(StructWriter::Number(self))
            }
            special::RAW => Ok(StructWriter::Raw(self)),
            _ => {
                self.is(Expect::Keywords)?;
                Ok(StructWriter::Object(self.open_map(true, "}")?))
            }
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<MapWriter<'w>, Refusal> {
        self.open_variant(variant)?;
        self.open_map(true, "}}")
    }
}

/// An array being written.
pub(super) struct SeqWriter<'w> {
    writer: &'w mut Writer,
    empty: bool,
    /// Closing bracket, and that of the variant around it.
    close: &'static str,
}

impl SeqWriter<'_> {
    fn element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Refusal> {
        if !self.empty {
            self.writer.out.push(',');
        }
        self.empty = false;
        value.serialize(&mut *self.writer)
    }

    fn finish(self) -> Result<(), Refusal> {
        self.writer.close(self.close);
        Ok(())
    }
}

macro_rules! seq_writer_is {
    ($($name:ident $method:ident,)*) => {$(
        impl $name for SeqWriter<'_> {
            type Ok = ();
            type Error = Refusal;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Refusal> {
                self.element(value)
            }

            fn end(self) -> Result<(), Refusal> {
                self.finish()
            }
        }
    )*};
}
seq_writer_is! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}
