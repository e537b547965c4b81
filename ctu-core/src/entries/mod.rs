//! Keys and values: the borrowed and owned forms of a key, and the buffers that hold bytes and
//! text.

mod buffer;
mod key;
mod key_parts;
mod text_buffer;
mod value;

pub use buffer::{Buffer, Bytes, Text};
pub use key::StoredKey;
pub use key_parts::KeyParts;
pub use text_buffer::TextBuffer;
pub use value::IntoValue;
