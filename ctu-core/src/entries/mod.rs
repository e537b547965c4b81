//! Keys and values: the borrowed and owned forms of a key, and the buffers that hold bytes and text.

mod buffer;
mod equivalent;
mod key;
mod text_buffer;
mod value;

pub use buffer::{Buffer, Bytes, Text};
pub use equivalent::Equivalent;
pub use key::StoredKey;
pub use text_buffer::TextBuffer;
pub use value::IntoValue;
