//! Keys that a full journal had no room for.

use std::{
    collections::HashSet,
    hash::{BuildHasher, Hash, RandomState},
};

/// 128 KiB: after 20,000 keys too many, one other key in 30,000 is taken for one of them; after 100,000, one in 100.
const BITS: u64 = 1 << 20;
/// How many bits each key has among them, as of a Bloom filter.
const EACH: u64 = 4;
/// How many repaired keys are kept in mind: 10 MiB at most, while there are so many.
const REPAIRED: usize = 1 << 18;

/// A set that says "not among them" or "perhaps": its keys cannot be named any more, but each is
/// recognised when somebody asks for it.
pub(super) struct Suspects {
    /// Empty while there are none.
    bits: Vec<u64>,
    hashers: [RandomState; 2],
    /// What was deleted from the second level since. Forgetting one of these costs another delete.
    repaired: HashSet<Mark>,
    /// Counts what was added, so that a repair from before does not count.
    added: u64,
    /// Whether a write of one of them may still arrive.
    sent: bool,
    /// From when on a repair lasts, once the second level has answered since the last was added.
    settled: Option<u64>,
}

/// What stands for a key: 128 bits of hashes that nobody can foresee, which no two keys share.
type Mark = [u64; 2];

/// What a repair began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repair {
    added: u64,
}

impl Suspects {
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
        (0..EACH).map(move |n| {
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

    /// Whether `key` may be one, with what a repair of it has to begin with.
    pub(super) fn holds<K: Hash + ?Sized>(&self, key: &K) -> Option<Repair> {
        let mark = self.mark(key);
        let is_set =
            |(word, bit): (usize, u64)| self.bits.get(word).is_some_and(|word| word & bit != 0);
        let perhaps = Self::bits_of(mark).all(is_set);
        (perhaps && !self.repaired.contains(&mark)).then_some(Repair { added: self.added })
    }

    /// Whether it is time to repair at all.
    pub(super) fn may_repair(&self, now: u64) -> bool {
        self.settled.is_none_or(|at| at <= now)
    }

    /// Takes in that the second level deleted `key`, which lasts if every request from before has
    /// arrived or is lost by now.
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
                if self.repaired.len() >= REPAIRED {
                    self.repaired.clear();
                }
                self.repaired.insert(self.mark(key));
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
        self.repaired = HashSet::new();
        self.sent = false;
        self.settled = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDED: u32 = 20_000;

    fn overflowed(added: u32) -> Suspects {
        let mut suspects = Suspects::new();
        (0..added).for_each(|key| suspects.add(&key, false));
        suspects
    }

    #[test]
    fn each_key_is_repaired_once() {
        let mut suspects = overflowed(ADDED);
        let first = suspects.holds(&0).unwrap();
        suspects.repaired(&0, first, 0, 10);
        for key in 0..ADDED {
            let repair = suspects.holds(&key).expect("it was added");
            suspects.repaired(&key, repair, 10, 10);
        }
        assert!((0..ADDED).all(|key| suspects.holds(&key).is_none()));
        // What is missed again is one again, and no other is.
        suspects.add(&7, false);
        assert!(suspects.holds(&7).is_some() && suspects.holds(&8).is_none());
    }

    #[test]
    fn false_positive_rate_is_bounded() {
        // 3 are to be expected, and 1,010.
        for (added, most) in [(ADDED, 30), (100_000, 1_500)] {
            let suspects = overflowed(added);
            let others = (added..added + 100_000).filter(|key| suspects.holds(key).is_some());
            let others = others.count();
            assert!(others < most, "{others} after {added}");
        }
    }
}
