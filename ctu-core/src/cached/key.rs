use crate::{
    caches::Cache,
    error::Error,
    mappings::{AsPrefix, PrefixKey},
};
use core::{borrow::Borrow, fmt, marker::PhantomData, ops::Deref};

/// What a key of `K` can be made of: the arguments of a cached function, or what its `key = ...` made of them.
///
/// `Kind` tells the ways apart; the compiler finds it out. In this order of thought:
///
/// | the cache's keys | arguments | the key |
/// | --- | --- | --- |
/// | `K` | one that is a `K`, or borrows as one | the argument itself |
/// | `(A, B, ...)` | as many that become the parts | the parts ([`OwnArg`](super::OwnArg)); a prefix is the first part |
/// | `str` | none, several, or one that is no text (feature `json`) | `json_key` of them |
#[diagnostic::on_unimplemented(
    message = "no key of type `{K}` can be made of what `#[cached]` has",
    label = "the cache's keys are `{K}`, and this is `{Self}`",
    note = "a cache of typed keys wants the arguments in their order, as in `(String, u32)`, with a first part for the prefix if there is one",
    note = "a key of another unsized type than `str` and `[u8]` has no automatic prefix: write `prefix = \"\"`",
    note = "other keys are made by a function or closure: `key = json_key`, `key = |first, second| ...`",
    note = "floats are no keys, since NaN does not equal itself: write `key = |value| value.to_bits()`, or make a text of it"
)]
pub trait MakeKey<K: ?Sized, P, Kind> {
    /// The key, or what stands for it.
    type Key: CallKey<K>;

    /// Makes the key, or what stands for it.
    ///
    /// # Errors
    /// Where it does not fit, or has no form.
    fn make_key(self, prefix: P) -> Result<Self::Key, Error>;
}

/// What a call looks up by: a key, or the parts of one that is made only if it has to be stored.
pub trait CallKey<K: ?Sized> {
    /// The key, and whatever keeps it.
    type Owned: Deref<Target = K>;

    /// The value at the key.
    fn lookup<C: Cache<Key = K>>(&self, cache: &C) -> Result<Option<C::Value>, C::Error>;

    /// Makes the key.
    ///
    /// # Errors
    /// Where it does not fit.
    fn into_key(self) -> Result<Self::Owned, Error>;
}

impl<B: Deref<Target = K>, K: ?Sized> CallKey<K> for B {
    type Owned = B;
    #[inline]
    fn lookup<C: Cache<Key = K>>(&self, cache: &C) -> Result<Option<C::Value>, C::Error> {
        cache.get(self)
    }
    #[inline]
    fn into_key(self) -> Result<B, Error> {
        Ok(self)
    }
}

/// A key of a cache whose type the function does not name, so that it cannot be passed to that cache: write
/// `cache: Type = CACHE` in place of `cache = CACHE` for that.
pub trait KeyOfUntypedCache: fmt::Debug {}

impl<T: fmt::Debug> KeyOfUntypedCache for T {}

/// The arguments of a call, a tuple of references.
#[derive(Clone, Copy, Debug)]
pub struct Args<T>(pub T);

/// What `key = ...` returned.
#[derive(Clone, Copy, Debug)]
pub struct CustomKey<T>(pub T);

/// `prefix = ""`: the key as it is.
#[derive(Clone, Copy, Debug)]
pub struct NoPrefix;

/// No `prefix`: the path of the function stands before a key of text or bytes, which has no other
/// trace of the function. A typed key stays as it is.
#[derive(Clone, Copy, Debug)]
pub struct FunctionName {
    /// The type of a method, empty for a free function.
    owner: &'static str,
    /// The rest of the path, up to the key.
    name: &'static str,
}

impl FunctionName {
    /// The path of a free function.
    #[inline]
    pub const fn free(name: &'static str) -> Self {
        Self { owner: "", name }
    }

    /// The path of a method of `T`.
    #[inline]
    pub fn method<T: ?Sized>(name: &'static str) -> Self {
        let owner = core::any::type_name::<T>();
        Self { owner, name }
    }
}

/// A prefix that leaves keys `K` as they are.
pub trait LeavesKey<K: ?Sized> {}

impl<K: ?Sized> LeavesKey<K> for NoPrefix {}
impl<K> LeavesKey<K> for FunctionName {}

/// A prefix that stands before keys `K`: text or bytes.
pub trait PrefixesKey<K: PrefixKey + ?Sized> {
    /// Joins the prefix and `key`.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] as [`PrefixKey::prefixed`].
    fn before(&self, key: &K) -> Result<K::Joined, Error>;
}

impl<K: PrefixKey + ?Sized> PrefixesKey<K> for Literal
where
    Self: AsPrefix<K>,
{
    #[inline]
    fn before(&self, key: &K) -> Result<K::Joined, Error> {
        key.prefixed(self.as_prefix())
    }
}

impl<K: PrefixKey + ?Sized> PrefixesKey<K> for FunctionName
where
    Literal: AsPrefix<K>,
{
    #[inline]
    fn before(&self, key: &K) -> Result<K::Joined, Error> {
        let name = Literal(self.name);
        if self.owner.is_empty() {
            return name.before(key);
        }
        let path = Literal(self.owner).before(name.as_prefix())?;
        key.prefixed(path.borrow())
    }
}

/// The prefix of a function.
#[derive(Clone, Copy, Debug)]
pub struct Literal(pub &'static str);

impl AsPrefix<str> for Literal {
    #[inline]
    fn as_prefix(&self) -> &str {
        self.0
    }
}

impl AsPrefix<[u8]> for Literal {
    #[inline]
    fn as_prefix(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A key that is lent: an argument as it is.
pub struct BorrowedKey<'a, A: ?Sized, K: ?Sized>(&'a A, PhantomData<fn(&K)>);

impl<'a, A: ?Sized, K: ?Sized> BorrowedKey<'a, A, K> {
    #[inline]
    pub(super) const fn new(arg: &'a A) -> Self {
        Self(arg, PhantomData)
    }
}

impl<A: Borrow<K> + ?Sized, K: ?Sized> Deref for BorrowedKey<'_, A, K> {
    type Target = K;
    #[inline]
    fn deref(&self) -> &K {
        self.0.borrow()
    }
}

impl<A: Borrow<K> + ?Sized, K: fmt::Debug + ?Sized> fmt::Debug for BorrowedKey<'_, A, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A key that was made.
pub struct OwnedKey<B, K: ?Sized>(B, PhantomData<fn(&K)>);

impl<B, K: ?Sized> OwnedKey<B, K> {
    #[inline]
    pub(super) const fn new(key: B) -> Self {
        Self(key, PhantomData)
    }
}

impl<B: Borrow<K>, K: ?Sized> Deref for OwnedKey<B, K> {
    type Target = K;
    #[inline]
    fn deref(&self) -> &K {
        self.0.borrow()
    }
}

impl<B: Borrow<K>, K: fmt::Debug + ?Sized> fmt::Debug for OwnedKey<B, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
