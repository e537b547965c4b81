//! The state of the log in RAM, and its decisions. No I/O.

use super::{
    index::{Index, Slot},
    layout::{CHUNK, HEAD, Layout, Place},
};
use crate::{error::Error, wall_clock::WallClock};

/// The failed attempts to begin a page before the page is left out.
pub(super) const ATTEMPTS: u8 = 3;

pub(super) struct Log<const N: usize> {
    pub(super) layout: Layout,
    pub(super) index: Index<N>,
    /// The number of the page that is being written. 0 before the first.
    pub(super) newest: u32,
    /// The end of the last record in the newest page.
    end: u32,
    /// Whether the newest page was written to since the log was opened.
    ///
    /// A word that power cut off may read as erased, and must not be written again. So the first
    /// record after a start leaves out the words that the last write may have reached.
    written: bool,
    /// The number of a page that was erased since the log was opened, and not written to yet.
    pub(super) blank: u32,
    /// Whether a live page may hold an entry that the index does not have, so that a removal of an
    /// unknown key must look for one.
    pub(super) hidden: bool,
    /// Whether an operation that writes has not come to its end: the flash may hold a record that the
    /// index does not have.
    pub(super) unsettled: bool,
    /// Whether entries are never evicted.
    pub(super) keeps_all: bool,
    /// Whether bytes of removed entries are erased at once.
    pub(super) wipes: bool,
    pub(super) erases: u32,
    pub(super) damaged: usize,
    failures: u8,
}

impl<const N: usize> Log<N> {
    pub(super) const fn new(layout: Layout, keeps_all: bool, wipes: bool) -> Self {
        Self {
            end: layout.page,
            layout,
            index: Index::new(),
            newest: 0,
            written: false,
            blank: 0,
            hidden: false,
            unsettled: false,
            keeps_all,
            wipes,
            erases: 0,
            damaged: 0,
            failures: 0,
        }
    }

    /// Forgets all entries, before the log is read.
    pub(super) fn forget(&mut self) {
        self.index.clear();
        self.hidden = false;
        self.unsettled = true;
    }

    /// Continues the page `newest`, whose records end at `end`.
    pub(super) fn resume(&mut self, newest: u32, end: u32) {
        self.newest = newest;
        self.end = end;
        self.written = false;
    }

    /// The place of a record that is counted from the first page.
    pub(super) fn place(&self, at: u32) -> Place {
        let layout = &self.layout;
        let age = layout
            .index(self.newest)
            .wrapping_add(layout.pages)
            .saturating_sub(layout.index_at(at));
        Place {
            seq: self.newest.saturating_sub(layout.index(age)),
            offset: layout.offset(at),
        }
    }

    /// The offset of the next record, if it fits the newest page.
    fn next(&self, len: u32) -> Option<u32> {
        let gap = if self.written { 0 } else { CHUNK };
        let offset = self.end.checked_add(gap)?;
        (offset.checked_add(len)? <= self.layout.page).then_some(offset)
    }

    pub(super) fn fits(&self, len: u32) -> bool {
        self.next(len).is_some()
    }

    /// Takes room for a record of `len` bytes. The room stays taken if the write fails.
    pub(super) fn reserve(&mut self, len: u32) -> Option<Place> {
        let offset = self.next(len)?;
        self.end = offset.wrapping_add(len);
        self.written = true;
        Some(Place {
            seq: self.newest,
            offset,
        })
    }

    /// Writes no more records to the newest page.
    pub(super) fn close(&mut self) {
        self.end = self.layout.page;
    }

    /// Whether a page has room for `len` bytes beside its live entries, in a log that evicts none.
    pub(super) fn has_room<W: WallClock>(&self, len: u32, clock: &W) -> bool {
        let layout = &self.layout;
        if self.newest < layout.pages.saturating_sub(1) {
            return true; // a page that was never written
        }
        let oldest = layout.oldest(self.newest);
        (oldest..=self.newest).any(|seq| {
            let live = self.index.slots().iter().fold(0u32, |sum, slot| {
                let counts = layout.index_at(slot.at) == layout.index(seq)
                    && slot.expiry.left(clock).is_ok();
                sum.wrapping_add(if counts { slot.len() } else { 0 })
            });
            live.wrapping_add(len) <= layout.room()
        })
    }

    /// The index of the page whose entries move to page `seq` or are evicted, if there is one.
    fn leaving(&self, seq: u32) -> Option<u32> {
        let victim = seq.checked_sub(self.layout.pages.saturating_sub(1))?;
        (victim > 0).then(|| self.layout.index(victim))
    }

    /// Chooses the entries that move to page `seq`: all live ones, or where the log evicts those
    /// used since they were written, the oldest first, up to three quarters of the page, and the
    /// newest of the others, up to half of it. `need` bytes stay free.
    pub(super) fn choose<W: WallClock>(&mut self, seq: u32, need: u32, all: bool, clock: &W) {
        let room = self.layout.room();
        let limits = match all {
            true => [room, room],
            false => {
                let free = room.saturating_sub(need);
                [(room / 4 * 3).min(free), (room / 2).min(free)]
            }
        };
        let leaving = self.leaving(seq);
        let layout = self.layout;
        let mut taken = 0u32;
        for slot in self.index.slots_mut() {
            slot.set_moves(false);
        }
        let mut choose = |slot: &mut Slot, used: bool, limit: u32| {
            let sum = taken.wrapping_add(slot.len());
            let moves = leaving == Some(layout.index_at(slot.at))
                && slot.used() == used
                && slot.expiry.left(clock).is_ok()
                && sum <= limit;
            if moves {
                slot.set_moves(true);
                taken = sum;
            }
        };
        let [used, unused] = limits;
        let slots = self.index.slots_mut();
        slots.iter_mut().for_each(|slot| choose(slot, true, used));
        let newest_first = slots.iter_mut().rev();
        newest_first.for_each(|slot| choose(slot, false, unused));
    }

    /// Makes page `seq` the newest, after the chosen entries were copied to it.
    pub(super) fn commit(&mut self, seq: u32) {
        let leaving = self.leaving(seq);
        let mut place = Place { seq, offset: HEAD };
        while let Some(position) = self.first_in(leaving) {
            let Some(slot) = self.index.remove(position) else {
                break;
            };
            if slot.moves() {
                let at = self.layout.at(place);
                place.offset = place.offset.wrapping_add(slot.len());
                self.index.push(slot.moved(at));
            }
        }
        self.newest = seq;
        self.end = place.offset;
        self.written = true;
        self.failures = 0;
    }

    /// The position of the oldest entry in the page with `index`.
    fn first_in(&self, index: Option<u32>) -> Option<usize> {
        let index = index?;
        let slots = self.index.slots();
        slots
            .iter()
            .position(|slot| self.layout.index_at(slot.at) == index)
    }

    /// Drops the entries in the page with `index`.
    pub(super) fn evict_page(&mut self, index: u32) {
        while let Some(position) = self.first_in(Some(index)) {
            self.index.remove(position);
        }
    }

    /// Counts a failure to begin page `seq`. Returns whether another attempt follows at once, on this
    /// page or, after the third failure, on the next one. The entries of that page are then lost.
    pub(super) fn tries_again(&mut self, seq: u32, worn: bool) -> bool {
        if self.keeps_all {
            return false;
        }
        self.failures = self.failures.wrapping_add(1);
        if self.failures < ATTEMPTS {
            return worn;
        }
        self.failures = 0;
        self.newest = seq;
        self.close();
        true
    }

    /// Adds an entry. In a full index, an entry that was not used gives way, the oldest first.
    pub(super) fn add(&mut self, slot: Slot) {
        if self.index.is_full() {
            let unused = self.index.slots().iter().position(|slot| !slot.used());
            self.index.remove(unused.unwrap_or_default());
            self.hidden = true;
        }
        self.index.push(slot);
    }

    /// Drops the entries whose time is over, for new ones in a full index.
    pub(super) fn drop_expired<W: WallClock>(&mut self, clock: &W) {
        while let Some(position) = self
            .index
            .slots()
            .iter()
            .position(|slot| slot.expiry.left(clock).is_err())
        {
            self.index.remove(position);
            self.hidden = true;
        }
    }

    /// Drops an entry whose record is damaged.
    pub(super) fn drop_damaged(&mut self, position: usize) {
        self.index.remove(position);
        self.hidden = true;
        self.damaged = self.damaged.wrapping_add(1);
    }

    /// Whether a new key has no place in the index.
    pub(super) fn check_place(&self) -> Result<(), Error> {
        match self.keeps_all && self.index.is_full() {
            true => Err(Error::Full),
            false => Ok(()),
        }
    }
}
