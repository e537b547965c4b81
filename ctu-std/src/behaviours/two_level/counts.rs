//! The counters of two levels, spread over cache lines.

use std::{
    cell::Cell,
    sync::atomic::{
        AtomicU64, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
};

/// A countable event, as an index.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counted {
    FirstHit,
    SecondHit,
    Miss,
    Error,
    Damaged,
    Wait,
    Stale,
    Nothing,
    Refresh,
    Outage,
    Skipped,
    Dropped,
    Distrusted,
    Opened,
    Missed,
    Overflowed,
    Replayed,
    Reported,
    Invalidated,
    Unleased,
    Unsubscribed,
}

const KINDS: usize = Counted::Unsubscribed as usize + 1;

/// The number of threads with a line of their own. Further threads share one.
const THREAD_LINES: usize = 32;

/// Counts by thread: a hit in memory takes about as long as one atomic addition, and two threads at one
/// count would halve their speed.
pub(super) struct Counts {
    own: [Line; THREAD_LINES],
    shared: Line,
    /// The counts at the last reset.
    before: [AtomicU64; KINDS],
}

#[derive(Default)]
#[repr(align(128))]
struct Line([AtomicU64; KINDS]);

impl Counts {
    pub(super) fn new() -> Self {
        Self {
            own: std::array::from_fn(|_| Line::default()),
            shared: Line::default(),
            before: Default::default(),
        }
    }

    #[inline]
    pub(super) fn count(&self, what: Counted) {
        self.add(what, 1);
    }

    #[inline]
    pub(super) fn add(&self, what: Counted, more: u64) {
        match self.own.get(slot()) {
            // No other thread writes here.
            Some(line) => {
                let count = &line.0[what as usize];
                count.store(count.load(Relaxed).wrapping_add(more), Relaxed);
            }
            None => drop(self.shared.0[what as usize].fetch_add(more, Relaxed)),
        }
    }

    fn total(&self, what: usize) -> u64 {
        let lines = self.own.iter().chain([&self.shared]);
        lines.fold(0, |sum, line| sum.wrapping_add(line.0[what].load(Relaxed)))
    }

    pub(super) fn get(&self, what: Counted) -> u64 {
        // Pairs with `reset`, so that the total is never less than the total there.
        let before = self.before[what as usize].load(Acquire);
        self.total(what as usize).wrapping_sub(before)
    }

    pub(super) fn reset(&self) {
        for (what, before) in self.before.iter().enumerate() {
            before.store(self.total(what), Release);
        }
    }
}

/// The line of this thread, for its lifetime.
struct Slot(usize);

static TAKEN: [AtomicUsize; THREAD_LINES] = [const { AtomicUsize::new(0) }; THREAD_LINES];

const UNKNOWN: usize = usize::MAX;

thread_local! {
    /// The index of the line, apart from the slot: a thread-local value with a destructor is slower to read.
    static NUMBER: Cell<usize> = const { Cell::new(UNKNOWN) };
    static SLOT: Slot = Slot::take();
}

impl Slot {
    fn take() -> Self {
        let free = |taken: &AtomicUsize| taken.compare_exchange(0, 1, Acquire, Relaxed).is_ok();
        Self(TAKEN.iter().position(free).unwrap_or(THREAD_LINES))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Later counts of this thread go to the shared line.
        NUMBER.set(THREAD_LINES);
        if let Some(taken) = TAKEN.get(self.0) {
            taken.store(0, Release);
        }
    }
}

#[inline]
fn slot() -> usize {
    match NUMBER.get() {
        UNKNOWN => first_slot(),
        number => number,
    }
}

#[cold]
fn first_slot() -> usize {
    let number = SLOT.try_with(|slot| slot.0).unwrap_or(THREAD_LINES);
    NUMBER.set(number);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concurrent_counts_are_not_lost() {
        let counts = Counts::new();
        std::thread::scope(|scope| {
            for _ in 0..2 * THREAD_LINES {
                scope.spawn(|| (0..1_000).for_each(|_| counts.count(Counted::FirstHit)));
            }
        });
        assert_eq!(counts.get(Counted::FirstHit), 2_000 * THREAD_LINES as u64);
        counts.reset();
        counts.add(Counted::FirstHit, 3);
        assert_eq!(counts.get(Counted::FirstHit), 3);
        assert_eq!(counts.get(Counted::Miss), 0);
    }
}
