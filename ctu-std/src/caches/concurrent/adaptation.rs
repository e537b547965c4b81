//! The window's share, which adapts to a sample of the uses.

use super::{locks::Mutex, shards::Apart};
use ctu_core::stores::policy::{Sample, Tuner};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

pub(super) struct Adaptation {
    tuner: Box<Apart<Mutex<Tuner>>>,
    /// The tuner's share of the window, in a thousand.
    share: AtomicUsize,
    sample: AtomicU32,
}

impl Adaptation {
    pub(super) fn new(capacity: usize) -> Self {
        let tuner = Tuner::new(capacity);
        Self {
            share: AtomicUsize::new(tuner.share()),
            sample: AtomicU32::new(tuner.sample().to_bits()),
            tuner: Box::new(Apart(Mutex::new(tuner))),
        }
    }

    pub(super) fn set_capacity(&self, capacity: usize) {
        let mut tuner = self.tuner.lock();
        tuner.set_capacity(capacity);
        self.sample.store(tuner.sample().to_bits(), Relaxed);
    }

    #[inline]
    pub(super) fn share(&self) -> usize {
        self.share.load(Relaxed)
    }

    /// Shows the tuner a use of a key.
    #[inline]
    pub(super) fn observe(&self, hash: u32) {
        if Sample::from_bits(self.sample.load(Relaxed)).has(hash) {
            self.tune(hash);
        }
    }

    #[cold]
    fn tune(&self, hash: u32) {
        // A sample: where another thread is at it, this use is left out.
        if let Some(mut tuner) = self.tuner.try_lock() {
            tuner.observe(hash);
            // Read by all threads, and seldom changed.
            if self.share() != tuner.share() {
                self.share.store(tuner.share(), Relaxed);
            }
        }
    }
}
