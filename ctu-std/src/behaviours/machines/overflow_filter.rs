//! The keys that a full journal has no room for, as a Bloom filter.

use std::{
    collections::HashSet,
    hash::{BuildHasher, Hash, RandomState},
};

/// 128 KiB: with 20,000 keys, one other key in 30,000 is a false positive; with 100,000, one in 100.
const BITS: u64 = 1 << 20;
/// The number of bits of each key.
const BITS_PER_KEY: u64 = 4;
/// The capacity for repaired keys: 10 MiB at most.
const MAX_REPAIRED: usize = 1 << 18;

/// A Bloom filter: it cannot list its keys, but recognises each of them on a lookup.
pub(super) struct OverflowFilter {
    /// Empty without keys.
    bits: Vec<u64>,
    hashers: [RandomState; 2],
    /// The keys that the second level has deleted since. A key that is lost here costs another delete.
    repaired: HashSet<Mark>,
    /// The number of added keys. A repair does not concern keys that were added after its start.
    added: u64,
    /// Whether a write of one of the keys may still arrive.
    sent: bool,
    /// The start of lasting repairs, once the second level has answered since the last key was added.
    settled: Option<u64>,
}

/// 128 bits of unpredictable hashes of a key: no two keys share them.
type Mark = [u64; 2];

/// The start of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repair {
    added: u64,
}

impl OverflowFilter {
    pub(super) fn new() -> Self {
        Self {
            bits: Vec::new(),
            hashers: [RandomState::new(), RandomState::new()],
            repaired: HashSet::new(),
            added: 0,
            sent: false,
            settled: None,
        }
    }

    fn mark<K: Hash + ?Sized>(&self, key: &K) -> Mark {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(key))
    }

    /// The bits of a key: by word, with the bit in it.
    fn bits_of([one, two]: Mark) -> impl Iterator<Item = (usize, u64)> {
        (0..BITS_PER_KEY).map(move |n| {
            let bit = one.wrapping_add(n.wrapping_mul(two | 1)) % BITS;
            // Less than the number of words, which fits.
            ((bit / 64) as usize, 1 << (bit % 64))
        })
    }

    pub(super) fn any(&self) -> bool {
        !self.bits.is_empty()
    }

    pub(super) fn add<K: Hash + ?Sized>(&mut self, key: &K, sent: bool) {
        if self.bits.is_empty() {
            self.bits = vec![0; (BITS / 64) as usize];
        }
        let mark = self.mark(key);
        for (word, bit) in Self::bits_of(mark) {
            if let Some(word) = self.bits.get_mut(word) {
                *word |= bit;
            }
        }
        self.repaired.remove(&mark);
        self.added = self.added.wrapping_add(1);
        self.sent |= sent;
        self.settled = None;
    }

    /// The start of a repair of `key`, if it may be one of the keys.
    pub(super) fn holds<K: Hash + ?Sized>(&self, key: &K) -> Option<Repair> {
        let mark = self.mark(key);
        let is_set =
            |(word, bit): (usize, u64)| self.bits.get(word).is_some_and(|word| word & bit != 0);
        let perhaps = Self::bits_of(mark).all(is_set);
        (perhaps && !self.repaired.contains(&mark)).then_some(Repair { added: self.added })
    }

    /// Whether a repair lasts.
    pub(super) fn may_repair(&self, now: u64) -> bool {
        self.settled.is_none_or(|at| at <= now)
    }

    /// The second level deleted `key`. The repair lasts if every earlier request has arrived or is lost.
    pub(super) fn repaired<K: Hash + ?Sized>(
        &mut self,
        key: &K,
        repair: Repair,
        now: u64,
        settle: u64,
    ) {
        if repair.added != self.added {
            return;
        }
        match self.settled {
            None => self.settled = Some(now.saturating_add(settle)),
            Some(at) if at <= now => {
                if self.repaired.len() >= MAX_REPAIRED {
                    self.repaired.clear();
                }
                self.repaired.insert(self.mark(key));
            }
            Some(_) => {}
        }
    }

    /// Forgets the keys once their entries have expired at the second level, `longest` after the last.
    pub(super) fn forget_expired(&mut self, now: u64, longest: Option<u64>) {
        if let (Some(at), Some(longest)) = (self.settled, longest)
            && at.saturating_add(longest) <= now
        {
            self.forget();
        }
    }

    /// The second level was cleared after the last key was added.
    pub(super) fn cleared(&mut self) {
        if !self.sent {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.bits = Vec::new();
        self.repaired = HashSet::new();
        self.sent = false;
        self.settled = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDED: u32 = 20_000;

    fn overflowed(added: u32) -> OverflowFilter {
        let mut filter = OverflowFilter::new();
        (0..added).for_each(|key| filter.add(&key, false));
        filter
    }

    #[test]
    fn each_key_is_repaired_once() {
        let mut filter = overflowed(ADDED);
        let first = filter.holds(&0).unwrap();
        filter.repaired(&0, first, 0, 10);
        for key in 0..ADDED {
            let repair = filter.holds(&key).expect("it was added");
            filter.repaired(&key, repair, 10, 10);
        }
        assert!((0..ADDED).all(|key| filter.holds(&key).is_none()));
        // A key that is missed again is in the filter again, and no other is.
        filter.add(&7, false);
        assert!(filter.holds(&7).is_some() && filter.holds(&8).is_none());
    }

    #[test]
    fn false_positive_rate_is_bounded() {
        // The expected numbers are 3 and 1,010.
        for (added, most) in [(ADDED, 30), (100_000, 1_500)] {
            let filter = overflowed(added);
            let others = (added..added + 100_000).filter(|key| filter.holds(key).is_some());
            let others = others.count();
            assert!(others < most, "{others} after {added}");
        }
    }
}
