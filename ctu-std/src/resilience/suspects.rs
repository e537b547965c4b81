//! Keys that a full journal had no room for.

use super::Held;
use ctu_core::heap::LruCache;
use std::hash::{BuildHasher, Hash, RandomState};

/// 8 KiB: after 10,000 keys too many, 6 keys of 7 are still believed.
const BITS: u64 = 1 << 16;

/// A set that says "not among them" or "perhaps": its keys cannot be named any more, but each is
/// recognised when somebody asks for it.
pub(super) struct Suspects<K: ToOwned + ?Sized> {
    /// Empty while there are none.
    bits: Vec<u64>,
    hasher: RandomState,
    /// What was deleted from the second level since. Forgetting one of these costs another delete.
    repaired: LruCache<Held<K>, ()>,
    /// Counts what was added, so that a repair from before does not count.
    added: u64,
    /// Whether a write of one of them may still arrive.
    sent: bool,
    /// From when on a repair lasts, once the second level has answered since the last was added.
    settled: Option<u64>,
}

/// What a repair began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repair {
    added: u64,
}

impl<K: ToOwned + Hash + Eq + ?Sized> Suspects<K> {
    pub(super) fn new(repaired: usize) -> Self {
        Self {
            bits: Vec::new(),
            hasher: RandomState::new(),
            repaired: LruCache::with_capacity(repaired),
            added: 0,
            sent: false,
            settled: None,
        }
    }

    pub(super) fn any(&self) -> bool {
        !self.bits.is_empty()
    }

    fn bit(&self, key: &K) -> (usize, u64) {
        let bit = self.hasher.hash_one(key) % BITS;
        // Less than the number of words, which fits.
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    pub(super) fn add(&mut self, key: &K, sent: bool) {
        if self.bits.is_empty() {
            self.bits = vec![0; (BITS / 64) as usize];
        }
        let (word, bit) = self.bit(key);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
        self.repaired.remove(key);
        self.added = self.added.wrapping_add(1);
        self.sent |= sent;
        self.settled = None;
    }

    /// Whether `key` may be one, with what a repair of it has to begin with.
    pub(super) fn holds(&mut self, key: &K) -> Option<Repair> {
        let (word, bit) = self.bit(key);
        let perhaps = self.bits.get(word).is_some_and(|word| word & bit != 0);
        if !perhaps || self.repaired.get(key).is_some() {
            return None;
        }
        Some(Repair { added: self.added })
    }

    /// Whether it is time to repair at all.
    pub(super) fn may_repair(&self, now: u64) -> bool {
        self.settled.is_none_or(|at| at <= now)
    }

    /// Takes in that the second level deleted `key`, which lasts if every request from before has
    /// arrived or is lost by now.
    pub(super) fn repaired(&mut self, key: &K, repair: Repair, now: u64, settle: u64) {
        if repair.added != self.added {
            return;
        }
        match self.settled {
            None => self.settled = Some(now.saturating_add(settle)),
            Some(at) if at <= now => {
                self.repaired.insert(Held::new(key), ());
            }
            Some(_) => {}
        }
    }

    /// Whether all of them have left the second level by their time-to-live, which is `longest` at most.
    pub(super) fn forget_expired(&mut self, now: u64, longest: Option<u64>) {
        if let (Some(at), Some(longest)) = (self.settled, longest)
            && at.saturating_add(longest) <= now
        {
            self.forget();
        }
    }

    /// The second level was cleared, after all of them were added.
    pub(super) fn cleared(&mut self) {
        if !self.sent {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.bits = Vec::new();
        self.repaired.clear();
        self.sent = false;
        self.settled = None;
    }
}
