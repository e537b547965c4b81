//! The key of a call: made from the arguments, or looked up without being made.

use crate::{
    caches::{Cache, InMemory},
    error::Error,
    mappings::{AsPrefix, PrefixKey},
};
use core::{borrow::Borrow, fmt, marker::PhantomData, ops::Deref};

/// Creates a key of type `K` from the arguments of a cached function or from the result of its
/// option `key = ...`.
///
/// The compiler infers `Kind`, the conversion:
///
/// | the cache's keys | arguments | the key |
/// | --- | --- | --- |
/// | `K` | one of type `K`, or one that borrows as `K` | the argument itself |
/// | `(A, B, ...)` | one for each part | the parts ([`OwnArg`](super::OwnArg)); a prefix is the first part |
/// | `str` | none, several, or one other than text (feature `json`) | `json_key` of them |
#[diagnostic::on_unimplemented(
    message = "`#[cached]` cannot make a key of type `{K}` from these arguments",
    label = "the cache's keys are `{K}`, and this is `{Self}`",
    note = "a typed key has one part per argument, in order, as in `(String, u32)`; a prefix needs an additional first part",
    note = "a key of another unsized type than `str` and `[u8]` has no automatic prefix: write `prefix = \"\"`",
    note = "a function or a closure makes any other key: `key = json_key`, `key = |first, second| ...`",
    note = "a float is not a key, since NaN does not equal itself: write `key = |value| value.to_bits()`, or convert it to text"
)]
pub trait MakeKey<K: ?Sized, P, Kind> {
    /// The lookup key: the key itself, or its parts.
    type Key: CallKey<K>;

    /// Whether the key is apart from those of other functions: [`Apart`] or [`Bare`].
    type Scope;

    /// Creates the lookup key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] if the key exceeds the capacity of its type, [`Error::Encode`] if the
    /// arguments have no text form.
    fn make_key(self, prefix: P) -> Result<Self::Key, Error>;
}

/// The lookup key of a call: a key, or its parts. The owned key is created only for a write.
pub trait CallKey<K: ?Sized> {
    /// The owned key.
    type Owned: Deref<Target = K>;

    /// Returns the value of the key.
    fn lookup<C: Cache<Key = K>>(&self, cache: &C) -> Result<Option<C::Value>, C::Error>;

    /// Creates the owned key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] if the key exceeds the capacity of its type.
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

/// A key of a cache of unnamed type. It can be printed but not passed to the cache: write
/// `cache: Type = CACHE` in place of `cache = CACHE` for that.
pub trait KeyOfUntypedCache: fmt::Debug {}

impl<T: fmt::Debug> KeyOfUntypedCache for T {}

/// The arguments of a call, a tuple of references.
#[derive(Clone, Copy, Debug)]
pub struct Args<T>(pub T);

/// The result of the option `key = ...`.
#[derive(Clone, Copy, Debug)]
pub struct CustomKey<T>(pub T);

/// The empty prefix, `prefix = ""`. The key stays unchanged.
#[derive(Clone, Copy, Debug)]
pub struct NoPrefix;

/// The automatic prefix of a function without `prefix`: its path, before a key of text or bytes.
/// Such a key does not identify the function otherwise. A typed key stays unchanged.
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

/// The scope of a key that has a prefix, or whose function declares by `prefix = ""` that it has none.
#[derive(Debug)]
pub enum Apart {}

/// The scope of a typed key that does not identify its function.
#[derive(Debug)]
pub enum Bare {}

/// A scope of keys that a cache `C` may hold.
///
/// A cache in memory belongs to the functions that name it. At a server, two functions with equal typed
/// keys would share entries, also through two caches.
#[diagnostic::on_unimplemented(
    message = "`{C}` is not known to answer from memory, and its typed keys do not identify the function",
    label = "another function with the same type of key would share its entries at the server",
    note = "use keys of text, `RedisCache<str, _>`, or a first part of text in the key and `prefix = \"...\"`",
    note = "write `prefix = \"\"` if the entries are shared on purpose, or if the server has entries of this function alone",
    note = "declare your own `Cache` that never waits for a device: `impl InMemory for MyCache {{}}`"
)]
pub trait ScopeFor<C: ?Sized> {}

impl<C: ?Sized> ScopeFor<C> for Apart {}
#[diagnostic::do_not_recommend]
impl<C: InMemory + ?Sized> ScopeFor<C> for Bare {}

/// A prefix that does not change keys of type `K`.
pub trait LeavesKey<K: ?Sized> {
    /// As [`MakeKey::Scope`].
    type Scope;
}

impl<K: ?Sized> LeavesKey<K> for NoPrefix {
    type Scope = Apart;
}
impl<K> LeavesKey<K> for FunctionName {
    type Scope = Bare;
}

/// A prefix that precedes keys of type `K`, text or bytes.
pub trait PrefixesKey<K: PrefixKey + ?Sized> {
    /// Returns the prefix followed by `key`.
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

/// The text of a prefix.
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

/// A borrowed key: an argument without a conversion.
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

/// An owned key that borrows as `K`.
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
