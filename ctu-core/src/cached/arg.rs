use crate::{Bytes, Error, Text};

/// An argument of a cached function as a part of the key that its cache keeps: a clone of it, or the
/// owned form of a text or of bytes.
///
/// A function `fn area(of: &str, zoom: u8)` can be cached by keys `(Text<16>, u8)` without a heap, and
/// by `(String, u8)`. Whatever is [`Clone`] is a part of a key as it is.
#[diagnostic::on_unimplemented(
    message = "an argument of type `{Self}` does not become a part of a key of type `{T}`",
    label = "the cache's keys have `{T}` here",
    note = "make the key yourself: `key = |first, second| ...`, or leave the argument out: `skip(name)`"
)]
pub trait OwnArg<T> {
    /// Makes the part.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] where it does not fit.
    fn own(&self) -> Result<T, Error>;
}

impl<T: Clone> OwnArg<T> for T {
    #[inline]
    fn own(&self) -> Result<T, Error> {
        Ok(self.clone())
    }
}

// `str` and `[u8]` for what is given by reference, `&str` and `&[u8]` for what a type parameter hides.
macro_rules! slice_is_owned {
    ($slice:ty, [$($generics:tt)*] $t:ty, $slice_:ident => $own:expr) => {
        impl<$($generics)*> OwnArg<$t> for $slice {
            #[inline]
            fn own(&self) -> Result<$t, Error> {
                let $slice_ = self;
                $own
            }
        }
        impl<$($generics)*> OwnArg<$t> for &$slice {
            #[inline]
            fn own(&self) -> Result<$t, Error> {
                (**self).own()
            }
        }
        impl<$($generics)*> OwnArg<Option<$t>> for Option<&$slice> {
            #[inline]
            fn own(&self) -> Result<Option<$t>, Error> {
                self.map(OwnArg::own).transpose()
            }
        }
    };
}
slice_is_owned!(str, [const N: usize] Text<N>, text => <Text<N> as crate::StoredKey>::store(text));
slice_is_owned!([u8], [const N: usize] Bytes<N>, bytes => <Bytes<N> as crate::StoredKey>::store(bytes));

#[cfg(feature = "alloc")]
mod heap {
    use super::{Error, OwnArg};
    use alloc::{boxed::Box, string::String, vec::Vec};

    slice_is_owned!(str, [] String, text => Ok(text.into()));
    slice_is_owned!(str, [] Box<str>, text => Ok(text.into()));
    slice_is_owned!([u8], [] Vec<u8>, bytes => Ok(bytes.into()));
    slice_is_owned!([u8], [] Box<[u8]>, bytes => Ok(bytes.into()));
    #[cfg(target_has_atomic = "ptr")]
    slice_is_owned!(str, [] alloc::sync::Arc<str>, text => Ok(text.into()));
    #[cfg(target_has_atomic = "ptr")]
    slice_is_owned!([u8], [] alloc::sync::Arc<[u8]>, bytes => Ok(bytes.into()));
}

/// The prefix of a typed key, its first part.
impl OwnArg<&'static str> for super::Literal {
    #[inline]
    fn own(&self) -> Result<&'static str, Error> {
        Ok(self.0)
    }
}

impl<const N: usize> OwnArg<Text<N>> for super::Literal {
    #[inline]
    fn own(&self) -> Result<Text<N>, Error> {
        self.0.own()
    }
}

#[cfg(feature = "alloc")]
impl OwnArg<alloc::string::String> for super::Literal {
    fn own(&self) -> Result<alloc::string::String, Error> {
        self.0.own()
    }
}

/// How an expansion hands over an argument: lent, as a rule.
pub trait ArgRef {
    /// The argument's type.
    type Arg: ?Sized;
    /// The argument.
    fn arg(&self) -> &Self::Arg;
}

impl<A: ?Sized> ArgRef for &A {
    type Arg = A;
    #[inline]
    fn arg(&self) -> &A {
        self
    }
}

/// An argument given away: the key that is made of it may outlive the call.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Own<A>(pub A);

impl<A> ArgRef for Own<A> {
    type Arg = A;
    #[inline]
    fn arg(&self) -> &A {
        &self.0
    }
}
