//! The steps of a call: make the key, look, keep.

use super::{
    backend::AsyncBackend,
    key::{CallKey, MakeKey},
    returned::{Outcome, Returned},
};
use crate::{
    caches::Cache,
    error::{CacheError, Error},
};
use core::{marker::PhantomData, ops::Deref, time::Duration};

/// What a look into the cache found.
#[derive(Debug)]
pub enum Lookup<R, E> {
    /// What the function returns.
    Hit(R),
    /// Nothing, at this key.
    Miss,
    /// Nothing, since this failed.
    Failed(E),
}

/// What is at the key, as far as a look told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// Nothing.
    Absent,
    /// What must not stay: it cannot be decoded, or is to be computed anew.
    Stale,
    /// Nobody knows, and nothing is to be stored: what failed is likely to fail once more, after another deadline.
    Unknown,
}

impl EntryState {
    /// What is there after a look that failed. What cannot be decoded would fail the next look as well.
    #[cold]
    pub fn after<E: CacheError>(error: &E) -> Self {
        if error.is_corrupt() {
            Self::Stale
        } else {
            Self::Unknown
        }
    }

    /// Whether what the function returns is to be kept.
    pub fn is_known(self) -> bool {
        self != Self::Unknown
    }
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
) -> Result<<A::Key as CallKey<C::Key>>::Owned, Error>
where
    C: AsyncBackend<Mode> + ?Sized,
    A: MakeKey<C::Key, P, Kind>,
{
    from.make_key(prefix)?.into_key()
}

/// Looks for `key`, which stays where it is: moving it costs as much as finding it.
#[inline]
pub fn lookup<C, B, R, Kind, Policy>(
    cache: &C,
    key: &Result<B, Error>,
    _: PhantomData<Policy>,
) -> Lookup<R, C::Error>
where
    C: Cache,
    B: CallKey<C::Key>,
    R: Returned<C::Value, Kind, Policy>,
{
    match key {
        Ok(key) => to_lookup(key.lookup(cache)),
        Err(error) => Lookup::Failed((*error).into()),
    }
}

/// [`look`] into an async cache.
#[inline]
pub async fn lookup_async<C, Mode, B, R, Kind, Policy>(
    cache: &C,
    key: &Result<B, Error>,
    _: PhantomData<Policy>,
) -> Lookup<R, C::Error>
where
    C: AsyncBackend<Mode> + ?Sized,
    B: Deref<Target = C::Key>,
    R: Returned<C::Value, Kind, Policy>,
{
    match key {
        Ok(key) => to_lookup(cache.get(key).await),
        Err(error) => Lookup::Failed((*error).into()),
    }
}

#[inline]
pub(super) fn to_lookup<V, R, E, Kind, Policy>(found: Result<Option<V>, E>) -> Lookup<R, E>
where
    R: Returned<V, Kind, Policy>,
{
    match found {
        Ok(Some(value)) => Lookup::Hit(R::found(value)),
        Ok(None) => Lookup::Miss,
        Err(error) => Lookup::Failed(error),
    }
}

/// The key of what is looked up by.
#[inline]
pub fn into_key<B: CallKey<K>, K: ?Sized>(key: Result<B, Error>) -> Result<B::Owned, Error> {
    key?.into_key()
}

/// After a miss: makes the key that the result is to be stored at, before the arguments are used up.
pub fn after_miss<B, K, R, E>(
    key: Result<B, Error>,
    lookup: Lookup<R, E>,
) -> (Result<B::Owned, Error>, Lookup<R, E>)
where
    B: CallKey<K>,
    K: ?Sized,
    E: From<Error>,
{
    let key = into_key(key);
    let lookup = match (&key, lookup) {
        (Err(error), Lookup::Miss) => Lookup::Failed((*error).into()),
        (_, lookup) => lookup,
    };
    (key, lookup)
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
        $outcome:ident $store:ident $contains:ident $delete:ident
    ) => {
        /// What to do with what the function returned. A step by itself, so that no future holds a reference to that.
        #[inline(never)]
        pub fn $outcome<C, $($Mode,)? R, Kind, Policy>(
            _: &C,
            returned: &R,
            _: PhantomData<Policy>,
        ) -> Outcome<C::Value>
        where
            C: $($bound)* + ?Sized,
            R: Returned<C::Value, Kind, Policy>,
        {
            returned.outcome().cloned()
        }

        /// Does it, and says whether anything was changed. Kept out of the function, whose hits would else save the registers
        /// that storing needs.
        #[inline(never)]
        pub $($async)? fn $store<C, $($Mode,)? B>(
            cache: &C,
            key: &Result<B, Error>,
            outcome: Outcome<C::Value>,
            ttl: Option<Duration>,
            state: EntryState,
        ) -> Result<bool, C::Error>
        where
            C: $($bound)* + ?Sized,
            B: Deref<Target = C::Key>,
        {
            let key = key.as_ref().map_err(|error| *error)?;
            match outcome {
                Outcome::Store(value) => {
                    let stored = cache.insert_entry(key, value, ttl) $($await)*;
                    if stored.is_err() && state == EntryState::Stale {
                        // Better nothing than what is known to be old.
                        let _ = cache.remove(key) $($await)*;
                    }
                    stored.map(|()| true)
                }
                Outcome::Forget if state == EntryState::Stale => {
                    cache.remove(key) $($await)* .map(|_| true)
                }
                Outcome::Forget | Outcome::Leave => Ok(false),
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
            let key = key?.into_key()?;
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
            let key = key?.into_key()?;
            cache.remove(&key) $($await)*
        }
    };
}
steps!([] [] [Cache] [] outcome store contains delete);
steps!(
    [async] [Mode] [AsyncBackend<Mode>] [.await]
    outcome_async store_async contains_async delete_async
);
