//! Keys from `key = ...`.

use super::key::{Kept, Literal, Made, MakeKey, NoPrefix};
use crate::{
    error::Error,
    mappings::{AsPrefix, PrefixKey},
};
use core::{borrow::Borrow, fmt, ops::Deref};

/// What was returned is the key.
#[derive(Debug)]
pub enum Key {}

/// What was returned is a `Result` of the key.
#[derive(Debug)]
pub enum ResultOfKey {}

/// What was returned is text, and the cache's keys are bytes.
#[derive(Debug)]
pub enum TextOfBytes {}

/// What was returned is a `Result` of text, and the cache's keys are bytes.
#[derive(Debug)]
pub enum ResultOfText {}

#[diagnostic::do_not_recommend]
impl<B: Borrow<K>, K: ?Sized> MakeKey<K, NoPrefix, Key> for Made<B> {
    type Key = Kept<B, K>;
    #[inline]
    fn make_key(self, NoPrefix: NoPrefix) -> Result<Self::Key, Error> {
        Ok(Kept::new(self.0))
    }
}

#[diagnostic::do_not_recommend]
impl<B: Borrow<K>, K> MakeKey<K, Literal, Key> for Made<B>
where
    K: PrefixKey + ?Sized,
    Literal: AsPrefix<K>,
{
    type Key = Kept<K::Joined, K>;
    #[inline]
    fn make_key(self, prefix: Literal) -> Result<Self::Key, Error> {
        self.0.borrow().prefixed(prefix.as_prefix()).map(Kept::new)
    }
}

#[diagnostic::do_not_recommend]
impl<B, E, K: ?Sized, P> MakeKey<K, P, ResultOfKey> for Made<Result<B, E>>
where
    Made<B>: MakeKey<K, P, Key>,
    Error: From<E>,
{
    type Key = <Made<B> as MakeKey<K, P, Key>>::Key;
    #[inline]
    fn make_key(self, prefix: P) -> Result<Self::Key, Error> {
        Made(self.0?).make_key(prefix)
    }
}

/// Text where bytes are wanted.
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
impl<T: AsRef<str>> MakeKey<[u8], NoPrefix, TextOfBytes> for Made<T> {
    type Key = TextAsBytes<T>;
    #[inline]
    fn make_key(self, NoPrefix: NoPrefix) -> Result<Self::Key, Error> {
        Ok(TextAsBytes(self.0))
    }
}

#[diagnostic::do_not_recommend]
impl<T: AsRef<str>> MakeKey<[u8], Literal, TextOfBytes> for Made<T> {
    type Key = Kept<<[u8] as PrefixKey>::Joined, [u8]>;
    #[inline]
    fn make_key(self, prefix: Literal) -> Result<Self::Key, Error> {
        let key = self.0.as_ref().as_bytes();
        key.prefixed(prefix.as_prefix()).map(Kept::new)
    }
}

#[diagnostic::do_not_recommend]
impl<T, E, P> MakeKey<[u8], P, ResultOfText> for Made<Result<T, E>>
where
    Made<T>: MakeKey<[u8], P, TextOfBytes>,
    Error: From<E>,
{
    type Key = <Made<T> as MakeKey<[u8], P, TextOfBytes>>::Key;
    #[inline]
    fn make_key(self, prefix: P) -> Result<Self::Key, Error> {
        Made(self.0?).make_key(prefix)
    }
}
