//! The steps of a call: make the key, look, keep.

use super::{
    backend::AsyncBackend,
    key::{CallKey, MakeKey},
    returned::{Outcome, Returned},
};
use crate::{Cache, CacheError, Error};
use core::{marker::PhantomData, ops::Deref, time::Duration};

/// What a look into the cache found.
#[derive(Debug)]
pub enum Look<R, E> {
    /// What the function returns.
    Hit(R),
    /// Nothing, at this key.
    Miss,
    /// Nothing, since this failed.
    Failed(E),
}

impl<R, E: CacheError> Look<R, E> {
    /// Whether what the function returns is to be stored.
    #[cfg(feature = "std")]
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Hit(_) => false,
            Self::Miss => true,
            Self::Failed(error) => writes_over(error),
        }
    }
}

/// Whether what the function returns is to be stored, though the look failed: over a value that cannot be decoded, whose
/// next read would fail as well. What failed otherwise is likely to fail once more, after another deadline.
#[cold]
pub fn writes_over<E: CacheError>(error: &E) -> bool {
    error.is_damage()
}

/// Makes what is looked up by in `cache`.
#[inline]
pub fn key<C, P, A, Kind>(_: &C, prefix: P, from: A) -> Result<A::Key, Error>
where
    C: Cache + ?Sized,
    A: MakeKey<C::Key, P, Kind>,
{
    from.make_key(prefix)
}

/// Makes a key of an async cache.
#[inline]
pub fn key_async<C, Mode, P, A, Kind>(
    _: &C,
    prefix: P,
    from: A,
) -> Result<<A::Key as CallKey<C::Key>>::Made, Error>
where
    C: AsyncBackend<Mode> + ?Sized,
    A: MakeKey<C::Key, P, Kind>,
{
    from.make_key(prefix)?.made()
}

/// Looks for `key`, which stays where it is: moving it costs as much as finding it.
#[inline]
pub fn look<C, B, R, Kind, Policy>(
    cache: &C,
    key: &Result<B, Error>,
    _: PhantomData<Policy>,
) -> Look<R, C::Error>
where
    C: Cache,
    B: CallKey<C::Key>,
    R: Returned<C::Value, Kind, Policy>,
{
    match key {
        Ok(key) => looked(key.look(cache)),
        Err(error) => Look::Failed((*error).into()),
    }
}

/// [`look`] into an async cache.
#[inline]
pub async fn look_async<C, Mode, B, R, Kind, Policy>(
    cache: &C,
    key: &Result<B, Error>,
    _: PhantomData<Policy>,
) -> Look<R, C::Error>
where
    C: AsyncBackend<Mode> + ?Sized,
    B: Deref<Target = C::Key>,
    R: Returned<C::Value, Kind, Policy>,
{
    match key {
        Ok(key) => looked(cache.get(key).await),
        Err(error) => Look::Failed((*error).into()),
    }
}

#[inline]
fn looked<V, R, E, Kind, Policy>(found: Result<Option<V>, E>) -> Look<R, E>
where
    R: Returned<V, Kind, Policy>,
{
    match found {
        Ok(Some(value)) => Look::Hit(R::found(value)),
        Ok(None) => Look::Miss,
        Err(error) => Look::Failed(error),
    }
}

/// The key of what is looked up by.
#[inline]
pub fn made<B: CallKey<K>, K: ?Sized>(key: Result<B, Error>) -> Result<B::Made, Error> {
    key?.made()
}

/// After a miss: makes the key that the result is to be stored at, before the arguments are used up.
pub fn missed<B, K, R, E>(
    key: Result<B, Error>,
    looked: Look<R, E>,
) -> (Result<B::Made, Error>, Look<R, E>)
where
    B: CallKey<K>,
    K: ?Sized,
    E: From<Error>,
{
    let key = made(key);
    let looked = match (&key, looked) {
        (Err(error), Look::Miss) => Look::Failed((*error).into()),
        (_, looked) => looked,
    };
    (key, looked)
}

/// Hands arguments to a closure, whose parameters have their types from here.
#[inline]
pub fn apply<A, R>(args: A, closure: impl FnOnce(A) -> R) -> R {
    closure(args)
}

/// Says what a future returns, so that `?` works in an async block.
#[inline]
pub fn returning<R, F: Future<Output = R>>(future: F) -> F {
    future
}

/// A return type that can hold an error of the cache: what `on_error = return` needs.
#[diagnostic::on_unimplemented(
    message = "`on_error = return` needs a function that returns a `Result` whose error can be made from `{E}`",
    label = "the function returns `{Self}`",
    note = "return `Result<_, E>` with `E: From<{E}>`, or leave `on_error` out: the function then runs without its cache"
)]
pub trait TakesError<E> {
    /// Makes it.
    fn failed(error: E) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, F: From<E>, E> TakesError<E> for Result<T, F> {
    fn failed(error: E) -> Self {
        Err(error.into())
    }
}

macro_rules! steps {
    (
        [$($async:ident)?] [$($Mode:ident)?] [$($bound:tt)*] [$($await:tt)*]
        $keep:ident $renew:ident $contains:ident $delete:ident
    ) => {
        /// Stores what the function returned, if that is to be stored, and says whether it was. Kept out of the function, whose hits
        /// would else save the registers that storing needs.
        #[inline(never)]
        pub $($async)? fn $keep<C, $($Mode,)? B, R, Kind, Policy>(
            cache: &C,
            key: &Result<B, Error>,
            returned: &R,
            ttl: Option<Duration>,
            _: PhantomData<Policy>,
        ) -> Result<bool, C::Error>
        where
            C: $($bound)* + ?Sized,
            B: Deref<Target = C::Key>,
            R: Returned<C::Value, Kind, Policy>,
        {
            let key = key.as_ref().map_err(|error| *error)?;
            match returned.outcome() {
                Outcome::Store(value) => cache.put(key, value.clone(), ttl) $($await)* .map(|()| true),
                Outcome::Forget | Outcome::Leave => Ok(false),
            }
        }

        /// Stores what the function returned in place of what was stored before. Says whether anything was changed.
        pub $($async)? fn $renew<C, $($Mode,)? B, R, Kind, Policy>(
            cache: &C,
            key: &Result<B, Error>,
            returned: &R,
            ttl: Option<Duration>,
            _: PhantomData<Policy>,
        ) -> Result<bool, C::Error>
        where
            C: $($bound)* + ?Sized,
            B: Deref<Target = C::Key>,
            R: Returned<C::Value, Kind, Policy>,
        {
            let key = key.as_ref().map_err(|error| *error)?;
            match returned.outcome() {
                Outcome::Store(value) => {
                    let stored = cache.put(key, value.clone(), ttl) $($await)*;
                    if stored.is_err() {
                        // Better nothing than what is known to be old.
                        let _ = cache.remove(key) $($await)*;
                    }
                    stored.map(|()| true)
                }
                Outcome::Forget => cache.remove(key) $($await)* .map(|_| true),
                Outcome::Leave => Ok(false),
            }
        }

        /// Whether there is an entry.
        pub $($async)? fn $contains<C, $($Mode,)? B>(
            cache: &C,
            key: Result<B, Error>,
        ) -> Result<bool, C::Error>
        where
            C: $($bound)* + ?Sized,
            B: CallKey<C::Key>,
        {
            let key = key?.made()?;
            cache.contains(&key) $($await)*
        }

        /// Removes the entry.
        pub $($async)? fn $delete<C, $($Mode,)? B>(
            cache: &C,
            key: Result<B, Error>,
        ) -> Result<bool, C::Error>
        where
            C: $($bound)* + ?Sized,
            B: CallKey<C::Key>,
        {
            let key = key?.made()?;
            cache.remove(&key) $($await)*
        }
    };
}
steps!([] [] [Cache] [] keep renew contains delete);
steps!(
    [async] [Mode] [AsyncBackend<Mode>] [.await]
    keep_async renew_async contains_async delete_async
);
