//! What is told of a cache that fails: once, and not in every call until it works again.

use crate::error::{CacheError, Error};
use core::sync::atomic::Ordering::Relaxed;

// The standard library has no swap where the machine has no compare-and-swap.
#[cfg(target_has_atomic = "ptr")]
use core::sync::atomic::{AtomicBool, AtomicUsize};
#[cfg(not(target_has_atomic = "ptr"))]
use portable_atomic::{AtomicBool, AtomicUsize};

/// Whether anybody is there to be told.
const HAS_LOGGER: bool = cfg!(any(
    feature = "defmt",
    all(feature = "tracing", target_has_atomic = "ptr")
));

/// What was told of the cache of one function: by `tracing`, by `defmt`, where these features are on.
///
/// An outage is told of when it begins, of reads and of writes each, and again only after a read or write has
/// worked. What the cache refuses, as a key too long or a time-to-live where it keeps none, and what it holds and cannot be
/// decoded, is told of once, each kind for itself.
#[derive(Debug)]
pub struct Reports {
    function: &'static str,
    reads: AtomicBool,
    writes: AtomicBool,
    /// A bit for each kind of error.
    refused: AtomicUsize,
}

impl Reports {
    /// Nothing told.
    pub const fn new(function: &'static str) -> Self {
        Self {
            function,
            reads: AtomicBool::new(false),
            writes: AtomicBool::new(false),
            refused: AtomicUsize::new(0),
        }
    }

    /// A read failed.
    #[cold]
    pub fn read_failed<E: CacheError>(&self, error: &E) {
        self.failed(&self.reads, error);
    }

    /// A write failed.
    #[cold]
    pub fn write_failed<E: CacheError>(&self, error: &E) {
        self.failed(&self.writes, error);
    }

    /// A read worked.
    #[inline]
    pub fn read(&self) {
        mark_working(&self.reads);
    }

    /// A write worked.
    #[inline]
    pub fn written(&self) {
        mark_working(&self.writes);
    }

    fn failed<E: CacheError>(&self, outage: &AtomicBool, error: &E) {
        if HAS_LOGGER && !self.was_reported(outage, error) {
            report(self.function, error);
        }
    }

    /// Whether it was, and from now on it is.
    fn was_reported<E: CacheError>(&self, outage: &AtomicBool, error: &E) -> bool {
        if error.is_outage() {
            return outage.swap(true, Relaxed);
        }
        let kind = kind_of(error.as_core());
        self.refused.fetch_or(kind, Relaxed) & kind != 0
    }
}

/// A bit for the kind of an error that is no outage.
fn kind_of(error: Option<Error>) -> usize {
    1 << match error {
        None => 0,
        Some(Error::KeyTooLong { .. }) => 1,
        Some(Error::ValueTooLong { .. }) => 2,
        Some(Error::TtlTooLong { .. }) => 3,
        Some(Error::TtlUnsupported) => 4,
        Some(Error::Unsupported(_)) => 5,
        Some(Error::Busy) => 6,
        Some(Error::SecretTooShort { .. }) => 7,
        Some(Error::OutOfRange { .. }) => 8,
        Some(Error::UnknownName(_)) => 9,
        Some(Error::Encode(_)) => 10,
        Some(Error::Decode(_)) => 11,
        Some(Error::Seal(_)) => 12,
        Some(Error::StoredTooLong { .. }) => 13,
        Some(Error::HashedKeys) => 14,
        Some(Error::AmbiguousSeparator) => 15,
        Some(Error::Full) => 16,
    }
}

#[inline]
fn mark_working(reported: &AtomicBool) {
    // Looked at first: a hit shall not write to what other cores read.
    if HAS_LOGGER && reported.load(Relaxed) {
        reported.store(false, Relaxed);
    }
}

fn report<E: CacheError>(function: &'static str, error: &E) {
    #[cfg(all(feature = "tracing", target_has_atomic = "ptr"))]
    tracing::warn!(function, %error, "the cache failed; the function runs without it");
    // Not as a warning: where `DEFMT_LOG` says nothing, nobody hears those.
    #[cfg(feature = "defmt")]
    defmt::error!(
        "{=str}: the cache failed; the function runs without it: {}",
        function,
        defmt::Display2Format(error)
    );
    let _ = (function, error);
}

/// Tells whom `on_error = ...` names.
#[cold]
pub fn notify<E>(error: &E, hook: impl FnOnce(&E)) {
    hook(error);
}
