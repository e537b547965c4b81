//! Owned keys, and the borrowed forms for lookups.

use crate::error::Error;
use core::{borrow::Borrow, hash::Hash};
use heapless::LenType;

/// A key that a store owns, built from the borrowed form of lookups.
///
/// A lookup in a cache with keys `Bytes<20>` takes a `&[u8]`, and with keys `String` a `&str`. Only
/// a write needs the owned form, and it fails if the key does not fit.
///
/// Numbers, `bool`, `char`, arrays, tuples, `&'static` references, heapless and (with `alloc`) heap
/// buffers are keys. For a type of your own:
///
/// ```
/// use ctu_core::{Error, StoredKey};
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct Sensor { bus: u8, address: u16 }
///
/// impl StoredKey for Sensor {
///     type Lookup = Self;
///     fn store(lookup: &Self) -> Result<Self, Error> {
///         Ok(lookup.clone())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key that a store can keep",
    label = "not a key",
    note = "text, bytes, integers, and arrays and tuples of what is `Clone + Eq + Hash` are keys; for a type of your own implement `StoredKey`",
    note = "floats are no keys, since NaN does not equal itself: keep `value.to_bits()`, or the number as text"
)]
pub trait StoredKey: Borrow<Self::Lookup> + Hash + Eq + Sized {
    /// The borrowed form. It hashes and compares like the owned key.
    type Lookup: ?Sized + Hash + Eq;

    /// Builds the owned key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] if the key does not fit.
    fn store(lookup: &Self::Lookup) -> Result<Self, Error>;
}

macro_rules! clone_is_stored {
    ($($t:ty),*) => {$(
        impl StoredKey for $t {
            type Lookup = Self;
            #[inline]
            fn store(lookup: &Self) -> Result<Self, Error> {
                Ok(lookup.clone())
            }
        }
    )*};
}
clone_is_stored!(
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    bool,
    char,
    ()
);

macro_rules! tuple_is_stored {
    ($($($t:ident)+),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($t: Clone + Hash + Eq),+> StoredKey for ($($t,)+) {
            type Lookup = Self;
            #[inline]
            fn store(lookup: &Self) -> Result<Self, Error> {
                Ok(lookup.clone())
            }
        }
    )*};
}
tuple_is_stored!(A, A B, A B C, A B C D, A B C D E, A B C D E F, A B C D E F G, A B C D E F G H);

#[diagnostic::do_not_recommend]
impl<T: Clone + Hash + Eq, const N: usize> StoredKey for [T; N] {
    type Lookup = Self;
    #[inline]
    fn store(lookup: &Self) -> Result<Self, Error> {
        Ok(lookup.clone())
    }
}

impl<T: ?Sized + Hash + Eq> StoredKey for &'static T {
    type Lookup = Self;
    #[inline]
    fn store(lookup: &Self) -> Result<Self, Error> {
        Ok(lookup)
    }
}

impl<const N: usize, L: LenType> StoredKey for heapless::Vec<u8, N, L> {
    type Lookup = [u8];
    #[inline]
    fn store(lookup: &[u8]) -> Result<Self, Error> {
        let mut key = Self::new();
        match key.extend_from_slice(lookup) {
            Ok(()) => Ok(key),
            Err(_) => Err(Error::KeyTooLong {
                len: lookup.len(),
                max: N,
            }),
        }
    }
}

impl<const N: usize, L: LenType> StoredKey for heapless::String<N, L> {
    type Lookup = str;
    #[inline]
    fn store(lookup: &str) -> Result<Self, Error> {
        let mut key = Self::new();
        match key.push_str(lookup) {
            Ok(()) => Ok(key),
            Err(_) => Err(Error::KeyTooLong {
                len: lookup.len(),
                max: N,
            }),
        }
    }
}

#[cfg(feature = "alloc")]
mod heap {
    use super::{Error, StoredKey};
    use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};

    macro_rules! heap_is_stored {
        ($($t:ty => $lookup:ty),*) => {$(
            impl StoredKey for $t {
                type Lookup = $lookup;
                #[inline]
                fn store(lookup: &$lookup) -> Result<Self, Error> {
                    Ok(lookup.into())
                }
            }
        )*};
    }
    heap_is_stored!(
        String => str, Box<str> => str, Rc<str> => str,
        Vec<u8> => [u8], Box<[u8]> => [u8], Rc<[u8]> => [u8]
    );
    #[cfg(target_has_atomic = "ptr")]
    heap_is_stored!(alloc::sync::Arc<str> => str, alloc::sync::Arc<[u8]> => [u8]);
}
