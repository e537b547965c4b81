//! The keys that a store evicted a short time ago, two bytes a key.

/// The queue of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    Small,
    Main,
}

/// A key that was evicted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ghost {
    /// The queue that evicted it.
    pub(super) from: Queue,
    /// Whether it is the last one of its set that this queue evicted.
    pub(super) newest: bool,
}

/// The number of keys of a set.
const WAYS: usize = 4;

/// Tags of about the last `N` evicted keys, in sets of four.
///
/// The hash of a key selects its set. A set is in the order of evictions, the last one first; a new
/// tag displaces the oldest of the set, but not the only one of its queue. A cell holds fifteen
/// bits of the hash and, as its lowest bit, the queue; 0 is vacant. One in 8,192 other keys is taken
/// for a key of a full set, so a scan of many times `N` keys leaves the main queue as it is.
#[derive(Clone, Debug)]
pub(super) struct Ghosts<const N: usize>([u16; N]);

/// Whether a tag is that of an entry of the main queue.
const MAIN: u16 = 1;

const fn queue(tag: u16) -> Queue {
    if tag & MAIN == 0 {
        Queue::Small
    } else {
        Queue::Main
    }
}

impl<const N: usize> Ghosts<N> {
    pub(super) const EMPTY: Self = Self([0; N]);

    /// The set of a hash, and its tag without the queue.
    ///
    /// The rounds of the hash function lowbias32 make the bits independent of the key's bucket in
    /// the index, for any hash function of the keys.
    #[inline]
    fn set(&mut self, hash: u64) -> (&mut [u16], u16) {
        let mut bits = (hash ^ (hash >> 32)) as u32;
        bits = (bits ^ (bits >> 16)).wrapping_mul(0x7FEB_352D);
        bits = (bits ^ (bits >> 15)).wrapping_mul(0x846C_A68B);
        bits ^= bits >> 16;
        let sets = N.div_ceil(WAYS) as u64;
        let set = (u64::from(bits) * sets) >> 32;
        let tag = (bits as u16 & !MAIN).max(MAIN << 1);
        (
            self.0
                .chunks_mut(WAYS)
                .nth(set as usize)
                .unwrap_or_default(),
            tag,
        )
    }

    /// Adds the key of this hash.
    #[inline]
    pub(super) fn remember(&mut self, hash: u64, from: Queue) {
        let (set, mut tag) = self.set(hash);
        if from == Queue::Main {
            tag |= MAIN;
        }
        let oldest_stays = set.split_last().is_some_and(|(&oldest, newer)| {
            newer.len() > 1
                && oldest != 0
                && queue(oldest) != from
                && newer.iter().all(|&other| queue(other) == from)
        });
        let displaced = set.len().saturating_sub(usize::from(oldest_stays));
        for cell in set.iter_mut().take(displaced) {
            tag = core::mem::replace(cell, tag);
        }
    }

    /// Removes the key of this hash and returns it.
    #[inline]
    pub(super) fn recall(&mut self, hash: u64) -> Option<Ghost> {
        let (set, tag) = self.set(hash);
        let at = set.iter().position(|&cell| cell & !MAIN == tag)?;
        let (newer, older) = set.split_at_mut_checked(at)?;
        let mut next = 0;
        for cell in older.iter_mut().rev() {
            next = core::mem::replace(cell, next);
        }
        let from = queue(next);
        let newest = newer.iter().all(|&other| queue(other) != from);
        Some(Ghost { from, newest })
    }
}

#[cfg(test)]
mod tests {
    use super::{Ghost, Ghosts, Queue, WAYS};

    /// The last ghost of a queue, or an earlier one.
    fn ghost(from: Queue, newest: bool) -> Option<Ghost> {
        Some(Ghost { from, newest })
    }

    #[test]
    fn evicted_key_is_recalled_once() {
        let mut ghosts = Ghosts::<7>::EMPTY;
        assert_eq!(ghosts.recall(1), None);
        ghosts.remember(1, Queue::Small);
        assert_eq!(ghosts.recall(1), ghost(Queue::Small, true));
        assert_eq!(ghosts.recall(1), None);
        assert!(ghosts.0.iter().all(|&tag| tag == 0));
    }

    /// Hashes of different tags.
    fn distinct<const N: usize>() -> impl Iterator<Item = u64> {
        let mut tags = [false; 1 << 16];
        (0..u64::MAX).filter(move |&hash| {
            let tag = Ghosts::<N>([0; N]).set(hash).1;
            !core::mem::replace(&mut tags[usize::from(tag)], true)
        })
    }

    #[test]
    fn set_keeps_the_last_four_keys() {
        let mut ghosts = Ghosts::<WAYS>::EMPTY;
        let hashes: [u64; 5] = core::array::from_fn({
            let mut distinct = distinct::<WAYS>();
            move |_| distinct.next().unwrap_or_default()
        });
        for hash in hashes {
            ghosts.remember(hash, Queue::Small);
        }
        assert_eq!(ghosts.recall(hashes[0]), None);
        assert_eq!(ghosts.recall(hashes[1]), ghost(Queue::Small, false));
        assert_eq!(ghosts.recall(hashes[4]), ghost(Queue::Small, true));
        assert_eq!(ghosts.recall(hashes[3]), ghost(Queue::Small, true));
    }

    #[test]
    fn the_only_key_of_a_queue_stays() {
        let mut ghosts = Ghosts::<WAYS>::EMPTY;
        let mut hashes = distinct::<WAYS>();
        let of_main = hashes.next().unwrap_or_default();
        ghosts.remember(of_main, Queue::Main);
        for hash in hashes.take(50) {
            ghosts.remember(hash, Queue::Small);
        }
        assert_eq!(ghosts.recall(of_main), ghost(Queue::Main, true));
    }

    #[test]
    fn few_keys_are_mistaken() {
        let mut ghosts = Ghosts::<256>::EMPTY;
        for hash in 0..2_560_u64 {
            ghosts.remember(hash, Queue::Small);
        }
        let mistaken = (10_000..110_000_u64).filter(|&hash| ghosts.clone().recall(hash).is_some());
        assert!(mistaken.count() < 100_000 / 4_096);
    }
}
