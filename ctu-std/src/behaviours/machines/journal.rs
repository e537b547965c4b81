//! What the second level missed.
//!
//! # What is safe
//! A key whose write or delete was missed stands here, and what the second level says of it is not
//! believed until it was deleted there. A request that failed by its deadline may still be on its way,
//! and could store its value after that delete: a key with such a write is deleted a second time, `settle`
//! after the first, and stands here until then, whatever else is written meanwhile.
//! A delete that arrives late does no harm: a cache may always forget.
//!
//! A replay that is refused is no outage: some key of it cannot be deleted, because the second level takes no such key, say.
//! Its keys are then deleted one by one, and one that is refused alone lets the others go first.
//!
//! Where there is no room for another key, it becomes one of the [suspects](super::suspects): it cannot be
//! named and so not be deleted unasked, but is recognised when it is asked for, deleted then, and a miss.

use super::{
    Held,
    suspects::{Repair, Suspects},
};
use crate::random::Random;
use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// Times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JournalSettings {
    /// How many keys there is room for.
    pub(crate) capacity: usize,
    /// How long a request may be on its way after its deadline, once the second level is back.
    pub(crate) settle: u64,
    /// No entry of the second level lives longer than this, whoever wrote it, if that is known.
    pub(crate) longest_ttl: Option<u64>,
    /// How long a replay that failed waits before the next, at first and at most.
    pub(crate) retry: (u64, u64),
}

pub(crate) struct Journal<K: ToOwned + ?Sized> {
    settings: JournalSettings,
    missed: HashMap<Held<K>, Missed>,
    /// The same keys, by when they are to be deleted and their numbers.
    due: BTreeMap<(u64, u64), Held<K>>,
    /// A `clear` was missed.
    all: Option<u64>,
    suspects: Suspects,
    /// Numbers what is missed, so that a replay from before it does not count.
    last: u64,
    /// After a failed replay: when the next may be, and how long the one after that waits.
    wait: Option<(u64, u64)>,
    /// How many keys are to be deleted one by one.
    singly: usize,
}

#[derive(Clone, Copy, Debug)]
struct Missed {
    number: u64,
    due: u64,
    doubt: Doubt,
}

/// Whether a write may still arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    No,
    /// It was sent, and not answered.
    Sent,
    /// The same, but the second level has answered since: when the key is due, it has arrived or is lost.
    Settling,
}

/// What became of a key that was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// It is the only one.
    First,
    /// It is to be deleted before the others.
    Sooner,
    /// It stands with the others.
    Kept,
    /// There was no room.
    Overflowed,
}

/// What was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A write that was sent: it may have been done, or still be.
    SentWrite,
    /// A write that was not sent, or a delete.
    Other,
}

/// What to make of what the second level says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belief {
    Believed,
    /// It is not to be asked.
    Distrusted,
    /// It is to be told to delete the key.
    Repair(Repair),
}

/// What to do at the second level now.
pub(crate) enum Replay<K: ToOwned + ?Sized> {
    /// Delete these.
    Keys(Vec<(Held<K>, u64)>),
    /// Delete all. With the number of the last that was missed before.
    Clear(u64),
}

impl<K: ToOwned + Hash + Eq + ?Sized> Journal<K> {
    pub(crate) fn new(settings: JournalSettings) -> Self {
        Self {
            settings,
            missed: HashMap::new(),
            due: BTreeMap::new(),
            all: None,
            suspects: Suspects::new(),
            last: 0,
            wait: None,
            singly: 0,
        }
    }

    /// How many keys stand in it.
    pub(crate) fn len(&self) -> usize {
        self.missed.len()
    }

    /// Whether there is nothing to make good.
    pub(crate) fn is_empty(&self) -> bool {
        self.missed.is_empty() && self.all.is_none()
    }

    /// Whether more was missed than there is room for, and was not made good yet.
    pub(crate) fn overflowed(&self) -> bool {
        self.suspects.any()
    }

    /// Takes in that `key` was missed.
    pub(crate) fn missed(&mut self, key: &K, what: What) -> Noted {
        self.last = self.last.wrapping_add(1);
        let number = self.last;
        let sent = what == What::SentWrite;
        let before = self.missed.get(key).copied();
        if before.is_none() && self.missed.len() >= self.settings.capacity {
            self.suspects.add(key, sent);
            return Noted::Overflowed;
        }
        let noted = match self.due.first_key_value() {
            _ if self.all.is_some() => Noted::Kept,
            None => Noted::First,
            Some((&(0, _), _)) => Noted::Kept,
            Some(_) => Noted::Sooner,
        };
        let doubt = match before {
            Some(before) if before.doubt != Doubt::No => Doubt::Sent,
            _ if sent => Doubt::Sent,
            _ => Doubt::No,
        };
        let due = 0;
        let missed = Missed { number, due, doubt };
        if before.is_some() {
            self.change(key, missed);
        } else {
            self.missed.insert(Held::new(key), missed);
            self.due.insert((due, number), Held::new(key));
        }
        noted
    }

    /// Changes what is known of a key that stands here.
    fn change(&mut self, key: &K, to: Missed) {
        if let Some(missed) = self.missed.get_mut(key)
            && let Some(held) = self.due.remove(&(missed.due, missed.number))
        {
            *missed = to;
            self.due.insert((to.due, to.number), held);
        }
    }

    /// Takes a key out, which is made good.
    fn forget(&mut self, key: &K) {
        if let Some(missed) = self.missed.remove(key) {
            self.due.remove(&(missed.due, missed.number));
        }
    }

    /// Takes in that a `clear` was missed.
    pub(crate) fn missed_all(&mut self) {
        self.last = self.last.wrapping_add(1);
        self.all = Some(self.last);
    }

    /// What a `clear` begins with, for [`cleared`](Self::cleared).
    pub(crate) fn begin_clear(&self) -> u64 {
        self.last
    }

    /// Takes in that the second level was cleared. What was missed since that began is not made good
    /// by it, and neither is a write that may still arrive.
    pub(crate) fn cleared(&mut self, begun: u64) {
        self.all = self.all.filter(|number| *number > begun);
        let due = &mut self.due;
        self.missed.retain(|_, missed| {
            let stays = missed.number > begun || missed.doubt != Doubt::No;
            if !stays {
                due.remove(&(missed.due, missed.number));
            }
            stays
        });
        if self.last == begun {
            self.suspects.cleared();
        }
    }

    /// Takes in that the second level did a write or delete of `key`, which no other met.
    pub(crate) fn done(&mut self, key: &K) {
        let doubtless = |missed: &Missed| missed.doubt == Doubt::No;
        if self.missed.get(key).is_some_and(doubtless) {
            self.forget(key);
        }
    }

    pub(crate) fn belief(&mut self, key: &K, now: u64) -> Belief {
        if self.all.is_some() || self.missed.contains_key(key) {
            return Belief::Distrusted;
        }
        if !self.suspects.any() {
            return Belief::Believed;
        }
        let longest = self.settings.longest_ttl;
        self.suspects.forget_expired(now, longest);
        match self.suspects.holds(key) {
            None => Belief::Believed,
            Some(repair) if self.suspects.may_repair(now) => Belief::Repair(repair),
            Some(_) => Belief::Distrusted,
        }
    }

    /// Takes in that the second level deleted a suspect.
    pub(crate) fn repaired(&mut self, key: &K, repair: Repair, now: u64) {
        let settle = self.settings.settle;
        self.suspects.repaired(key, repair, now, settle);
    }

    /// The next that is to be done, of at most `most` keys, if there is anything to do now.
    pub(crate) fn next(&self, now: u64, most: usize) -> Option<Replay<K>> {
        if self.wait.is_some_and(|(at, _)| now < at) {
            return None;
        }
        if self.all.is_some() {
            return Some(Replay::Clear(self.last));
        }
        let most = if self.singly > 0 { 1 } else { most };
        let due = self.due.range(..=(now, u64::MAX));
        let keys: Vec<_> = due
            .take(most)
            .map(|(&(_, number), key)| (key.clone(), number))
            .collect();
        (!keys.is_empty()).then_some(Replay::Keys(keys))
    }

    /// Lets the next replay wait for nothing, as the second level is back.
    pub(crate) fn retry_now(&mut self) {
        self.wait = None;
    }

    /// When there will be something to do.
    pub(crate) fn next_at(&self) -> Option<u64> {
        let due = match self.all {
            Some(_) => Some(0),
            None => self.due.first_key_value().map(|(&(due, _), _)| due),
        };
        due.map(|at| at.max(self.wait.map_or(0, |(at, _)| at)))
    }

    /// Takes in that the second level did it. Says how many keys are made good.
    pub(crate) fn replayed(&mut self, replay: &Replay<K>, now: u64) -> usize {
        self.wait = None;
        let keys = match replay {
            Replay::Clear(begun) => {
                self.cleared(*begun);
                return 0;
            }
            Replay::Keys(keys) => keys,
        };
        self.singly = self.singly.saturating_sub(keys.len());
        let before = self.missed.len();
        for (key, number) in keys {
            let Some(&missed) = self.missed.get(key.get()) else {
                continue;
            };
            match missed.doubt {
                _ if missed.number != *number => {}
                Doubt::Sent => {
                    let due = now.saturating_add(self.settings.settle);
                    let doubt = Doubt::Settling;
                    self.change(
                        key.get(),
                        Missed {
                            due,
                            doubt,
                            ..missed
                        },
                    );
                }
                Doubt::Settling if now < missed.due => {}
                Doubt::No | Doubt::Settling => self.forget(key.get()),
            }
        }
        before.saturating_sub(self.missed.len())
    }

    /// Takes in that the second level was asked, and refused. `never` says that it takes no such key at all: then nothing
    /// of it can be there or arrive.
    pub(crate) fn refused(
        &mut self,
        replay: &Replay<K>,
        never: bool,
        now: u64,
        random: &mut Random,
    ) {
        let (key, number) = match replay {
            Replay::Keys(keys) => match &**keys {
                [one] => one,
                keys => {
                    self.singly = keys.len();
                    return;
                }
            },
            Replay::Clear(_) => return self.not_replayed(now, random),
        };
        self.singly = self.singly.saturating_sub(1);
        let missed = self.missed.get(key.get()).copied();
        let Some(missed) = missed.filter(|missed| missed.number == *number) else {
            return;
        };
        if never {
            self.forget(key.get());
        } else {
            let (_, longest) = self.settings.retry;
            let due = now.saturating_add(longest).max(missed.due);
            self.change(key.get(), Missed { due, ..missed });
            self.not_replayed(now, random);
        }
    }

    /// Takes in that the second level did not.
    pub(crate) fn not_replayed(&mut self, now: u64, random: &mut Random) {
        let (first, most) = self.settings.retry;
        let period = self.wait.map_or(first, |(_, next)| next).min(most);
        let half = period / 2;
        let at = now.saturating_add(half + random.up_to(period - half));
        self.wait = Some((at, period.saturating_mul(2)));
    }
}

#[cfg(test)]
mod tests;
