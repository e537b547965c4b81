//! Byte values that mappings change in place.

use crate::error::Error;
use heapless::LenType;

/// Bytes of a fixed capacity, without a heap: the usual key and value of a cache on a microcontroller.
///
/// ```
/// use ctu_core::Bytes;
/// let psk = Bytes::<64>::try_from(&b"correct horse"[..])?;
/// assert_eq!(psk, b"correct horse");
/// # Ok::<(), heapless::CapacityError>(())
/// ```
pub type Bytes<const N: usize> = heapless::Vec<u8, N, u16>;

/// Text of a fixed capacity in bytes, without a heap.
pub type Text<const N: usize> = heapless::String<N, u16>;

/// An owned run of bytes that can grow, up to a capacity if it has one.
///
/// Values move through a stack of mappings in the buffer of the cache below, and are encrypted and
/// padded where they are: no mapping needs a scratch buffer of its own.
pub trait Buffer: AsRef<[u8]> + AsMut<[u8]> + Default {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] when they do not fit; the buffer is unchanged.
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Keeps the first `len` bytes. Does nothing where there are no more than these.
    fn truncate(&mut self, len: usize);

    /// A buffer that holds `bytes`.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] when they do not fit.
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
