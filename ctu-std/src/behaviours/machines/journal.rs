//! The journal of writes and removals that the second level missed.
//!
//! # Rules
//! A key whose write or removal was missed is recorded here. Reads do not trust the second level for
//! it until the key has been deleted there.
//!
//! A request that failed by its deadline may still be on its way and store its value after that
//! delete. A key with such a write is deleted again, `settle` after the first delete, and stays
//! recorded until then, regardless of later writes. A late delete does no harm: a cache may always
//! forget.
//!
//! A refused replay is no outage: one of its keys cannot be deleted, for example since the second
//! level rejects such keys. Its keys are then deleted one by one, and a key that is refused alone is
//! retried after the others.
//!
//! A key that finds no room goes to the [overflow filter](super::overflow_filter), which cannot list
//! its keys but recognises them: such a key is deleted when a read asks for it, and that read is a miss.

use super::{
    OwnedKey,
    overflow_filter::{OverflowFilter, Repair},
};
use crate::random::Random;
use ctu_core::heap::RandomState;
use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// Times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JournalSettings {
    /// The number of keys with a record of their own.
    pub(crate) capacity: usize,
    /// The longest time that a request is on its way after its deadline, once the second level is back.
    pub(crate) settle: u64,
    /// The longest time-to-live of all entries of the second level, if known.
    pub(crate) longest_ttl: Option<u64>,
    /// The wait after a failed replay: at first, and at most.
    pub(crate) retry: (u64, u64),
}

pub(crate) struct Journal<K: ToOwned + ?Sized> {
    settings: JournalSettings,
    missed: HashMap<OwnedKey<K>, Missed, RandomState>,
    /// The same keys, ordered by the time of their delete and by their numbers.
    due: BTreeMap<(u64, u64), OwnedKey<K>>,
    /// The number of a missed `clear`.
    all: Option<u64>,
    overflow: OverflowFilter,
    /// The number of the last record. A replay does not concern later records.
    last: u64,
    /// After a failed replay: the time of the next, and the wait after that.
    wait: Option<(u64, u64)>,
    /// The number of keys to delete one by one.
    singly: usize,
}

#[derive(Clone, Copy, Debug)]
struct Missed {
    number: u64,
    due: u64,
    pending: PendingWrite,
}

/// Whether a write may still arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PendingWrite {
    None,
    /// It was sent, and not answered.
    Unacknowledged,
    /// The same, but the second level has answered since: when the key is due, the write has arrived
    /// or is lost.
    Settling,
}

/// The effect of a record on the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordOutcome {
    /// It is the only record.
    First,
    /// It is due before the other records.
    Earlier,
    /// It is one of several.
    Kept,
    /// There was no room.
    Overflowed,
}

/// A missed operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissedOp {
    /// A write that was sent: it may have been done, or may still arrive.
    UnacknowledgedWrite,
    /// A write that was not sent, or a removal.
    Other,
}

/// Whether a read trusts the second level for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    Trusted,
    /// The read does not ask.
    Distrusted,
    /// The read does not ask, and deletes the key.
    Repair(Repair),
}

/// The next operation of a recovery.
pub(crate) enum Replay<K: ToOwned + ?Sized> {
    /// Deletes these keys.
    Keys(Vec<(OwnedKey<K>, u64)>),
    /// Deletes all keys. With the number of the last record.
    Clear(u64),
}

impl<K: ToOwned + Hash + Eq + ?Sized> Journal<K> {
    pub(crate) fn new(settings: JournalSettings) -> Self {
        Self {
            settings,
            missed: HashMap::default(),
            due: BTreeMap::new(),
            all: None,
            overflow: OverflowFilter::new(),
            last: 0,
            wait: None,
            singly: 0,
        }
    }

    /// The number of recorded keys.
    pub(crate) fn len(&self) -> usize {
        self.missed.len()
    }

    /// Whether there is nothing to replay.
    pub(crate) fn is_empty(&self) -> bool {
        self.missed.is_empty() && self.all.is_none()
    }

    /// Whether keys that found no room are not made good yet.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflow.any()
    }

    /// Records a missed operation on `key`.
    pub(crate) fn missed(&mut self, key: &K, op: MissedOp) -> RecordOutcome {
        self.last = self.last.wrapping_add(1);
        let number = self.last;
        let sent = op == MissedOp::UnacknowledgedWrite;
        let before = self.missed.get(key).copied();
        if before.is_none() && self.missed.len() >= self.settings.capacity {
            self.overflow.add(key, sent);
            return RecordOutcome::Overflowed;
        }
        let outcome = match self.due.first_key_value() {
            _ if self.all.is_some() => RecordOutcome::Kept,
            None => RecordOutcome::First,
            Some((&(0, _), _)) => RecordOutcome::Kept,
            Some(_) => RecordOutcome::Earlier,
        };
        let pending = match before {
            Some(before) if before.pending != PendingWrite::None => PendingWrite::Unacknowledged,
            _ if sent => PendingWrite::Unacknowledged,
            _ => PendingWrite::None,
        };
        let due = 0;
        let missed = Missed {
            number,
            due,
            pending,
        };
        if before.is_some() {
            self.change(key, missed);
        } else {
            self.missed.insert(OwnedKey::new(key), missed);
            self.due.insert((due, number), OwnedKey::new(key));
        }
        outcome
    }

    /// Changes the record of a key.
    fn change(&mut self, key: &K, to: Missed) {
        if let Some(missed) = self.missed.get_mut(key)
            && let Some(held) = self.due.remove(&(missed.due, missed.number))
        {
            *missed = to;
            self.due.insert((to.due, to.number), held);
        }
    }

    /// Removes the record of a key.
    fn forget(&mut self, key: &K) {
        if let Some(missed) = self.missed.remove(key) {
            self.due.remove(&(missed.due, missed.number));
        }
    }

    /// Records a missed `clear`.
    pub(crate) fn missed_all(&mut self) {
        self.last = self.last.wrapping_add(1);
        self.all = Some(self.last);
    }

    /// The start of a `clear`, for [`cleared`](Self::cleared).
    pub(crate) fn begin_clear(&self) -> u64 {
        self.last
    }

    /// The second level was cleared. Records since `begun` stay, and so do writes that may still arrive.
    pub(crate) fn cleared(&mut self, begun: u64) {
        self.all = self.all.filter(|number| *number > begun);
        let due = &mut self.due;
        self.missed.retain(|_, missed| {
            let stays = missed.number > begun || missed.pending != PendingWrite::None;
            if !stays {
                due.remove(&(missed.due, missed.number));
            }
            stays
        });
        if self.last == begun {
            self.overflow.cleared();
        }
    }

    /// The second level did a write or removal of `key`, without a concurrent one.
    pub(crate) fn done(&mut self, key: &K) {
        let none_pending = |missed: &Missed| missed.pending == PendingWrite::None;
        if self.missed.get(key).is_some_and(none_pending) {
            self.forget(key);
        }
    }

    /// Whether a read of `key` asks the second level.
    pub(crate) fn trust(&mut self, key: &K, now: u64) -> Trust {
        if self.all.is_some() || self.missed.contains_key(key) {
            return Trust::Distrusted;
        }
        if !self.overflow.any() {
            return Trust::Trusted;
        }
        let longest = self.settings.longest_ttl;
        self.overflow.forget_expired(now, longest);
        match self.overflow.holds(key) {
            None => Trust::Trusted,
            Some(repair) if self.overflow.may_repair(now) => Trust::Repair(repair),
            Some(_) => Trust::Distrusted,
        }
    }

    /// The second level deleted a key of the overflow filter.
    pub(crate) fn repaired(&mut self, key: &K, repair: Repair, now: u64) {
        let settle = self.settings.settle;
        self.overflow.repaired(key, repair, now, settle);
    }

    /// The next replay, of at most `most` keys, if one is due.
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

    /// The second level is back: the next replay does not wait.
    pub(crate) fn retry_now(&mut self) {
        self.wait = None;
    }

    /// The time of the next replay.
    pub(crate) fn next_at(&self) -> Option<u64> {
        let due = match self.all {
            Some(_) => Some(0),
            None => self.due.first_key_value().map(|(&(due, _), _)| due),
        };
        due.map(|at| at.max(self.wait.map_or(0, |(at, _)| at)))
    }

    /// The second level did the replay. Returns the number of keys that are made good.
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
            match missed.pending {
                _ if missed.number != *number => {}
                PendingWrite::Unacknowledged => {
                    let due = now.saturating_add(self.settings.settle);
                    let pending = PendingWrite::Settling;
                    self.change(
                        key.get(),
                        Missed {
                            due,
                            pending,
                            ..missed
                        },
                    );
                }
                PendingWrite::Settling if now < missed.due => {}
                PendingWrite::None | PendingWrite::Settling => self.forget(key.get()),
            }
        }
        before.saturating_sub(self.missed.len())
    }

    /// The second level refused the replay. `never`: it rejects such a key in every request, so the key
    /// has no entry there and none can arrive.
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

    /// The replay failed.
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
