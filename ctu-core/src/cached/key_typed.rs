//! Keys that are the arguments.

use super::{
    arg::{ArgRef, Own, OwnArg},
    key::{Args, Kept, Lent, Literal, MakeKey, NoPrefix},
};
use crate::{AsPrefix, Error, PrefixKey};
use core::borrow::Borrow;

/// One argument is the key.
#[derive(Debug)]
pub enum Itself {}

/// The arguments are the parts of the key.
#[derive(Debug)]
pub enum Parts {}

#[diagnostic::do_not_recommend]
impl<'a, A: Borrow<K> + ?Sized, K: ?Sized> MakeKey<K, NoPrefix, Itself> for Args<(&'a A,)> {
    type Key = Lent<'a, A, K>;
    #[inline]
    fn make_key(self, NoPrefix: NoPrefix) -> Result<Self::Key, Error> {
        Ok(Lent::new(self.0.0))
    }
}

#[diagnostic::do_not_recommend]
impl<A: Borrow<K>, K: ?Sized> MakeKey<K, NoPrefix, Itself> for Args<(Own<A>,)> {
    type Key = Kept<A, K>;
    #[inline]
    fn make_key(self, NoPrefix: NoPrefix) -> Result<Self::Key, Error> {
        Ok(Kept::new(self.0.0.0))
    }
}

#[diagnostic::do_not_recommend]
impl<T, K> MakeKey<K, Literal, Itself> for Args<(T,)>
where
    T: ArgRef<Arg: Borrow<K>>,
    K: PrefixKey + ?Sized,
    Literal: AsPrefix<K>,
{
    type Key = Kept<K::Joined, K>;
    #[inline]
    fn make_key(self, prefix: Literal) -> Result<Self::Key, Error> {
        let key: &K = self.0.0.arg().borrow();
        key.prefixed(prefix.as_prefix()).map(Kept::new)
    }
}

macro_rules! arguments_are_parts {
    ($($($t:ident $k:ident $at:tt)*;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($t, $k),*> MakeKey<($($k,)*), NoPrefix, Parts> for Args<($($t,)*)>
        where
            $($t: ArgRef<Arg: OwnArg<$k>>),*
        {
            type Key = Kept<($($k,)*), ($($k,)*)>;
            #[inline]
            fn make_key(self, NoPrefix: NoPrefix) -> Result<Self::Key, Error> {
                Ok(Kept::new(($(self.0.$at.arg().own()?,)*)))
            }
        }
    )*};
}
arguments_are_parts! {
    ;
    A KA 0;
    A KA 0 B KB 1;
    A KA 0 B KB 1 C KC 2;
    A KA 0 B KB 1 C KC 2 D KD 3;
    A KA 0 B KB 1 C KC 2 D KD 3 E KE 4;
    A KA 0 B KB 1 C KC 2 D KD 3 E KE 4 F KF 5;
    A KA 0 B KB 1 C KC 2 D KD 3 E KE 4 F KF 5 G KG 6;
    A KA 0 B KB 1 C KC 2 D KD 3 E KE 4 F KF 5 G KG 6 H KH 7;
}

macro_rules! prefix_is_first_part {
    ($($($t:ident $k:ident $at:tt)*;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<P, $($t, $k),*> MakeKey<(P, $($k,)*), Literal, Parts> for Args<($($t,)*)>
        where
            Literal: OwnArg<P>,
            $($t: ArgRef<Arg: OwnArg<$k>>),*
        {
            type Key = Kept<(P, $($k,)*), (P, $($k,)*)>;
            #[inline]
            fn make_key(self, prefix: Literal) -> Result<Self::Key, Error> {
                Ok(Kept::new((prefix.own()?, $(self.0.$at.arg().own()?,)*)))
            }
        }
    )*};
}
prefix_is_first_part! {
    ;
    A KA 0;
    A KA 0 B KB 1;
    A KA 0 B KB 1 C KC 2;
    A KA 0 B KB 1 C KC 2 D KD 3;
    A KA 0 B KB 1 C KC 2 D KD 3 E KE 4;
    A KA 0 B KB 1 C KC 2 D KD 3 E KE 4 F KF 5;
    A KA 0 B KB 1 C KC 2 D KD 3 E KE 4 F KF 5 G KG 6;
}
