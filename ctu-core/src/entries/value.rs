//! Conversion of a caller's argument to a value.

use crate::error::Error;
use heapless::LenType;

/// An argument that converts to a value `V`: a `V` itself, or a slice that fits.
///
/// With it, `insert(b"wifi/psk", b"correct horse")` works on a cache of `Bytes<64>`, and
/// `insert("name", "value")` on a cache of `String`.
///
/// ```
/// use ctu_core::{Bytes, Error, IntoValue};
///
/// let value: Bytes<4> = b"abc".into_value()?;
/// assert_eq!(value, b"abc");
/// let error: Result<Bytes<4>, _> = b"abcde".into_value();
/// assert_eq!(error, Err(Error::ValueTooLong { len: 5, max: 4 }));
/// # Ok::<(), Error>(())
/// ```
pub trait IntoValue<V> {
    /// Converts to the value.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] if it does not fit.
    fn into_value(self) -> Result<V, Error>;
}

impl<V> IntoValue<V> for V {
    #[inline]
    fn into_value(self) -> Result<V, Error> {
        Ok(self)
    }
}

impl<const N: usize, L: LenType> IntoValue<heapless::Vec<u8, N, L>> for &[u8] {
    #[inline]
    fn into_value(self) -> Result<heapless::Vec<u8, N, L>, Error> {
        let mut value = heapless::Vec::new();
        match value.extend_from_slice(self) {
            Ok(()) => Ok(value),
            Err(_) => Err(Error::ValueTooLong {
                len: self.len(),
                max: N,
            }),
        }
    }
}

impl<const N: usize, L: LenType> IntoValue<heapless::String<N, L>> for &str {
    #[inline]
    fn into_value(self) -> Result<heapless::String<N, L>, Error> {
        let mut value = heapless::String::new();
        match value.push_str(self) {
            Ok(()) => Ok(value),
            Err(_) => Err(Error::ValueTooLong {
                len: self.len(),
                max: N,
            }),
        }
    }
}

impl<const M: usize, const N: usize, L: LenType> IntoValue<heapless::Vec<u8, N, L>> for &[u8; M] {
    #[inline]
    fn into_value(self) -> Result<heapless::Vec<u8, N, L>, Error> {
        self.as_slice().into_value()
    }
}

#[cfg(feature = "alloc")]
mod heap {
    use super::{Error, IntoValue};
    #[cfg(target_has_atomic = "ptr")]
    use alloc::sync::Arc;
    use alloc::{boxed::Box, string::String, vec::Vec};

    macro_rules! from_slice {
        ($($slice:ty => $($t:ty),+;)*) => {$($(
            impl IntoValue<$t> for &$slice {
                #[inline]
                fn into_value(self) -> Result<$t, Error> {
                    Ok(self.into())
                }
            }
        )+)*};
    }
    from_slice! {
        [u8] => Vec<u8>, Box<[u8]>;
        str => String, Box<str>;
    }
    #[cfg(target_has_atomic = "ptr")]
    from_slice! {
        [u8] => Arc<[u8]>;
        str => Arc<str>;
    }

    impl IntoValue<String> for &String {
        #[inline]
        fn into_value(self) -> Result<String, Error> {
            Ok(self.clone())
        }
    }

    impl IntoValue<Vec<u8>> for &Vec<u8> {
        #[inline]
        fn into_value(self) -> Result<Vec<u8>, Error> {
            Ok(self.clone())
        }
    }

    macro_rules! from_array {
        ($($t:ty),*) => {$(
            impl<const M: usize> IntoValue<$t> for &[u8; M] {
                #[inline]
                fn into_value(self) -> Result<$t, Error> {
                    self.as_slice().into_value()
                }
            }
        )*};
    }
    from_array!(Vec<u8>, Box<[u8]>);
    #[cfg(target_has_atomic = "ptr")]
    from_array!(Arc<[u8]>);
}
