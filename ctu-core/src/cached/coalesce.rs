//! The steps of a call with `single_flight`.

use super::{
    backend::AsyncBackend,
    call::{EntryState, Lookup, lookup_async, store, to_lookup},
    returned::{Outcome, Returned},
    single_flight::{Flight, SingleFlight},
};
use crate::{
    caches::{Cache, CacheId},
    error::{CacheError, Error},
};
use core::{hash::Hash, marker::PhantomData, ops::Deref};

macro_rules! join {
    (
        [$($async:ident)?] [$($Mode:ident)?] [$($bound:tt)*] [$($await:tt)*]
        $join:ident $join_until:ident $lookup:ident
    ) => {
        /// Joins the flight of the key after a miss. The caller leads the computation, or waits for
        /// the leader and repeats the lookup. With `looks_again`, a leader repeats the lookup too:
        /// another computation may have ended since the miss.
        pub $($async)? fn $join<'f, C, $($Mode,)? B, R, Kind, Policy>(
            flights: &'f SingleFlight,
            cache: &C,
            key: &Result<B, Error>,
            mut lookup: Lookup<R, C::Error>,
            policy: PhantomData<Policy>,
            looks_again: bool,
        ) -> (Lookup<R, C::Error>, Option<Flight<'f>>)
        where
            C: $($bound)*,
            B: Deref<Target = C::Key>,
            R: Returned<C::Value, Kind, Policy>,
        {
            // All rounds share one deadline. The caller leads once it has passed.
            let deadline = flights.deadline();
            while let (true, Ok(at)) = (may_store(&lookup), key) {
                let flight = flights.$join_until(&flight_key(cache.id(), at), deadline) $($await)*;
                if looks_again || flight.is_none() {
                    lookup = $lookup(cache, key, policy) $($await)*;
                }
                match flight {
                    Some(flight) if matches!(lookup, Lookup::Hit(_)) => flight.finish(),
                    Some(flight) => return (lookup, Some(flight)),
                    None => {}
                }
            }
            (lookup, None)
        }
    };
}
join!([] [] [Cache<Key: Hash> + ?Sized] [] join_then_lookup join_until lookup_at);
join!(
    [async] [Mode] [AsyncBackend<Mode, Key: Hash> + ?Sized] [.await]
    join_then_lookup_async join_until_async lookup_async
);

/// [`lookup`](super::call::lookup) by an owned key.
fn lookup_at<C, B, R, Kind, Policy>(
    cache: &C,
    key: &Result<B, Error>,
    _: PhantomData<Policy>,
) -> Lookup<R, C::Error>
where
    C: Cache + ?Sized,
    B: Deref<Target = C::Key>,
    R: Returned<C::Value, Kind, Policy>,
{
    match key {
        Ok(key) => to_lookup(cache.get(key)),
        Err(error) => Lookup::Failed((*error).into()),
    }
}

/// Joins the flight of the key after a miss. A leader leaves the second lookup to [`compute`].
///
/// A cache with a single flight of its own is not joined: a caller that holds one flight while it
/// waits for another can deadlock.
pub fn join<'f, C, B, R, Kind, Policy>(
    flights: &'f SingleFlight,
    cache: &C,
    key: &Result<B, Error>,
    lookup: Lookup<R, C::Error>,
    policy: PhantomData<Policy>,
) -> (Lookup<R, C::Error>, Option<Flight<'f>>)
where
    C: Cache<Key: Hash> + ?Sized,
    B: Deref<Target = C::Key>,
    R: Returned<C::Value, Kind, Policy>,
{
    if cache.has_single_flight() {
        return (lookup, None);
    }
    join_then_lookup(flights, cache, key, lookup, policy, false)
}

/// Ends a flight after its result was stored.
pub fn finish(flight: &mut Option<Flight<'_>>) {
    if let Some(flight) = flight.take() {
        flight.finish();
    }
}

/// Returns whether the result of the function may be stored.
fn may_store<R, E: CacheError>(lookup: &Lookup<R, E>) -> bool {
    match lookup {
        Lookup::Hit(_) => false,
        Lookup::Miss => true,
        Lookup::Failed(error) => EntryState::after(error).is_known(),
    }
}

/// The key of a flight: the cache and the key of the entry. The key alone is not enough. An object
/// that computes through another object with a cache of its own would wait for itself.
fn flight_key<B: Deref>(cache: CacheId, key: &B) -> (CacheId, &B::Target) {
    (cache, key)
}

/// The result of a computation through the cache.
#[derive(Debug)]
pub enum Computed<R, E, F> {
    /// The result of the function, not stored.
    Done(R),
    /// The result of the function, stored.
    Stored(R),
    /// The result of the function, and the error of the cache.
    Failed(R, E),
    /// The cache failed before the function ran.
    NotRun(E, F),
}

/// Runs the function within [`get_or_compute`](Cache::get_or_compute) of the cache. A cache that
/// overrides this method has a single flight for all its callers, and may return an older value if
/// the function fails.
pub fn compute<C, B, R, F, Kind, Policy>(
    cache: &C,
    key: &Result<B, Error>,
    run: F,
    state: EntryState,
    _: PhantomData<Policy>,
    mut flight: Option<Flight<'_>>,
) -> Computed<R, C::Error, F>
where
    C: Cache + ?Sized,
    B: Deref<Target = C::Key>,
    R: Returned<C::Value, Kind, Policy>,
    F: FnOnce() -> R,
{
    let at = match key {
        Ok(at) => at,
        Err(error) => return Computed::NotRun((*error).into(), run),
    };
    let (mut run, mut returned) = (Some(run), None);
    let found = cache.get_or_compute(at, &mut || {
        // The cache calls a second time if it then found a corrupt value.
        if let Some(run) = run.take() {
            returned = Some(run());
        }
        Ok(match returned.as_ref().map(R::outcome) {
            Some(Outcome::Store(value)) => Some(value.clone()),
            _ => None,
        })
    });
    let computed = match (found, returned, run) {
        (Ok(Some(value)), Some(returned), _) => match returned.outcome() {
            Outcome::Store(_) => Computed::Stored(returned),
            // The function reports that the value no longer exists. That overrides the cache.
            Outcome::Forget => Computed::Done(returned),
            // The function failed and the cache has an older value.
            Outcome::Leave => Computed::Done(R::found(value)),
        },
        (Ok(Some(value)), None, _) => {
            finish(&mut flight);
            Computed::Done(R::found(value))
        }
        // The undecodable entry was not replaced yet.
        (Ok(None), Some(returned), _) if state == EntryState::Stale => {
            store_returned::<_, _, _, _, _, Policy>(cache, key, returned)
        }
        (Ok(None), Some(returned), _) => Computed::Done(returned),
        (Err(error), Some(returned), _) => Computed::Failed(returned, error),
        // The lookup has reported this error already.
        (Err(error), None, Some(run)) if EntryState::after(&error) == EntryState::Stale => {
            store_returned::<_, _, _, _, _, Policy>(cache, key, run())
        }
        (Err(error), None, Some(run)) => Computed::NotRun(error, run),
        // The cache has no value and did not call the function.
        (Ok(None), None, Some(run)) => Computed::Done(run()),
        // The function panicked and the cache swallowed the panic, although `get_or_compute` has to
        // pass panics on. No value exists to return.
        (_, None, None) => panic!("the cached function panicked"),
    };
    if matches!(computed, Computed::Stored(_)) {
        finish(&mut flight);
    }
    computed
}

/// Replaces an undecodable entry by the result of the function.
fn store_returned<C, B, R, F, Kind, Policy>(
    cache: &C,
    key: &Result<B, Error>,
    returned: R,
) -> Computed<R, C::Error, F>
where
    C: Cache + ?Sized,
    B: Deref<Target = C::Key>,
    R: Returned<C::Value, Kind, Policy>,
{
    let outcome = returned.outcome().cloned();
    match store(cache, key, outcome, None, EntryState::Stale) {
        Ok(true) => Computed::Stored(returned),
        Ok(false) => Computed::Done(returned),
        Err(error) => Computed::Failed(returned, error),
    }
}
