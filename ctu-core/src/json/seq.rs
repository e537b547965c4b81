use super::{refusal::SerError, writer::Writer};
use serde::ser::{
    Serialize, SerializeSeq, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};

/// An array being written.
pub(super) struct SeqWriter<'w> {
    writer: &'w mut Writer,
    empty: bool,
    /// Closing bracket, and that of the variant around it.
    close: &'static str,
}

impl<'w> SeqWriter<'w> {
    /// Writes the opening bracket.
    pub(super) fn open(writer: &'w mut Writer, close: &'static str) -> Result<Self, SerError> {
        writer.open("[")?;
        Ok(Self {
            writer,
            empty: true,
            close,
        })
    }

    fn element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), SerError> {
        if !self.empty {
            self.writer.out.push(',');
        }
        self.empty = false;
        value.serialize(&mut *self.writer)
    }

    fn finish(self) -> Result<(), SerError> {
        self.writer.close(self.close);
        Ok(())
    }
}

macro_rules! seq_writer_is {
    ($($name:ident $method:ident,)*) => {$(
        impl $name for SeqWriter<'_> {
            type Ok = ();
            type Error = SerError;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), SerError> {
                self.element(value)
            }

            fn end(self) -> Result<(), SerError> {
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
