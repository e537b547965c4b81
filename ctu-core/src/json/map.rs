//! The writer of objects, which sorts keys as Python does.

use super::{
    data::Data,
    key::{Key, KeySerializer},
    read::from_str,
    refusal::SerError,
    special,
    writer::Writer,
};
use crate::error::Error;
use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{cmp::Ordering, ops::Range};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, SerializeStructVariant};

/// An object being written: in the order that its entries come in, and put in order at the end
/// where that was another. Sorted input, such as a `BTreeMap`, is written once.
pub(super) struct MapWriter<'w> {
    writer: &'w mut Writer,
    /// Where the first entry begins.
    start: usize,
    entries: Vec<Entry>,
    in_order: bool,
    keys_are_text: bool,
    /// Closing bracket, and that of the variant around it.
    close: &'static str,
}

struct Entry {
    key: Key,
    /// Where in the output the key and the value are.
    key_at: Range<usize>,
    value_at: Range<usize>,
}

impl<'w> MapWriter<'w> {
    /// Writes the opening bracket.
    pub(super) fn open(
        writer: &'w mut Writer,
        keys_are_text: bool,
        close: &'static str,
    ) -> Result<Self, SerError> {
        writer.open("{")?;
        Ok(Self {
            start: writer.out.len(),
            writer,
            entries: Vec::new(),
            in_order: true,
            keys_are_text,
            close,
        })
    }

    fn key(&mut self, key: Key) -> Result<(), SerError> {
        if self.keys_are_text && !key.is_text() {
            return Err(SerError(Error::Encode("a keyword that is not text")));
        }
        let out = &mut self.writer.out;
        if let Some(last) = self.entries.last() {
            if !key.is_like(&last.key) {
                return Err(SerError(Error::Encode("map keys of different kinds")));
            }
            self.in_order &= last.key.cmp(&key) == Ordering::Less;
            out.push(',');
        }
        let begin = out.len();
        key.push(out)?;
        let key_at = begin..out.len();
        out.push(':');
        let value_at = out.len()..out.len();
        self.entries.push(Entry {
            key,
            key_at,
            value_at,
        });
        Ok(())
    }

    fn value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), SerError> {
        let Some(entry) = self.entries.last_mut() else {
            return Err(SerError(Error::Encode("a map value without a key")));
        };
        value.serialize(&mut *self.writer)?;
        entry.value_at.end = self.writer.out.len();
        Ok(())
    }

    fn finish(mut self) -> Result<(), SerError> {
        if !self.in_order {
            self.sort();
        }
        self.writer.close(self.close);
        Ok(())
    }

    fn sort(&mut self) {
        // Stable, so that of equal keys the one given first comes first.
        self.entries.sort_by(|a, b| a.key.cmp(&b.key));
        let out = &mut self.writer.out;
        let piece = |at: &Range<usize>| out.get(at.clone()).unwrap_or_default();
        let mut sorted = String::with_capacity(out.len().saturating_sub(self.start));
        for equal in self
            .entries
            .chunk_by(|a, b| a.key.cmp(&b.key) == Ordering::Equal)
        {
            // As in a Python dict, the first spelling stays and the last value counts.
            let (Some(first), Some(last)) = (equal.first(), equal.last()) else {
                continue;
            };
            if !sorted.is_empty() {
                sorted.push(',');
            }
            sorted.push_str(piece(&first.key_at));
            sorted.push(':');
            sorted.push_str(piece(&last.value_at));
        }
        out.truncate(self.start);
        out.push_str(&sorted);
    }
}

impl SerializeMap for MapWriter<'_> {
    type Ok = ();
    type Error = SerError;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), SerError> {
        self.key(key.serialize(KeySerializer)?)
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), SerError> {
        self.value(value)
    }

    fn end(self) -> Result<(), SerError> {
        self.finish()
    }
}

impl SerializeStructVariant for MapWriter<'_> {
    type Ok = ();
    type Error = SerError;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), SerError> {
        self.key(Key::Text(Cow::Borrowed(name)))?;
        self.value(value)
    }

    fn end(self) -> Result<(), SerError> {
        self.finish()
    }
}

/// A struct, or a number or raw JSON that `serde_json` passes as a struct.
pub(super) enum StructWriter<'w> {
    Object(MapWriter<'w>),
    Number(&'w mut Writer),
    Raw(&'w mut Writer),
}

impl SerializeStruct for StructWriter<'_> {
    type Ok = ();
    type Error = SerError;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), SerError> {
        match self {
            Self::Object(map) => SerializeStructVariant::serialize_field(map, name, value),
            Self::Number(writer) => {
                special::push_number(&mut writer.out, &text_of(value)?)?;
                Ok(())
            }
            Self::Raw(writer) => write_raw(writer, &text_of(value)?),
        }
    }

    fn end(self) -> Result<(), SerError> {
        match self {
            Self::Object(map) => map.finish(),
            Self::Number(_) | Self::Raw(_) => Ok(()),
        }
    }
}

/// The text that `serde_json` hands over.
fn text_of<T: ?Sized + Serialize>(value: &T) -> Result<Cow<'static, str>, SerError> {
    match value.serialize(KeySerializer)? {
        Key::Text(text) => Ok(text),
        _ => Err(SerError(Error::Encode("a number without text"))),
    }
}

/// Reads raw JSON and writes it in Python's form.
fn write_raw(writer: &mut Writer, text: &str) -> Result<(), SerError> {
    let value: Data =
        from_str(text).map_err(|_| SerError(Error::Encode("raw JSON that is not JSON")))?;
    value.serialize(writer)
}
