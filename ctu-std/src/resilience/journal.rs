//! What the second level missed.
//!
//! # What is safe
//! A key whose write or delete was missed stands here, and what the second level says of it is not
//! believed until it was deleted there. A request that failed by its deadline may still be on its way,
//! and could store its value after that delete: a key with such a write is deleted a second time, `settle`
//! after the first, and stands here until then, whatever else is written meanwhile.
//! A delete that arrives late does no harm: a cache may always forget.
//!
//! Where there is no room for another key, it becomes one of the [suspects](super::suspects): it cannot be
//! named and so not be deleted unasked, but is recognised when it is asked for, deleted then, and a miss.

use super::{
    Held, Random,
    suspects::{Repair, Suspects},
};
use std::{collections::HashMap, hash::Hash};

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
    /// A `clear` was missed.
    all: Option<u64>,
    suspects: Suspects<K>,
    /// Numbers what is missed, so that a replay from before it does not count.
    last: u64,
    /// After a failed replay: when the next may be, and how long the one after that waits.
    wait: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Missed {
    number: u64,
    doubt: Doubt,
}

/// Whether a write may still arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    No,
    /// It was sent, and not answered.
    Sent,
    /// The same, but the second level has answered since: after this it has arrived or is lost.
    Until(u64),
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
            all: None,
            suspects: Suspects::new(settings.capacity.max(1)),
            last: 0,
            wait: None,
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

    /// Takes in that `key` was missed. Says whether that did not fit.
    pub(crate) fn missed(&mut self, key: &K, what: What) -> bool {
        self.last = self.last.wrapping_add(1);
        let number = self.last;
        let sent = what == What::SentWrite;
        if let Some(missed) = self.missed.get_mut(key) {
            missed.number = number;
            if sent || missed.doubt != Doubt::No {
                missed.doubt = Doubt::Sent;
            }
            return false;
        }
        if self.missed.len() >= self.settings.capacity {
            self.suspects.add(key, sent);
            return true;
        }
        let doubt = if sent { Doubt::Sent } else { Doubt::No };
        self.missed.insert(Held::new(key), Missed { number, doubt });
        false
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
        self.missed
            .retain(|_, missed| missed.number > begun || missed.doubt != Doubt::No);
        if self.last == begun {
            self.suspects.cleared();
        }
    }

    /// Takes in that the second level did a write or delete of `key`, which no other met.
    pub(crate) fn done(&mut self, key: &K) {
        let doubtless = |missed: &Missed| missed.doubt == Doubt::No;
        if self.missed.get(key).is_some_and(doubtless) {
            self.missed.remove(key);
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
        let due = self.missed.iter().filter(|(_, missed)| missed.is_due(now));
        let keys: Vec<_> = due
            .take(most)
            .map(|(key, missed)| (key.clone(), missed.number))
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
            None => self.missed.values().map(Missed::due_at).min(),
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
        let before = self.missed.len();
        for (key, number) in keys {
            let Some(missed) = self.missed.get_mut(key.get()) else {
                continue;
            };
            if missed.number != *number {
                continue;
            }
            match missed.doubt {
                Doubt::Sent => {
                    missed.doubt = Doubt::Until(now.saturating_add(self.settings.settle));
                }
                Doubt::Until(at) if now < at => {}
                Doubt::No | Doubt::Until(_) => drop(self.missed.remove(key.get())),
            }
        }
        before.saturating_sub(self.missed.len())
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

impl Missed {
    fn due_at(&self) -> u64 {
        match self.doubt {
            Doubt::No | Doubt::Sent => 0,
            Doubt::Until(at) => at,
        }
    }

    fn is_due(&self, now: u64) -> bool {
        self.due_at() <= now
    }
}

#[cfg(test)]
mod tests;
