//! Byte values that mappings change in place.

use crate::error::Error;
use heapless::LenType;

/// Bytes of a fixed capacity, without a heap: the usual key and value on a microcontroller.
///
/// ```
/// use ctu_core::Bytes;
/// let psk = Bytes::<64>::try_from(&b"correct horse"[..])?;
/// assert_eq!(psk, b"correct horse");
/// # Ok::<(), heapless::CapacityError>(())
/// ```
pub type Bytes<const N: usize> = heapless::Vec<u8, N, u16>;

/// Text of a fixed capacity in bytes, without a heap.
///
/// ```
/// use ctu_core::Text;
/// let ssid = Text::<32>::try_from("home")?;
/// assert_eq!(ssid, "home");
/// # Ok::<(), heapless::CapacityError>(())
/// ```
pub type Text<const N: usize> = heapless::String<N, u16>;

/// An owned byte buffer that can grow, up to its capacity if it has one.
///
/// A value moves through a stack of mappings in the buffer type of the inner cache. Encryption and
/// padding happen in place: no mapping needs a scratch buffer of its own.
///
/// ```
/// use ctu_core::{Buffer, Bytes, Error};
///
/// let mut buffer = Bytes::<4>::default();
/// Buffer::append(&mut buffer, b"abc")?;
/// let error = Buffer::append(&mut buffer, b"de");
/// assert_eq!(error, Err(Error::ValueTooLong { len: 5, max: 4 }));
/// assert_eq!(buffer, b"abc");
/// # Ok::<(), Error>(())
/// ```
pub trait Buffer: AsRef<[u8]> + AsMut<[u8]> + Default {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] if they do not fit; the buffer is unchanged.
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Keeps the first `len` bytes. No effect on a shorter buffer.
    fn truncate(&mut self, len: usize);

    /// Creates a buffer that holds `bytes`.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] if they do not fit.
    fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut buffer = Self::default();
        buffer.append(bytes)?;
        Ok(buffer)
    }
}

impl<const N: usize, L: LenType> Buffer for heapless::Vec<u8, N, L> {
    #[inline]
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let len = self.len();
        match self.extend_from_slice(bytes) {
            Ok(()) => Ok(()),
            Err(_) => Err(Error::ValueTooLong {
                len: len.saturating_add(bytes.len()),
                max: N,
            }),
        }
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        heapless::Vec::truncate(self, len);
    }
}

#[cfg(feature = "alloc")]
impl Buffer for alloc::vec::Vec<u8> {
    #[inline]
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        alloc::vec::Vec::truncate(self, len);
    }
}
