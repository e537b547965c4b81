//! Counting through `&self`, from threads and interrupts alike.

use core::sync::atomic::Ordering;

// The standard library has no adding in one step where the machine has no compare-and-swap.
#[cfg(target_has_atomic = "ptr")]
use core::sync::atomic::AtomicUsize;
#[cfg(not(target_has_atomic = "ptr"))]
use portable_atomic::AtomicUsize;

/// A count as wide as the machine's word, which wraps around.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicUsize);

impl Counter {
    pub(crate) const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Counts one more, and returns the count before.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Counter {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=usize}", self.get());
    }
}
