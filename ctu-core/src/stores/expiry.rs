//! Deadlines of a store's entries, earliest first.

use super::slots::{Deadlines, Slot};

/// The slots of a store in a binary heap of their deadlines: O(log n) an operation, at most 16
/// levels for any in-place store.
///
/// A deadline is a tick in 32 bits, which wraps around. At a tick `now`, deadlines from
/// [`PAST`] ticks before it to [`MAX_TTL`] ticks after it are distinct. An entry must not stay in
/// the heap for longer than that after its deadline: each write moves an expired entry out of the
/// heap, to the places behind it. The entries there have expired for good and need no deadline. If
/// an entry in the heap nevertheless gets too old, all entries go there at once: `heap` becomes 0.
#[derive(Clone, Debug)]
pub(super) struct Expiry<D> {
    deadlines: D,
    /// The number of entries in the heap, at the first places.
    heap: usize,
    /// The number of entries.
    len: usize,
    /// The last tick at which the deadlines of the heap are distinct.
    horizon: u64,
}

/// The longest time-to-live, in ticks.
pub(super) const MAX_TTL: u32 = 1 << 30;

/// The longest time in ticks that an expired entry can stay in the heap.
pub(super) const PAST: u32 = u32::MAX - MAX_TTL;

impl<D> Expiry<D> {
    pub(super) const fn new(deadlines: D) -> Self {
        Self {
            deadlines,
            heap: 0,
            len: 0,
            horizon: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        (self.heap, self.len) = (0, 0);
    }

    /// Whether every entry has expired for good, so that the ticks may begin anew.
    pub(super) const fn no_deadline_counts(&self) -> bool {
        self.heap == 0
    }

    /// Takes note of the tick `now`, before the changes of a write.
    #[inline]
    pub(super) fn advance(&mut self, now: u64) {
        if now > self.horizon {
            self.heap = 0;
        }
    }

    /// The tick in 32 bits that is `ttl` ticks after `now`.
    #[inline]
    const fn deadline(ttl: u32, now: u64) -> u32 {
        let ttl = if ttl < MAX_TTL { ttl } else { MAX_TTL };
        (now as u32).wrapping_add(ttl)
    }

    /// The rank of a deadline among those distinct at the tick `now`.
    #[inline]
    const fn rank(at: u32, now: u64) -> u32 {
        at.wrapping_sub(now as u32).wrapping_add(PAST)
    }

    /// The ticks left from `now` to the deadline of a slot. `None` for a slot that has expired.
    #[inline]
    pub(super) fn left<I: Slot>(&self, slot: I, now: u64) -> Option<u32>
    where
        D: Deadlines<I>,
    {
        if self.deadlines.place(slot) >= self.heap || now > self.horizon {
            return None;
        }
        let left = Self::rank(self.deadlines.at(slot)?, now).checked_sub(PAST)?;
        (left > 0).then_some(left)
    }

    /// A slot that has expired at the tick `now`, if there is one. O(1).
    #[inline]
    pub(super) fn expired<I: Slot>(&self, now: u64) -> Option<I>
    where
        D: Deadlines<I>,
    {
        let last = self.len.checked_sub(1)?;
        let slot = if self.heap < self.len {
            self.deadlines.slot(last)
        } else {
            self.deadlines.slot(0)
        };
        self.left(slot, now).is_none().then_some(slot)
    }

    /// Adds a slot that expires `ttl` ticks after `now`, at most [`MAX_TTL`].
    #[inline]
    pub(super) fn schedule<I: Slot>(&mut self, slot: I, ttl: u32, now: u64)
    where
        D: Deadlines<I>,
    {
        self.deadlines.reserve(slot);
        self.deadlines.set_at(slot, Self::deadline(ttl, now));
        let place = self.heap;
        if place < self.len {
            self.deadlines.put(self.len, self.deadlines.slot(place));
        }
        self.len = self.len.wrapping_add(1);
        self.heap = place.wrapping_add(1);
        self.sift_up(place, slot, now);
        self.look_ahead(now);
    }

    /// Gives a slot another deadline, `ttl` ticks after `now`, at most [`MAX_TTL`].
    #[inline]
    pub(super) fn reschedule<I: Slot>(&mut self, slot: I, ttl: u32, now: u64)
    where
        D: Deadlines<I>,
    {
        let mut place = self.deadlines.place(slot);
        if place >= self.heap {
            // It has expired, and enters the heap again.
            self.deadlines.put(place, self.deadlines.slot(self.heap));
            place = self.heap;
            self.heap = place.wrapping_add(1);
        }
        self.deadlines.set_at(slot, Self::deadline(ttl, now));
        self.sift(place, slot, now);
        self.look_ahead(now);
    }

    /// Removes a slot.
    #[inline]
    fn cancel<I: Slot>(&mut self, slot: I, now: u64)
    where
        D: Deadlines<I>,
    {
        let Some(last) = self.len.checked_sub(1) else {
            return;
        };
        let mut hole = self.deadlines.place(slot);
        self.len = last;
        if hole < self.heap {
            self.heap = self.heap.wrapping_sub(1);
            let moved = self.deadlines.slot(self.heap);
            if moved != slot {
                self.sift(hole, moved, now);
            }
            hole = self.heap;
            self.look_ahead(now);
        }
        if hole < last {
            self.deadlines.put(hole, self.deadlines.slot(last));
        }
    }

    /// Removes a slot, and gives its number to the last slot. Not inlined: the caller holds an entry
    /// on its stack, and copies it once more otherwise.
    #[inline(never)]
    pub(super) fn swap_remove<I: Slot>(&mut self, slot: I, last: I, now: u64)
    where
        D: Deadlines<I>,
    {
        self.cancel(slot, now);
        if slot != last {
            if let Some(at) = self.deadlines.at(last) {
                self.deadlines.set_at(slot, at);
            }
            self.deadlines.put(self.deadlines.place(last), slot);
        }
    }

    /// Moves one expired slot out of the heap, if there is one.
    #[inline]
    pub(super) fn bury<I: Slot>(&mut self, now: u64)
    where
        D: Deadlines<I>,
    {
        if self.heap == 0 {
            return;
        }
        let first = self.deadlines.slot(0);
        if self.left(first, now).is_some() {
            return;
        }
        self.heap = self.heap.wrapping_sub(1);
        let moved = self.deadlines.slot(self.heap);
        self.deadlines.put(self.heap, first);
        if moved != first {
            self.sift_down(0, moved, now);
        }
        self.look_ahead(now);
    }

    /// Sets the horizon by the earliest deadline.
    #[inline]
    fn look_ahead<I: Slot>(&mut self, now: u64)
    where
        D: Deadlines<I>,
    {
        if let Some(at) = self.deadlines.at(self.deadlines.slot(0)) {
            self.horizon = now.saturating_add(Self::rank(at, now).into());
        }
    }

    /// The rank of a slot.
    #[inline]
    fn of<I: Slot>(&self, slot: I, now: u64) -> u32
    where
        D: Deadlines<I>,
    {
        Self::rank(self.deadlines.at(slot).unwrap_or_default(), now)
    }

    /// Puts a slot at a place of the heap or on the way from there to the first or a last one.
    fn sift<I: Slot>(&mut self, place: usize, slot: I, now: u64)
    where
        D: Deadlines<I>,
    {
        let above = self.deadlines.slot(place.wrapping_sub(1) / 2);
        if place > 0 && self.of(slot, now) < self.of(above, now) {
            self.sift_up(place, slot, now);
        } else {
            self.sift_down(place, slot, now);
        }
    }

    /// Puts a slot at a place or on the way from there to the first one.
    #[inline]
    fn sift_up<I: Slot>(&mut self, mut place: usize, slot: I, now: u64)
    where
        D: Deadlines<I>,
    {
        let rank = self.of(slot, now);
        while place > 0 {
            let parent = place.wrapping_sub(1) / 2;
            let above = self.deadlines.slot(parent);
            if self.of(above, now) <= rank {
                break;
            }
            self.deadlines.put(place, above);
            place = parent;
        }
        self.deadlines.put(place, slot);
    }

    /// Puts a slot at a place or on the way from there to a last one.
    fn sift_down<I: Slot>(&mut self, mut place: usize, slot: I, now: u64)
    where
        D: Deadlines<I>,
    {
        let rank = self.of(slot, now);
        loop {
            let mut child = place.wrapping_mul(2).wrapping_add(1);
            if child >= self.heap {
                break;
            }
            let mut below = self.deadlines.slot(child);
            let mut least = self.of(below, now);
            let sibling = child.wrapping_add(1);
            if sibling < self.heap {
                let slot = self.deadlines.slot(sibling);
                let other = self.of(slot, now);
                if other < least {
                    (child, below, least) = (sibling, slot, other);
                }
            }
            if rank <= least {
                break;
            }
            self.deadlines.put(place, below);
            place = child;
        }
        self.deadlines.put(place, slot);
    }

    /// Checks the heap; the error describes the broken invariant.
    #[cfg(any(test, feature = "validate"))]
    pub(super) fn validate<I: Slot>(&self, len: usize, now: u64) -> Result<(), &'static str>
    where
        D: Deadlines<I>,
    {
        if self.len != len || self.heap > len {
            return Err("not every entry has one deadline");
        }
        for place in 0..len {
            let slot = self.deadlines.slot(place);
            if slot.index() >= len || self.deadlines.place(slot) != place {
                return Err("a place of the deadlines is wrong");
            }
        }
        if now > self.horizon {
            return Ok(());
        }
        for place in 1..self.heap {
            let parent = self.deadlines.slot((place - 1) / 2);
            // Expired entries may be in any order.
            if self.left(parent, now) > self.left(self.deadlines.slot(place), now) {
                return Err("the deadlines are out of order");
            }
        }
        Ok(())
    }
}
