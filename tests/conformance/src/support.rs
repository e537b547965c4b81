//! Helpers that several topics share.

use core::cell::Cell;
use core::fmt::{self, Write};
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use ctu_core::{Clock, LruCache};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A clock of `BITS` bits that a test sets.
#[derive(Debug, Default)]
pub(crate) struct Dial<const BITS: u32 = 64>(Cell<u64>);

impl<const BITS: u32> Dial<BITS> {
    pub(crate) const fn at(milliseconds: u64) -> Self {
        Self(Cell::new(milliseconds))
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.pass_ms(time.as_millis() as u64);
    }

    pub(crate) fn pass_ms(&self, milliseconds: u64) {
        self.0.set(self.0.get().wrapping_add(milliseconds));
    }

    pub(crate) fn turn_back_ms(&self, milliseconds: u64) {
        self.0.set(self.0.get().wrapping_sub(milliseconds));
    }
}

impl<const BITS: u32> Clock for Dial<BITS> {
    const BITS: u32 = BITS;

    fn now(&self) -> u64 {
        match BITS {
            64.. => self.0.get(),
            bits => self.0.get() & ((1 << bits) - 1),
        }
    }
}

/// Counts through `&self`, also on targets without atomic addition.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(crate) fn one(&self) {
        self.0
            .store(self.0.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns the count since the last call.
    pub(crate) fn take(&self) -> usize {
        let count = self.get();
        self.0.store(0, Ordering::Relaxed);
        count
    }
}

/// Pseudo-random numbers, equal in every run.
pub(crate) struct Random(u32);

impl Random {
    pub(crate) const fn new(seed: u32) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        // xorshift32
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) % end
    }
}

/// Polls a future that is ready at the first poll.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// The text form of a value, without a heap.
pub(crate) fn printed(value: impl fmt::Debug) -> heapless::String<512> {
    let mut text = heapless::String::new();
    assert!(write!(text, "{value:?}").is_ok(), "prints too much");
    text
}

/// Checks the keys from the most to the least recently used, and every link.
pub(crate) fn assert_order<V: fmt::Debug, const N: usize>(
    cache: &LruCache<u32, V, N>,
    keys: &[u32],
) {
    assert_eq!(cache.validate(), Ok(()));
    assert_eq!(cache.len(), keys.len());
    assert!(
        cache.iter().map(|(key, _)| key).eq(keys),
        "{cache:?} is not in the order {keys:?}"
    );
}
