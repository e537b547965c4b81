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
        /// After a miss: leads the computation, or waits for another caller's and looks again. Where it leads, it looks
        /// again if it `looks`: another computation may have ended since the miss.
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
            // One for all the rounds: at the limit the caller leads.
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

/// [`look`](super::call::look) by a key that is made.
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

/// After a miss: leads, for [`compute`] to look again, or waits. Does neither where the cache has a single flight itself:
/// a caller that holds one flight while it waits for another can deadlock.
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

/// Ends a flight whose result is in the cache.
pub fn finish(flight: &mut Option<Flight<'_>>) {
    if let Some(flight) = flight.take() {
        flight.finish();
    }
}

/// Whether what the function returns is to be kept.
fn may_store<R, E: CacheError>(lookup: &Lookup<R, E>) -> bool {
    match lookup {
        Lookup::Hit(_) => false,
        Lookup::Miss => true,
        Lookup::Failed(error) => EntryState::after(error).is_known(),
    }
}

/// What a flight is for. Not the key alone: an object that computes by way of another, each with a cache of its own, would
/// wait for itself.
fn flight_key<B: Deref>(cache: CacheId, key: &B) -> (CacheId, &B::Target) {
    (cache, key)
}

/// What became of a computation through the cache.
#[derive(Debug)]
pub enum Computed<R, E, F> {
    /// What the function returns, which was not stored.
    Done(R),
    /// What the function returned, which was stored.
    Stored(R),
    /// What the function returned, though the cache failed.
    Failed(R, E),
    /// The cache failed before the function ran.
    NotRun(E, F),
}

/// Runs the function within the cache's own [`get_or_compute`](Cache::get_or_compute): a cache that overrides it has a
/// single flight for all its callers, and may have an older value where the function fails.
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
        // A second time where what the cache then found was damaged.
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
            // What the function knows to be no more is no more, whatever the cache remembers.
            Outcome::Forget => Computed::Done(returned),
            // The function failed, and the cache has an older value.
            Outcome::Leave => Computed::Done(R::found(value)),
        },
        (Ok(Some(value)), None, _) => {
            finish(&mut flight);
            Computed::Done(R::found(value))
        }
        // Nothing was stored over what cannot be decoded.
        (Ok(None), Some(returned), _) if state == EntryState::Stale => {
            store_returned::<_, _, _, _, _, Policy>(cache, key, returned)
        }
        (Ok(None), Some(returned), _) => Computed::Done(returned),
        (Err(error), Some(returned), _) => Computed::Failed(returned, error),
        // The look has told of it already.
        (Err(error), None, Some(run)) if EntryState::after(&error) == EntryState::Stale => {
            store_returned::<_, _, _, _, _, Policy>(cache, key, run())
        }
        (Err(error), None, Some(run)) => Computed::NotRun(error, run),
        // A cache that neither finds a value nor has it computed.
        (Ok(None), None, Some(run)) => Computed::Done(run()),
        // It began to run and returned nothing: it panicked, and the cache went on as if it had not, though a panic is to pass
        // through `get_or_compute`. There is nothing to return.
        (_, None, None) => panic!("the cached function panicked"),
    };
    if matches!(computed, Computed::Stored(_)) {
        finish(&mut flight);
    }
    computed
}

/// Keeps what the function returned, in place of what cannot be decoded.
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
