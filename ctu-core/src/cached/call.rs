//! The steps of a cached call: key, lookup, store.

use super::{
    backend::AsyncBackend,
    key::{CallKey, MakeKey, ScopeFor},
    returned::{Outcome, Returned},
};
use crate::{
    caches::Cache,
    error::{CacheError, Error},
};
use core::{marker::PhantomData, ops::Deref, time::Duration};

/// The result of a lookup in the cache.
#[derive(Debug)]
pub enum Lookup<R, E> {
    /// The cached result of the function.
    Hit(R),
    /// The cache has no entry for the key.
    Miss,
    /// The lookup failed with this error.
    Failed(E),
}

/// The state of the entry after a lookup without a usable value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// The cache has no entry.
    Absent,
    /// The entry must be replaced: it cannot be decoded, or the caller requested a refresh.
    Stale,
    /// The lookup failed. The result is not stored: a write would probably fail as well, after
    /// another deadline.
    Unknown,
}

impl EntryState {
    /// The state after a failed lookup. An undecodable entry is stale, since the next lookup would
    /// fail on it as well.
    #[cold]
    pub fn after<E: CacheError>(error: &E) -> Self {
        if error.is_corrupt() {
            Self::Stale
        } else {
            Self::Unknown
        }
    }

    /// Returns whether the result of the function is stored.
    pub fn is_known(self) -> bool {
        self != Self::Unknown
    }
}

/// Creates the lookup key for `cache`.
#[inline]
pub fn key<C, P, A, Kind>(_: &C, prefix: P, from: A) -> Result<A::Key, Error>
where
    C: Cache + ?Sized,
    A: MakeKey<C::Key, P, Kind, Scope: ScopeFor<C>>,
{
    from.make_key(prefix)
}

/// Creates the owned key for an async cache.
#[inline]
pub fn key_async<C, Mode, P, A, Kind>(
    _: &C,
    prefix: P,
    from: A,
) -> Result<<A::Key as CallKey<C::Key>>::Owned, Error>
where
    C: AsyncBackend<Mode> + ?Sized,
    A: MakeKey<C::Key, P, Kind, Scope: ScopeFor<C>>,
{
    from.make_key(prefix)?.into_key()
}

/// Looks `key` up. The key is passed by reference, since moving it costs as much as the lookup.
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

/// The async form of [`lookup`].
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

/// Converts a lookup key to an owned key.
#[inline]
pub fn into_key<B: CallKey<K>, K: ?Sized>(key: Result<B, Error>) -> Result<B::Owned, Error> {
    key?.into_key()
}

/// Creates the owned key after a miss, before the call consumes the arguments.
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

/// Calls a closure. The types of its parameters are inferred from `args`.
#[inline]
pub fn apply<A, R>(args: A, closure: impl FnOnce(A) -> R) -> R {
    closure(args)
}

/// States the output type of a future, so that `?` works in an async block.
#[inline]
pub fn returning<R, F: Future<Output = R>>(future: F) -> F {
    future
}

/// A return type that can hold an error of the cache. `on_error = return` requires it.
#[diagnostic::on_unimplemented(
    message = "`on_error = return` needs a function that returns a `Result` with an error `From<{E}>`",
    label = "the function returns `{Self}`",
    note = "return `Result<_, E>` with `E: From<{E}>`, or leave `on_error` out: the function then runs without its cache"
)]
pub trait TakesError<E> {
    /// Converts the error to the return type.
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
        /// Decides how the returned value is stored. It is a separate step, so that no future holds
        /// a reference to the returned value.
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

        /// Applies `outcome` to the entry and returns whether the cache changed. It is not inlined:
        /// a hit of the caller would otherwise save the registers that the write needs.
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
                        // A missing entry is better than a stale one.
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

        /// Returns whether the cache has an entry for the key.
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

        /// Removes the entry and returns whether it existed.
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
