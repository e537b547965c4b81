//! The steps of a call with `single_flight`.

use super::{
    backend::AsyncBackend,
    call::{Look, There, keep, look, look_async},
    flights::{Flight, Flights},
    returned::{Outcome, Returned},
};
use crate::{
    caches::Cache,
    error::{CacheError, Error},
};
use core::{hash::Hash, marker::PhantomData, ops::Deref};

macro_rules! fly {
    (
        [$($async:ident)?] [$($Mode:ident)?] [$($bound:tt)*] [$($await:tt)*]
        $fly:ident $board:ident $look:ident
    ) => {
        /// After a miss: boards, and looks again, since another may have landed meanwhile.
        pub $($async)? fn $fly<'f, C, $($Mode,)? B, R, Kind, Policy>(
            flights: &'f Flights,
            cache: &C,
            key: &Result<B, Error>,
            looked: Look<R, C::Error>,
            policy: PhantomData<Policy>,
        ) -> (Look<R, C::Error>, Option<Flight<'f>>)
        where
            C: $($bound)*,
            B: Deref<Target = C::Key>,
            R: Returned<C::Value, Kind, Policy>,
        {
            let (true, Ok(at)) = (is_open(&looked), key) else {
                return (looked, None);
            };
            let flight = flights.$board(&entry(cache.address(), at)) $($await)*;
            ($look(cache, key, policy) $($await)*, Some(flight))
        }
    };
}
fly!([] [] [Cache<Key: Hash>] [] fly board look);
fly!([async] [Mode] [AsyncBackend<Mode, Key: Hash> + ?Sized] [.await] fly_async board_async look_async);

/// After a miss: boards, for [`compute`] to look again. Not where the cache has a single flight itself: who holds one
/// flight while waiting for another may be waited for by whom it waits for.
pub fn board<'f, C, B, R>(
    flights: &'f Flights,
    cache: &C,
    key: &Result<B, Error>,
    looked: &Look<R, C::Error>,
) -> Option<Flight<'f>>
where
    C: Cache<Key: Hash> + ?Sized,
    B: Deref<Target = C::Key>,
{
    match (is_open(looked), key) {
        (true, Ok(key)) if !cache.has_single_flight() => {
            Some(flights.board(&entry(cache.address(), key)))
        }
        _ => None,
    }
}

/// Whether what the function returns is to be kept.
fn is_open<R, E: CacheError>(looked: &Look<R, E>) -> bool {
    match looked {
        Look::Hit(_) => false,
        Look::Miss => true,
        Look::Failed(error) => There::after(error).is_known(),
    }
}

/// What a flight is for. Not the key alone: an object that computes by way of another, each with a cache of its own, would
/// wait for itself.
fn entry<B: Deref>(cache: usize, key: &B) -> (usize, &B::Target) {
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

/// Runs the function within the cache's own [`get_or_compute`](Cache::get_or_compute): who overrides that has a single
/// flight among all who compute there, and may have an older value where the function fails.
pub fn compute<C, B, R, F, Kind, Policy>(
    cache: &C,
    key: &Result<B, Error>,
    run: F,
    there: There,
    _: PhantomData<Policy>,
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
    match (found, returned, run) {
        (Ok(Some(value)), Some(returned), _) => match returned.outcome() {
            Outcome::Store(_) => Computed::Stored(returned),
            // What the function knows to be no more is no more, whatever the cache remembers.
            Outcome::Forget => Computed::Done(returned),
            // The function failed, and the cache has an older value.
            Outcome::Leave => Computed::Done(R::found(value)),
        },
        (Ok(Some(value)), None, _) => Computed::Done(R::found(value)),
        // Nothing was stored over what cannot be decoded.
        (Ok(None), Some(returned), _) if there == There::Old => {
            kept::<_, _, _, _, _, Policy>(cache, key, returned)
        }
        (Ok(None), Some(returned), _) => Computed::Done(returned),
        (Err(error), Some(returned), _) => Computed::Failed(returned, error),
        // The look has told of it already.
        (Err(error), None, Some(run)) if There::after(&error) == There::Old => {
            kept::<_, _, _, _, _, Policy>(cache, key, run())
        }
        (Err(error), None, Some(run)) => Computed::NotRun(error, run),
        // A cache that neither finds a value nor has it computed.
        (Ok(None), None, Some(run)) => Computed::Done(run()),
        // It began to run and returned nothing: it panicked, and the cache went on as if it had not, though a panic is to pass
        // through `get_or_compute`. There is nothing to return.
        (_, None, None) => panic!("the cached function panicked"),
    }
}

/// Keeps what the function returned, in place of what cannot be decoded.
fn kept<C, B, R, F, Kind, Policy>(
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
    match keep(cache, key, outcome, None, There::Old) {
        Ok(true) => Computed::Stored(returned),
        Ok(false) => Computed::Done(returned),
        Err(error) => Computed::Failed(returned, error),
    }
}
