//! Which entry leaves: the algorithm SIEVE.
//!
//! Y. Zhang et al., "SIEVE is Simpler than LRU: an Efficient Turn-Key Eviction Algorithm for Web Caches", NSDI 2024.
//! Entries stand in the order they came. A hand goes from the oldest to the newest: it spares an entry that was used
//! since it last came by, and takes the first that was not. Other than in LRU, a hit moves nothing.

/// The keys in the order they came.
pub(super) struct Queue<K> {
    slots: Vec<Slot<K>>,
    len: usize,
    capacity: usize,
    newest: u32,
    oldest: u32,
    /// The next entry to be looked at; [`NONE`] for the oldest.
    hand: u32,
    /// The first slot without an entry. The others follow as `older`.
    free: u32,
}

struct Slot<K> {
    key: Option<K>,
    newer: u32,
    older: u32,
}

const NONE: u32 = u32::MAX;

/// The most entries there can be.
pub(super) const MOST: usize = NONE as usize - 1;

impl<K> Queue<K> {
    /// A queue with room for `capacity` keys, at most [`MOST`].
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            slots: Vec::new(),
            len: 0,
            capacity,
            newest: NONE,
            oldest: NONE,
            hand: NONE,
            free: NONE,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.len >= self.capacity
    }

    /// The place that the next key gets.
    pub(super) fn next_place(&self) -> u32 {
        match self.free {
            NONE => self.slots.len() as u32,
            free => free,
        }
    }

    /// Adds a key, where there is room, and returns its place.
    pub(super) fn push(&mut self, key: K) -> u32 {
        let place = self.next_place();
        let slot = Slot {
            key: Some(key),
            newer: NONE,
            older: self.newest,
        };
        match self.slots.get_mut(place as usize) {
            Some(free) => {
                self.free = free.older;
                *free = slot;
            }
            None => self.slots.push(slot),
        }
        self.set_newer(self.newest, place);
        self.newest = place;
        self.len += 1;
        place
    }

    /// Takes out the key at `place`.
    pub(super) fn remove(&mut self, place: u32) -> Option<K> {
        let slot = self.slots.get_mut(place as usize)?;
        let key = slot.key.take()?;
        let (newer, older) = (slot.newer, slot.older);
        slot.older = self.free;
        self.free = place;
        self.set_newer(older, newer);
        self.set_older(newer, older);
        if self.hand == place {
            self.hand = newer;
        }
        self.len -= 1;
        Some(key)
    }

    /// Takes out all keys.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    /// The place of the first key, from the hand on, that is not `spared`, with the key: the next to be taken out. Each is
    /// asked for once: one that is spared may be used again before the hand is round, and then some key has to go anyway.
    pub(super) fn victim(&mut self, mut spared: impl FnMut(u32, &K) -> bool) -> Option<(u32, &K)> {
        let mut place = self.or_oldest(self.hand);
        for _ in 0..self.len {
            let slot = self.slots.get(place as usize)?;
            if !spared(place, slot.key.as_ref()?) {
                break;
            }
            place = self.or_oldest(slot.newer);
        }
        // Where the hand stands when this is taken out.
        self.hand = place;
        Some((place, self.key(place)?))
    }

    /// The key at `place`.
    pub(super) fn key(&self, place: u32) -> Option<&K> {
        self.slots.get(place as usize)?.key.as_ref()
    }

    fn or_oldest(&self, place: u32) -> u32 {
        if place == NONE { self.oldest } else { place }
    }

    /// What came after `place`, or the oldest where that is none, is `newer`.
    fn set_newer(&mut self, place: u32, newer: u32) {
        match self.slots.get_mut(place as usize) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
    }

    /// What came before `place`, or the newest where that is none, is `older`.
    fn set_older(&mut self, place: u32, older: u32) {
        match self.slots.get_mut(place as usize) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Walks all links, and says what is wrong if anything is.
    #[cfg(test)]
    pub(super) fn validate(&self) -> Result<(), &'static str> {
        let (mut place, mut before) = (self.oldest, NONE);
        for _ in 0..self.len {
            let Some(Slot {
                key: Some(_),
                newer,
                older,
            }) = self.slots.get(place as usize)
            else {
                return Err("the queue leads to no key, or ends early");
            };
            if *older != before {
                return Err("a key does not lead back");
            }
            (place, before) = (*newer, place);
        }
        if place != NONE || before != self.newest {
            return Err("the queue does not end at its newest");
        }
        let (mut free, mut place) = (0, self.free);
        while let Some(slot) = self.slots.get(place as usize) {
            if slot.key.is_some() || free > self.slots.len() {
                return Err("the free slots are not free, or go in a circle");
            }
            (free, place) = (free + 1, slot.older);
        }
        if free + self.len != self.slots.len() || self.len > self.capacity {
            return Err("a slot is neither free nor in the queue, or there are too many");
        }
        let hand = self.slots.get(self.hand as usize);
        match hand.is_none_or(|slot| slot.key.is_some()) {
            true => Ok(()),
            false => Err("the hand points at no key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use proptest::prelude::*;

    impl<K: Copy> Queue<K> {
        /// Takes out the victim.
        fn evict(&mut self, spared: impl FnMut(u32, &K) -> bool) -> Option<(u32, K)> {
            let (place, key) = self.victim(spared).map(|(place, key)| (place, *key))?;
            assert!(self.remove(place).is_some());
            Some((place, key))
        }
    }

    /// The example of the paper: what is used stays where it is, the hand goes on where it stopped.
    #[test]
    fn the_hand_goes_from_the_oldest_to_the_newest_and_begins_again() {
        let mut queue = Queue::new(100);
        for key in ["a", "b", "c", "d", "e", "f", "g"] {
            queue.push(key);
        }
        let mut used = vec!["a", "b", "g"];
        let mut evict = |queue: &mut Queue<_>| {
            let evicted = queue.evict(|_, key| match used.iter().position(|used| used == key) {
                Some(at) => {
                    used.remove(at);
                    true
                }
                None => false,
            });
            evicted.map(|(_, key)| key)
        };
        assert_eq!(evict(&mut queue), Some("c"));
        queue.push("h");
        assert_eq!(evict(&mut queue), Some("d"));
        queue.push("i");
        assert_eq!(
            [evict(&mut queue), evict(&mut queue)],
            [Some("e"), Some("f")]
        );
        assert_eq!(
            [evict(&mut queue), evict(&mut queue)],
            [Some("h"), Some("i")]
        );
        assert_eq!(
            [evict(&mut queue), evict(&mut queue)],
            [Some("a"), Some("b")]
        );
        assert_eq!([evict(&mut queue), evict(&mut queue)], [Some("g"), None]);
        assert_eq!(queue.validate(), Ok(()));
    }

    #[test]
    fn where_all_are_in_use_one_goes_anyway() {
        let mut queue = Queue::new(100);
        for key in 10..13 {
            queue.push(key);
        }
        let mut asked = Vec::new();
        let gone = queue.evict(|place, key| {
            asked.push((place, *key));
            true
        });
        assert_eq!(
            (gone, asked),
            (Some((0, 10)), vec![(0, 10), (1, 11), (2, 12)])
        );
        assert_eq!(queue.evict(|_, _| false), Some((1, 11)));
        queue.clear();
        assert_eq!(queue.victim(|_, _| false), None);
        assert_eq!((queue.len(), queue.validate()), (0, Ok(())));
    }

    proptest! {
        /// Against a list, oldest first, and the key that the hand points at.
        #[test]
        fn does_as_a_list(steps in prop::collection::vec((0..4u8, 0..16usize, any::<u16>()), 0..200)) {
            let mut queue = Queue::new(200);
            let (mut list, mut hand) = (Vec::<(u32, u32)>::new(), None);
            for (number, (what, at, used)) in (0u32..).zip(steps) {
                let at = match what {
                    0 | 1 => {
                        list.push((queue.push(number), number));
                        continue;
                    }
                    _ if list.is_empty() => {
                        prop_assert_eq!(queue.evict(|_, _| false), None);
                        continue;
                    }
                    2 => {
                        let at = at % list.len();
                        prop_assert_eq!(queue.remove(list[at].0), Some(list[at].1));
                        prop_assert_eq!(queue.remove(list[at].0), None);
                        prop_assert_eq!(queue.next_place(), list[at].0);
                        at
                    }
                    _ => {
                        let is_used = |key: u32| used >> (key % 16) & 1 == 1;
                        let start = list.iter().position(|entry| Some(entry.1) == hand).unwrap_or(0);
                        let mut round = (0..list.len()).map(|step| (start + step) % list.len());
                        let at = round.find(|&at| !is_used(list[at].1)).unwrap_or(start);
                        prop_assert_eq!(queue.evict(|_, key| is_used(*key)), Some(list[at]));
                        hand = Some(list[at].1);
                        at
                    }
                };
                let gone = list.remove(at).1;
                if hand == Some(gone) {
                    hand = list.get(at).map(|entry| entry.1);
                }
                prop_assert_eq!(queue.len(), list.len());
                prop_assert_eq!(queue.validate(), Ok(()));
            }
        }
    }
}
