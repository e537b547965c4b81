//! The order of eviction: a window of newcomers and the main part, both in the order CLOCK.

use super::{
    circles::{Circle, Links},
    marks::{
        IN_MAIN, Marks, ONE_UNRECORDED, TAKEN, UNRECORDED, USED_AGAIN, USES, WATCHED, marked,
        unrecorded,
    },
};
use crate::stores::slots::Slot;

/// Two circles of slots with a hand each, over slots that are numbered without gaps.
///
/// A new slot enters the window. The hand takes the oldest slot of a circle: one that was used goes
/// back as the newest, one that was not is the next to leave. From the window it leaves for the
/// main part, if its key was used more often than the key that the main part gives up for it.
#[derive(Clone, Debug)]
pub(super) struct Clocks<I> {
    links: Links<I>,
    marks: Marks,
    window: Circle<I>,
    main: Circle<I>,
    resident: Resident<I>,
    /// The state of a random generator, xorshift.
    random: u32,
}

/// The result of a look at a slot.
enum Look<I> {
    /// The slot leaves next. Its uses, where they became known.
    Unused(I, Option<u32>),
    Used,
}

/// A slot of the main part that newcomers have met at the hand. Most newcomers meet the same one.
#[derive(Clone, Copy, Debug)]
struct Resident<I> {
    slot: I,
    /// A newcomer with more uses than this takes the place.
    bar: u32,
    /// The age of the counts from which the bar came.
    age: u32,
}

/// The slot that leaves, and the slot of the window that enters the main part in its place, if any.
struct Choice<I> {
    victim: I,
    promoted: I,
}

/// The facts about slots that the order does not keep itself.
pub(super) trait Facts<I> {
    /// Adds uses to those of a slot's key, and returns them.
    fn record(&mut self, slot: I, uses: u32) -> u32;
    /// How often a slot's key was used.
    fn uses(&mut self, slot: I) -> u32;
    /// The number of times that all counts were halved.
    fn age(&self) -> u32;
    /// Whether the entry has expired: it leaves first.
    fn is_expired(&self, slot: I) -> bool;
    /// Takes the uses of a watched slot that were not marked here, up to 3.
    fn take_unmarked(&self, slot: I) -> u8;
}

/// The most slots that a hand looks at in one operation. Two or three are usual.
const LOOKS: usize = 64;
/// A newcomer used this often may replace an entry that was used as often, once in 128 times: the
/// counts of keys that were popular long ago are as high.
const POPULAR: u32 = 6;
/// Counts as high as this differ by 1 depending on the moment.
const IMPRECISE: u32 = 4;

impl<I: Slot> Resident<I> {
    const NONE: Self = Self {
        slot: I::NONE,
        bar: 0,
        age: 0,
    };
}

impl<I: Slot> Clocks<I> {
    pub(super) const fn new() -> Self {
        Self {
            links: Links::new(),
            marks: Marks::new(),
            window: Circle::EMPTY,
            main: Circle::EMPTY,
            resident: Resident::NONE,
            random: 1,
        }
    }

    /// The number of taken slots.
    pub(super) const fn len(&self) -> usize {
        self.window.len + self.main.len
    }

    /// The number of slots that were ever taken at once.
    pub(super) const fn slots(&self) -> usize {
        self.links.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Marks a use of a slot, as [`Marks::hit`].
    #[inline]
    pub(super) fn hit(&self, slot: I) -> bool {
        self.marks.hit(slot)
    }

    /// The uses of a slot that are not recorded yet, 0 to 3.
    pub(super) fn unrecorded(&self, slot: I) -> u8 {
        unrecorded(self.marks.get(slot))
    }

    /// The taken slots: those of the main part from its hand on, then those of the window.
    pub(super) fn in_order(&self) -> impl Iterator<Item = I> {
        self.links.of(self.main).chain(self.links.of(self.window))
    }

    /// From now on the hand asks [`Facts::take_unmarked`] about the slot, or no longer.
    pub(super) fn watch(&mut self, slot: I, watched: bool) {
        let mark = self.marks.get(slot);
        let flag = if watched { WATCHED } else { 0 };
        self.marks.set(slot, mark & !WATCHED | flag);
    }

    #[inline]
    fn circle(&mut self, main: bool) -> &mut Circle<I> {
        match main {
            true => &mut self.main,
            false => &mut self.window,
        }
    }

    /// Makes a slot that is in no circle the newest of one.
    #[inline]
    fn link(&mut self, slot: I, main: bool) {
        let (circle, flag) = match main {
            true => (&mut self.main, IN_MAIN),
            false => (&mut self.window, 0),
        };
        self.links.join(circle, slot);
        self.marks.set(slot, self.marks.get(slot) & !IN_MAIN | flag);
    }

    /// Takes a slot out of its circle.
    #[inline]
    fn unlink(&mut self, slot: I) {
        if self.resident.slot == slot {
            self.resident = Resident::NONE;
        }
        let circle = match self.marks.get(slot) & IN_MAIN != 0 {
            true => &mut self.main,
            false => &mut self.window,
        };
        self.links.leave(circle, slot);
    }

    #[inline]
    fn move_to(&mut self, slot: I, main: bool) {
        self.unlink(slot);
        self.link(slot, main);
    }

    /// How many slots the window should have, at `share` in a thousand.
    #[inline]
    fn target(&self, share: usize) -> usize {
        (self.len() * share / 1_000).max(1)
    }

    /// Takes a slot for a new entry, and returns it: the newest of the window.
    pub(super) fn insert(&mut self, share: usize, facts: &mut impl Facts<I>) -> I {
        let slot = match self.links.take_free() {
            Some(slot) => {
                self.marks.set(slot, TAKEN);
                slot
            }
            None => {
                let slot = self.links.add();
                if slot == I::NONE {
                    return slot;
                }
                self.marks.push(TAKEN);
                slot
            }
        };
        self.link(slot, false);
        if self.window.len > self.target(share) {
            self.shrink(facts);
        }
        // Recorded when the hand comes by: the caller does not know the slot of the key yet.
        self.marks.set(slot, self.marks.get(slot) | ONE_UNRECORDED);
        slot
    }

    /// Frees a slot.
    pub(super) fn remove(&mut self, slot: I) {
        if self.marks.get(slot) & TAKEN == 0 {
            return;
        }
        self.unlink(slot);
        self.marks.set(slot, 0);
        self.links.release(slot);
    }

    /// The slot of a circle that leaves next: the first that was not used since the hand came by.
    /// The number of its uses, where it became known.
    #[inline]
    fn next<const MAIN: bool>(&mut self, facts: &mut impl Facts<I>) -> (I, Option<u32>) {
        match self.look::<MAIN>(facts) {
            Look::Unused(slot, recorded) => (slot, recorded),
            Look::Used => self.next_after_used::<MAIN>(facts),
        }
    }

    /// [`next`](Self::next) after the hand has passed a used slot.
    #[inline(never)]
    fn next_after_used<const MAIN: bool>(&mut self, facts: &mut impl Facts<I>) -> (I, Option<u32>) {
        for _ in 1..LOOKS {
            if let Look::Unused(slot, recorded) = self.look::<MAIN>(facts) {
                return (slot, recorded);
            }
        }
        (self.circle(MAIN).hand, None)
    }

    /// Looks at the slot at the hand of a circle, and passes it if it was used.
    #[inline(always)]
    fn look<const MAIN: bool>(&mut self, facts: &mut impl Facts<I>) -> Look<I> {
        let slot = self.circle(MAIN).hand;
        if facts.is_expired(slot) {
            return Look::Unused(slot, None);
        }
        let mut recorded = None;
        let mut mark = self.marks.get(slot);
        if mark & WATCHED != 0 {
            mark = marked(mark, facts.take_unmarked(slot));
        }
        if mark & UNRECORDED != 0 {
            recorded = Some(facts.record(slot, u32::from(unrecorded(mark))));
        }
        let uses = mark & USES;
        mark &= !(USES | UNRECORDED);
        if MAIN {
            mark |= uses.saturating_sub(1);
            self.resident = Resident::NONE;
        }
        if uses == 0 {
            self.marks.set(slot, mark);
            return Look::Unused(slot, recorded);
        }
        self.marks.set(slot, mark | USED_AGAIN);
        // It is the newest from now on.
        self.circle(MAIN).hand = self.links.newer(slot);
        Look::Used
    }

    /// The slot that has to leave, where there is one. It stays taken.
    pub(super) fn victim(&mut self, share: usize, facts: &mut impl Facts<I>) -> I {
        let Choice { victim, promoted } = self.choose(share, facts);
        if promoted != I::NONE {
            self.move_to(promoted, true);
        }
        victim
    }

    /// Takes the slot that has to leave for a new entry, and returns it: the newest of the window.
    #[inline]
    pub(super) fn replace(&mut self, share: usize, facts: &mut impl Facts<I>) -> I {
        let Choice { victim, promoted } = self.choose(share, facts);
        if promoted != I::NONE {
            self.exchange(promoted, victim);
        } else if self.window.hand == victim {
            // The oldest is the newest as soon as the hand has passed it.
            self.window.hand = self.links.newer(victim);
        } else {
            self.move_to(victim, false);
        }
        self.marks.set(victim, TAKEN | ONE_UNRECORDED);
        victim
    }

    /// Exchanges the places of a slot of the window and one of the main part. Each is the newest from
    /// then on.
    #[inline]
    fn exchange(&mut self, promoted: I, victim: I) {
        let are_oldest = self.window.hand == promoted && self.main.hand == victim;
        if are_oldest && self.links.exchange(&mut self.window, &mut self.main) {
            self.marks.set(promoted, self.marks.get(promoted) | IN_MAIN);
            self.resident = Resident::NONE;
            return;
        }
        // A slot is the only one of its circle, or not the oldest.
        self.move_to(promoted, true);
        self.move_to(victim, false);
    }

    #[inline]
    fn choose(&mut self, share: usize, facts: &mut impl Facts<I>) -> Choice<I> {
        let target = self.target(share);
        // A window that became too large shrinks by two for each newcomer, so that no operation is
        // long.
        for _ in 0..2 {
            if self.window.len > target {
                self.shrink(facts);
            }
        }
        let leaves = |victim| Choice {
            victim,
            promoted: I::NONE,
        };
        if self.main.len > 0 && self.window.len < target {
            return leaves(self.next::<true>(facts).0);
        }
        let (newcomer, of_newcomer) = self.next::<false>(facts);
        if self.main.len == 0 {
            return leaves(newcomer);
        }
        if facts.is_expired(newcomer) {
            return leaves(newcomer);
        }
        let of_newcomer = of_newcomer.unwrap_or_else(|| facts.uses(newcomer));
        let (resident, bar) = self.resident(facts);
        if self.is_better(of_newcomer, bar) || facts.is_expired(resident) {
            return Choice {
                victim: resident,
                promoted: newcomer,
            };
        }
        leaves(newcomer)
    }

    /// The slot of the main part that leaves next, and the bar for newcomers.
    #[inline]
    fn resident(&mut self, facts: &mut impl Facts<I>) -> (I, u32) {
        let Resident { slot, bar, age } = self.resident;
        let is_same = slot == self.main.hand && age == facts.age();
        if is_same && self.marks.get(slot) & (USES | UNRECORDED | WATCHED) == 0 {
            return (slot, bar);
        }
        let (slot, uses) = self.next::<true>(facts);
        let uses = uses.unwrap_or_else(|| facts.uses(slot));
        // The use that brought the newcomer here is counted, and the next use of the resident is
        // not: of two keys that are used as often, the newcomer's count is 1 above. In a loop over
        // more keys than entries, entries that replace each other are found by no look-up. A
        // resident without a use since its insertion has no next use to wait for.
        let used_again = self.marks.get(slot) & USED_AGAIN != 0;
        let bar = uses + u32::from(used_again || uses >= IMPRECISE);
        let age = facts.age();
        self.resident = Resident { slot, bar, age };
        (slot, bar)
    }

    /// Moves the oldest slot of the window to the main part.
    #[cold]
    fn shrink(&mut self, facts: &mut impl Facts<I>) {
        let (oldest, _) = self.next::<false>(facts);
        self.move_to(oldest, true);
    }

    fn is_better(&mut self, newcomer: u32, bar: u32) -> bool {
        if newcomer > bar {
            return true;
        }
        newcomer >= POPULAR && {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 17;
            self.random ^= self.random << 5;
            self.random.is_multiple_of(128)
        }
    }

    /// Walks all links, and names the fault if there is one.
    #[cfg(any(test, feature = "validate"))]
    pub(super) fn validate(&self) -> Result<(), &'static str> {
        for (circle, flag) in [(self.window, 0), (self.main, IN_MAIN)] {
            let is_of = |slot| self.marks.get(slot) & (IN_MAIN | TAKEN) == flag | TAKEN;
            self.links.validate(circle, is_of)?;
        }
        let free = self.links.validate_free(|slot| self.marks.get(slot) == 0)?;
        match free + self.len() == self.slots() && self.marks.len() == self.slots() {
            true => Ok(()),
            false => Err("a slot is neither free nor in a circle"),
        }
    }
}
