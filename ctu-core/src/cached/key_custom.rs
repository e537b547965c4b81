//! Keys from the option `key = ...`.

use super::key::{Apart, CustomKey, LeavesKey, MakeKey, NoPrefix, OwnedKey, PrefixesKey};
use crate::{error::Error, mappings::PrefixKey};
use core::{borrow::Borrow, fmt, marker::PhantomData, ops::Deref};

/// The returned value is the key.
#[derive(Debug)]
pub enum Key {}

/// The returned value follows a prefix.
#[derive(Debug)]
pub enum Prefixed {}

/// The returned value is text, and the cache's keys are bytes.
#[derive(Debug)]
pub enum TextOfBytes {}

/// The returned value is a `Result` of one of the other kinds.
#[derive(Debug)]
pub struct ResultOf<Kind>(PhantomData<Kind>);

#[diagnostic::do_not_recommend]
impl<B: Borrow<K>, K: ?Sized, P: LeavesKey<K>> MakeKey<K, P, Key> for CustomKey<B> {
    type Key = OwnedKey<B, K>;
    type Scope = P::Scope;
    #[inline]
    fn make_key(self, _: P) -> Result<Self::Key, Error> {
        Ok(OwnedKey::new(self.0))
    }
}

#[diagnostic::do_not_recommend]
impl<B: Borrow<K>, K: PrefixKey + ?Sized, P: PrefixesKey<K>> MakeKey<K, P, Prefixed>
    for CustomKey<B>
{
    type Key = OwnedKey<K::Joined, K>;
    type Scope = Apart;
    #[inline]
    fn make_key(self, prefix: P) -> Result<Self::Key, Error> {
        prefix.before(self.0.borrow()).map(OwnedKey::new)
    }
}

#[diagnostic::do_not_recommend]
impl<B, E, K: ?Sized, P, Kind> MakeKey<K, P, ResultOf<Kind>> for CustomKey<Result<B, E>>
where
    CustomKey<B>: MakeKey<K, P, Kind>,
    Error: From<E>,
{
    type Key = <CustomKey<B> as MakeKey<K, P, Kind>>::Key;
    type Scope = <CustomKey<B> as MakeKey<K, P, Kind>>::Scope;
    #[inline]
    fn make_key(self, prefix: P) -> Result<Self::Key, Error> {
        CustomKey(self.0?).make_key(prefix)
    }
}

/// Text as a key of bytes.
pub struct TextAsBytes<T>(T);

impl<T: AsRef<str>> Deref for TextAsBytes<T> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.0.as_ref().as_bytes()
    }
}

impl<T: AsRef<str>> fmt::Debug for TextAsBytes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().fmt(f)
    }
}

#[diagnostic::do_not_recommend]
impl<T: AsRef<str>> MakeKey<[u8], NoPrefix, TextOfBytes> for CustomKey<T> {
    type Key = TextAsBytes<T>;
    type Scope = Apart;
    #[inline]
    fn make_key(self, NoPrefix: NoPrefix) -> Result<Self::Key, Error> {
        Ok(TextAsBytes(self.0))
    }
}

#[diagnostic::do_not_recommend]
impl<T: AsRef<str>, P: PrefixesKey<[u8]>> MakeKey<[u8], P, TextOfBytes> for CustomKey<T> {
    type Key = OwnedKey<<[u8] as PrefixKey>::Joined, [u8]>;
    type Scope = Apart;
    #[inline]
    fn make_key(self, prefix: P) -> Result<Self::Key, Error> {
        prefix.before(self.0.as_ref().as_bytes()).map(OwnedKey::new)
    }
}
