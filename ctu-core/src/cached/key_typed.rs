//! Typed keys: the arguments themselves, or a tuple of them.

use super::{
    arg::{ArgRef, ByValue, OwnArg},
    arities::arities,
    key::{
        Apart, Args, BorrowedKey, CallKey, LeavesKey, Literal, MakeKey, NoPrefix, OwnedKey,
        PrefixesKey,
    },
};
use crate::{caches::Cache, entries::KeyParts, error::Error, mappings::PrefixKey};
use core::{
    borrow::Borrow,
    hash::{Hash, Hasher},
    marker::PhantomData,
};

/// One argument is the key.
#[derive(Debug)]
pub enum Itself {}

/// One argument follows a prefix.
#[derive(Debug)]
pub enum Prefixed {}

/// The arguments are the parts of the key.
#[derive(Debug)]
pub enum Parts {}

#[diagnostic::do_not_recommend]
impl<'a, A, K, P> MakeKey<K, P, Itself> for Args<(&'a A,)>
where
    A: Borrow<K> + ?Sized,
    K: ?Sized,
    P: LeavesKey<K>,
{
    type Key = BorrowedKey<'a, A, K>;
    type Scope = P::Scope;
    #[inline]
    fn make_key(self, _: P) -> Result<Self::Key, Error> {
        Ok(BorrowedKey::new(self.0.0))
    }
}

#[diagnostic::do_not_recommend]
impl<A: Borrow<K>, K: ?Sized, P: LeavesKey<K>> MakeKey<K, P, Itself> for Args<(ByValue<A>,)> {
    type Key = OwnedKey<A, K>;
    type Scope = P::Scope;
    #[inline]
    fn make_key(self, _: P) -> Result<Self::Key, Error> {
        Ok(OwnedKey::new(self.0.0.0))
    }
}

#[diagnostic::do_not_recommend]
impl<T, K, P> MakeKey<K, P, Prefixed> for Args<(T,)>
where
    T: ArgRef<Arg: Borrow<K>>,
    K: PrefixKey + ?Sized,
    P: PrefixesKey<K>,
{
    type Key = OwnedKey<K::Joined, K>;
    type Scope = Apart;
    #[inline]
    fn make_key(self, prefix: P) -> Result<Self::Key, Error> {
        prefix.before(self.0.0.arg().borrow()).map(OwnedKey::new)
    }
}

/// The borrowed parts of a key of type `K`: an optional prefix and the arguments.
#[derive(Debug)]
pub struct PartsOf<A, K>(A, PhantomData<fn(&K)>);

impl<A, K> CallKey<K> for PartsOf<A, K>
where
    Self: KeyParts<K>,
{
    type Owned = OwnedKey<<Self as KeyParts<K>>::Key, K>;
    #[inline]
    fn lookup<C: Cache<Key = K>>(&self, cache: &C) -> Result<Option<C::Value>, C::Error> {
        cache.get_equivalent(self)
    }
    #[inline]
    fn into_key(self) -> Result<Self::Owned, Error> {
        self.make().map(OwnedKey::new)
    }
}

macro_rules! arguments_are_parts {
    ($($t:ident $k:ident $at:tt)*) => {
        impl<$($t, $k: Hash + Eq),*> KeyParts<($($k,)*)> for PartsOf<($($t,)*), ($($k,)*)>
        where
            $($t: ArgRef<Arg: OwnArg<$k>>),*
        {
            type Key = ($($k,)*);
            #[inline]
            fn hash_as<S: Hasher>(&self, state: &mut S) {
                let _ = &state;
                $(OwnArg::<$k>::hash_as(self.0.$at.arg(), state);)*
            }
            #[inline]
            fn is(&self, key: &($($k,)*)) -> bool {
                let _ = key;
                // Compares all parts without a branch: nearly every compared key is equal.
                true $(& self.0.$at.arg().is(&key.$at))*
            }
            #[inline]
            fn make(&self) -> Result<Self::Key, Error> {
                Ok(($(self.0.$at.arg().own()?,)*))
            }
        }

        #[diagnostic::do_not_recommend]
        impl<P, $($t, $k: Hash + Eq),*> MakeKey<($($k,)*), P, Parts> for Args<($($t,)*)>
        where
            P: LeavesKey<($($k,)*)>,
            $($t: ArgRef<Arg: OwnArg<$k>>),*
        {
            type Key = PartsOf<($($t,)*), ($($k,)*)>;
            type Scope = P::Scope;
            #[inline]
            fn make_key(self, _: P) -> Result<Self::Key, Error> {
                Ok(PartsOf(self.0, PhantomData))
            }
        }

        prefix_is_first_part!($($t $k)*);
    };
}

/// A prefix that is the first part of a typed key.
pub trait FirstPart {
    /// Returns the part.
    fn first_part(self) -> Literal;
}

impl FirstPart for Literal {
    #[inline]
    fn first_part(self) -> Literal {
        self
    }
}

impl FirstPart for NoPrefix {
    #[inline]
    fn first_part(self) -> Literal {
        Literal("")
    }
}

/// The first part is the prefix, the other parts are the arguments.
macro_rules! prefix_is_first_part {
    () => {};
    ($first:ident $p:ident $($t:ident $k:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<P: FirstPart, $p: Hash + Eq, $($t, $k: Hash + Eq),*>
            MakeKey<($p, $($k,)*), P, Parts> for Args<($($t,)*)>
        where
            Literal: OwnArg<$p>,
            $($t: ArgRef<Arg: OwnArg<$k>>),*
        {
            type Key = PartsOf<(Literal, $($t,)*), ($p, $($k,)*)>;
            type Scope = Apart;
            #[inline]
            #[allow(non_snake_case, reason = "an argument has the name of its type")]
            fn make_key(self, prefix: P) -> Result<Self::Key, Error> {
                let ($($t,)*) = self.0;
                Ok(PartsOf((prefix.first_part(), $($t,)*), PhantomData))
            }
        }
    };
}

arities!(arguments_are_parts);
