//! Reports of cache failures: one report per outage, not one per call.

use crate::error::{CacheError, Error};
use core::sync::atomic::Ordering::Relaxed;

// `core` has no `swap` on a target without compare-and-swap.
#[cfg(target_has_atomic = "ptr")]
use core::sync::atomic::{AtomicBool, AtomicUsize};
#[cfg(not(target_has_atomic = "ptr"))]
use portable_atomic::{AtomicBool, AtomicUsize};

/// Whether a logger receives the reports.
const HAS_LOGGER: bool = cfg!(any(
    feature = "defmt",
    all(feature = "tracing", target_has_atomic = "ptr")
));

/// Reports the failures of the cache of one function to `tracing` and `defmt`, if these features
/// are on.
///
/// An outage is reported when it begins, separately for reads and writes. It is reported again only
/// after a read or write has succeeded. A rejected operation (a key that is too long, an
/// unsupported time-to-live) and an undecodable value are reported once per kind of error.
#[derive(Debug)]
pub struct Reports {
    function: &'static str,
    reads: AtomicBool,
    writes: AtomicBool,
    /// The reported kinds of errors, one bit each.
    refused: AtomicUsize,
}

impl Reports {
    /// Creates the state without any reported failure.
    pub const fn new(function: &'static str) -> Self {
        Self {
            function,
            reads: AtomicBool::new(false),
            writes: AtomicBool::new(false),
            refused: AtomicUsize::new(0),
        }
    }

    /// Records a failed read.
    #[cold]
    pub fn read_failed<E: CacheError>(&self, error: &E) {
        self.failed(&self.reads, error);
    }

    /// Records a failed write.
    #[cold]
    pub fn write_failed<E: CacheError>(&self, error: &E) {
        self.failed(&self.writes, error);
    }

    /// Records a successful read.
    #[inline]
    pub fn read(&self) {
        mark_working(&self.reads);
    }

    /// Records a successful write.
    #[inline]
    pub fn written(&self) {
        mark_working(&self.writes);
    }

    fn failed<E: CacheError>(&self, outage: &AtomicBool, error: &E) {
        if HAS_LOGGER && !self.was_reported(outage, error) {
            report(self.function, error);
        }
    }

    /// Marks the failure as reported and returns whether it was marked before.
    fn was_reported<E: CacheError>(&self, outage: &AtomicBool, error: &E) -> bool {
        if error.is_outage() {
            return outage.swap(true, Relaxed);
        }
        let kind = kind_of(error.as_core());
        self.refused.fetch_or(kind, Relaxed) & kind != 0
    }
}

/// The bit of an error other than an outage.
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
        Some(Error::EntryTooHeavy { .. }) => 17,
    }
}

#[inline]
fn mark_working(reported: &AtomicBool) {
    // The load avoids a write on every hit to a cache line that other cores read.
    if HAS_LOGGER && reported.load(Relaxed) {
        reported.store(false, Relaxed);
    }
}

fn report<E: CacheError>(function: &'static str, error: &E) {
    #[cfg(all(feature = "tracing", target_has_atomic = "ptr"))]
    tracing::warn!(function, %error, "the cache failed; the function runs without it");
    // Without `DEFMT_LOG`, defmt prints errors only and drops warnings.
    #[cfg(feature = "defmt")]
    defmt::error!(
        "{=str}: the cache failed; the function runs without it: {}",
        function,
        defmt::Display2Format(error)
    );
    let _ = (function, error);
}

/// Passes the error to the hook of the option `on_error = ...`.
#[cold]
pub fn notify<E>(error: &E, hook: impl FnOnce(&E)) {
    hook(error);
}
