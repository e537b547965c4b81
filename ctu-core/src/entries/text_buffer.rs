//! Text values that mappings build in place.

use super::buffer::Buffer;
use crate::error::Error;
use core::borrow::Borrow;
use heapless::LenType;

/// An owned text that can grow, up to its capacity if it has one: the counterpart of [`Buffer`].
///
/// `heapless::String` and, with `alloc`, `String` are text buffers.
///
/// ```
/// use ctu_core::{Error, Text, TextBuffer};
///
/// let mut text = Text::<4>::default();
/// TextBuffer::append(&mut text, "abc")?;
/// let error = TextBuffer::append(&mut text, "de");
/// assert_eq!(error, Err(Error::ValueTooLong { len: 5, max: 4 }));
/// assert_eq!(text, "abc");
/// # Ok::<(), Error>(())
/// ```
pub trait TextBuffer: AsRef<str> + Borrow<str> + Clone + Default {
    /// The byte buffer of the same capacity.
    type Bytes: Buffer + Clone;

    /// Appends `text`.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] if it does not fit; the buffer is unchanged.
    fn append(&mut self, text: &str) -> Result<(), Error>;
}

impl<const N: usize, L: LenType> TextBuffer for heapless::String<N, L> {
    type Bytes = heapless::Vec<u8, N, L>;

    #[inline]
    fn append(&mut self, text: &str) -> Result<(), Error> {
        let len = self.len();
        match self.push_str(text) {
            Ok(()) => Ok(()),
            Err(_) => Err(Error::ValueTooLong {
                len: len.saturating_add(text.len()),
                max: N,
            }),
        }
    }
}

#[cfg(feature = "alloc")]
impl TextBuffer for alloc::string::String {
    type Bytes = alloc::vec::Vec<u8>;

    #[inline]
    fn append(&mut self, text: &str) -> Result<(), Error> {
        self.push_str(text);
        Ok(())
    }
}
