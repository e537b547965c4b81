//! Arguments of a cached function as parts of a typed key.

use crate::{
    entries::{Bytes, Text},
    error::Error,
};
use core::{
    borrow::Borrow,
    hash::{Hash, Hasher},
};

/// Converts an argument of a cached function to a part of the stored key: a clone of the argument,
/// or the owned form of text or bytes.
///
/// The keys of `fn area(of: &str, zoom: u8)` can be `(Text<16>, u8)` without a heap, or
/// `(String, u8)`. A [`Clone`] type converts to itself.
#[diagnostic::on_unimplemented(
    message = "an argument of type `{Self}` does not become a part of a key of type `{T}`",
    label = "the cache's keys have `{T}` here",
    note = "make the key yourself: `key = |first, second| ...`, or leave the argument out: `skip(name)`"
)]
pub trait OwnArg<T> {
    /// Creates the part of the key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] if the argument exceeds the capacity of `T`.
    fn own(&self) -> Result<T, Error>;

    /// Hashes exactly like the part. An implementation should avoid the creation of the part.
    fn hash_as<H: Hasher>(&self, state: &mut H)
    where
        T: Hash,
    {
        if let Ok(part) = self.own() {
            part.hash(state);
        }
    }

    /// Returns whether `part` equals the part that this argument converts to. An implementation
    /// should avoid the creation of a part.
    fn is(&self, part: &T) -> bool
    where
        T: Eq,
    {
        self.own().is_ok_and(|own| own == *part)
    }
}

impl<T: Clone> OwnArg<T> for T {
    #[inline]
    fn own(&self) -> Result<T, Error> {
        Ok(self.clone())
    }
    #[inline]
    fn hash_as<H: Hasher>(&self, state: &mut H)
    where
        T: Hash,
    {
        self.hash(state);
    }
    #[inline]
    fn is(&self, part: &T) -> bool
    where
        T: Eq,
    {
        self == part
    }
}

/// Hashes and compares by the slice. The contract of [`Borrow`] makes both agree with the owned
/// form.
macro_rules! looked_up_as {
    ($slice:ty, $t:ty, $this:ident => $lent:expr) => {
        #[inline]
        fn hash_as<H: Hasher>(&self, state: &mut H) {
            let $this = self;
            $lent.hash(state);
        }
        #[inline]
        fn is(&self, part: &$t) -> bool {
            let $this = self;
            *$lent == *Borrow::<$slice>::borrow(part)
        }
    };
}

// `str` and `[u8]` serve arguments by reference; `&str` and `&[u8]` serve type parameters.
macro_rules! slice_is_owned {
    ($slice:ty, [$($generics:tt)*] $t:ty, $slice_:ident => $own:expr) => {
        impl<$($generics)*> OwnArg<$t> for $slice {
            #[inline]
            fn own(&self) -> Result<$t, Error> {
                let $slice_ = self;
                $own
            }
            looked_up_as!($slice, $t, this => this);
        }
        impl<$($generics)*> OwnArg<$t> for &$slice {
            #[inline]
            fn own(&self) -> Result<$t, Error> {
                (**self).own()
            }
            looked_up_as!($slice, $t, this => *this);
        }
        impl<$($generics)*> OwnArg<Option<$t>> for Option<&$slice> {
            #[inline]
            fn own(&self) -> Result<Option<$t>, Error> {
                self.map(OwnArg::own).transpose()
            }
            #[inline]
            fn hash_as<H: Hasher>(&self, state: &mut H) {
                self.hash(state);
            }
            #[inline]
            fn is(&self, part: &Option<$t>) -> bool {
                *self == part.as_ref().map(Borrow::borrow)
            }
        }
    };
}
slice_is_owned!(str, [const N: usize] Text<N>, text => <Text<N> as crate::entries::StoredKey>::store(text));
slice_is_owned!([u8], [const N: usize] Bytes<N>, bytes => <Bytes<N> as crate::entries::StoredKey>::store(bytes));

#[cfg(feature = "alloc")]
mod heap {
    use super::{Borrow, Error, Hash, Hasher, OwnArg, Text};
    use alloc::{borrow::Cow, boxed::Box, rc::Rc, string::String, vec::Vec};

    slice_is_owned!(str, [] String, text => Ok(text.into()));
    slice_is_owned!(str, [] Box<str>, text => Ok(text.into()));
    slice_is_owned!(str, [] Rc<str>, text => Ok(text.into()));
    slice_is_owned!([T], [T: Clone + Hash + Eq] Vec<T>, items => Ok(items.into()));
    slice_is_owned!([T], [T: Clone + Hash + Eq] Box<[T]>, items => Ok(items.into()));
    #[cfg(target_has_atomic = "ptr")]
    slice_is_owned!(str, [] alloc::sync::Arc<str>, text => Ok(text.into()));
    #[cfg(target_has_atomic = "ptr")]
    slice_is_owned!([T], [T: Clone + Hash + Eq] alloc::sync::Arc<[T]>, items => Ok(items.into()));

    macro_rules! cow_is_owned {
        ($slice:ty, [$($generics:tt)*] $t:ty) => {
            impl<$($generics)*> OwnArg<$t> for Cow<'_, $slice> {
                #[inline]
                fn own(&self) -> Result<$t, Error> {
                    (**self).own()
                }
                looked_up_as!($slice, $t, this => &**this);
            }
        };
    }
    cow_is_owned!(str, [] String);
    cow_is_owned!(str, [const N: usize] Text<N>);
    cow_is_owned!([T], [T: Clone + Hash + Eq] Vec<T>);
}

/// Converts a prefix to the first part of a typed key.
impl OwnArg<&'static str> for super::Literal {
    #[inline]
    fn own(&self) -> Result<&'static str, Error> {
        Ok(self.0)
    }
    looked_up_as!(str, &'static str, this => this.0);
}

impl<const N: usize> OwnArg<Text<N>> for super::Literal {
    #[inline]
    fn own(&self) -> Result<Text<N>, Error> {
        self.0.own()
    }
    looked_up_as!(str, Text<N>, this => this.0);
}

#[cfg(feature = "alloc")]
impl OwnArg<alloc::string::String> for super::Literal {
    fn own(&self) -> Result<alloc::string::String, Error> {
        self.0.own()
    }
    looked_up_as!(str, alloc::string::String, this => this.0);
}

/// Gives access to an argument that an expansion passes by reference or by value.
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

/// Treats a prefix like an argument.
impl ArgRef for super::Literal {
    type Arg = Self;
    #[inline]
    fn arg(&self) -> &Self {
        self
    }
}

/// An argument passed by value. The key made from it may outlive the call.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct ByValue<A>(pub A);

impl<A> ArgRef for ByValue<A> {
    type Arg = A;
    #[inline]
    fn arg(&self) -> &A {
        &self.0
    }
}
