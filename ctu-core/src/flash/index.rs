//! The index in RAM: 16 bytes an entry, in the order of the log.

use crate::wall_clock::Expiry;

#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) hash: u32,
    /// The place of the record, counted from the first page.
    pub(super) at: u32,
    pub(super) expiry: Expiry,
    /// The size of the record in full words.
    len: u32,
}

/// The entry was read since it was written or copied.
const USED: u32 = 1 << 31;
/// The entry moves to the page that is being written.
const MOVES: u32 = 1 << 30;
/// The entry is about to be removed.
const DOOMED: u32 = 1 << 29;

impl Slot {
    pub(super) const fn new(hash: u32, at: u32, expiry: Expiry, len: u32) -> Self {
        Self {
            hash,
            at,
            expiry,
            len,
        }
    }

    pub(super) const fn len(&self) -> u32 {
        self.len & !(USED | MOVES | DOOMED)
    }

    pub(super) const fn used(&self) -> bool {
        self.len & USED != 0
    }

    pub(super) const fn moves(&self) -> bool {
        self.len & MOVES != 0
    }

    pub(super) const fn doomed(&self) -> bool {
        self.len & DOOMED != 0
    }

    pub(super) const fn set_used(&mut self) {
        self.len |= USED;
    }

    pub(super) const fn set_moves(&mut self, moves: bool) {
        self.len = if moves {
            self.len | MOVES
        } else {
            self.len & !MOVES
        };
    }

    pub(super) const fn set_doomed(&mut self, doomed: bool) {
        self.len = if doomed {
            self.len | DOOMED
        } else {
            self.len & !DOOMED
        };
    }

    /// The slot after its record was copied to `at`.
    pub(super) const fn moved(mut self, at: u32) -> Self {
        self.at = at;
        self.len &= !(USED | MOVES);
        self
    }
}

/// At most `N` entries, the oldest record first.
pub(super) struct Index<const N: usize> {
    slots: [Slot; N],
    len: usize,
}

impl<const N: usize> Index<N> {
    pub(super) const fn new() -> Self {
        Self {
            slots: [Slot::new(0, 0, Expiry::NEVER, 0); N],
            len: 0,
        }
    }

    pub(super) fn slots(&self) -> &[Slot] {
        self.slots.get(..self.len).unwrap_or_default()
    }

    pub(super) fn slots_mut(&mut self) -> &mut [Slot] {
        self.slots.get_mut(..self.len).unwrap_or_default()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.len >= N
    }

    pub(super) fn get(&self, position: usize) -> Option<Slot> {
        self.slots().get(position).copied()
    }

    /// The last position before `end` with `hash`.
    pub(super) fn before(&self, end: usize, hash: u32) -> Option<usize> {
        let mut slots = self.slots().iter().take(end);
        slots.rposition(|slot| slot.hash == hash)
    }

    /// The number of entries.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Appends `slot`. `false`, and no effect, where the index is full.
    pub(super) fn push(&mut self, slot: Slot) -> bool {
        let Some(free) = self.slots.get_mut(self.len) else {
            return false;
        };
        *free = slot;
        self.len = self.len.wrapping_add(1);
        true
    }

    /// Removes the entry at `position`.
    pub(super) fn remove(&mut self, position: usize) -> Option<Slot> {
        let mut later = self.slots_mut().get_mut(position..)?.iter_mut();
        let mut free = later.next()?;
        let removed = *free;
        for slot in later {
            *free = *slot;
            free = slot;
        }
        self.len = self.len.saturating_sub(1);
        Some(removed)
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }
}
