//! The keys of the first level that have tags.
//!
//! Each has its tags, and the number of invalidations that this node knew at the start of the read or
//! write. An entry is served if none of its tags was invalidated since. So an invalidation changes one
//! number, however many entries have the tag.

use super::{mark_index::MarkIndex, versions::Indexed};
use crate::sync::{AtomicU64, Mutex};
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::atomic::Ordering::{Acquire, Release},
};

/// Few under shuttle, which may switch threads at each lock.
const STRIPES: usize = if cfg!(test) { 2 } else { 1024 };

/// The largest number of invalidated tags that are told apart. After more of them, every entry with tags
/// is outdated.
const MOST_INVALIDATED: usize = if cfg!(test) { 4 } else { 65_536 };

/// The tags of an entry.
struct Tagged {
    marks: Box<[u64]>,
    /// The number of invalidations at the start of the read or write.
    at: u64,
}

/// The tags of a key about to be in the first level.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewTags<'t> {
    pub(super) marks: &'t [u64],
    /// The number of invalidations at the start of the read or write.
    pub(super) at: u64,
}

/// The last invalidations by tag.
#[derive(Default)]
struct Invalidations {
    last: HashMap<u64, u64>,
    /// Entries from before this one are outdated.
    floor: u64,
}

impl Invalidations {
    fn is_current(&self, marks: &[u64], at: u64) -> bool {
        let is_current = |mark| self.last.get(mark).is_none_or(|last| *last <= at);
        self.floor <= at && marks.iter().all(is_current)
    }
}

/// The keys with tags.
pub(super) struct TagIndex<K: ToOwned + ?Sized> {
    /// The number of invalidations so far.
    count: AtomicU64,
    invalidations: Mutex<Invalidations>,
    stripes: Box<[Mutex<MarkIndex<K, Tagged>>]>,
    hasher: RandomState,
}

impl<K: Hash + Eq + ToOwned + ?Sized> TagIndex<K> {
    /// An index of about this many keys.
    pub(super) fn new(keys: usize) -> Self {
        let most = (2 * keys.div_ceil(STRIPES)).max(4);
        let stripe = |_| Mutex::new(MarkIndex::new(most));
        Self {
            count: AtomicU64::new(0),
            invalidations: Mutex::new(Invalidations::default()),
            stripes: (0..STRIPES).map(stripe).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The number of invalidations so far, to be read before a request to the second level.
    pub(super) fn now(&self) -> u64 {
        self.count.load(Acquire)
    }

    fn stripe(&self, key: &K) -> (u64, &Mutex<MarkIndex<K, Tagged>>) {
        let hash = self.hasher.hash_one(key);
        // The remainder is less than the number of stripes.
        (hash, &self.stripes[(hash % STRIPES as u64) as usize])
    }

    /// Makes the entries with the tag outdated.
    pub(super) fn invalidate(&self, mark: u64) {
        let mut invalidations = self.invalidations.lock();
        let next = self.count.load(Acquire) + 1;
        let is_known = invalidations.last.contains_key(&mark);
        if !is_known && invalidations.last.len() >= MOST_INVALIDATED {
            invalidations.last.clear();
            invalidations.floor = next;
        }
        invalidations.last.insert(mark, next);
        self.count.store(next, Release);
    }

    /// Whether the entry of the first level at `key`, which was read before, may be served.
    pub(super) fn is_current(&self, key: &K) -> bool {
        let (hash, stripe) = self.stripe(key);
        let stripe = stripe.lock();
        let Some(tagged) = stripe.get(hash, key) else {
            return true;
        };
        // No invalidation since, mostly.
        tagged.at == self.now() || {
            let invalidations = self.invalidations.lock();
            invalidations.is_current(&tagged.marks, tagged.at)
        }
    }

    /// Whether the entry of the first level at `key` has tags beside the `common` ones.
    pub(super) fn has_other_tags(&self, key: &K, common: &[u64]) -> bool {
        let (hash, stripe) = self.stripe(key);
        let stripe = stripe.lock();
        let tagged = stripe.get(hash, key);
        tagged.is_some_and(|tagged| tagged.marks.iter().any(|mark| !common.contains(mark)))
    }

    /// Runs `put`, which puts an entry with `tags` at `key` into the first level. `None` if the entry is
    /// outdated or has no place in the index: the first level then has none at `key`.
    pub(super) fn put<T>(
        &self,
        key: &K,
        tags: NewTags<'_>,
        first: &impl Indexed<K>,
        put: impl FnOnce() -> T,
    ) -> Option<T> {
        let (hash, stripe) = self.stripe(key);
        if tags.marks.is_empty() {
            // Another order would serve the entry before this one without its tags.
            let done = put();
            stripe.lock().forget(hash, key);
            return Some(done);
        }
        let mut stripe = stripe.lock();
        let is_current = self.invalidations.lock().is_current(tags.marks, tags.at);
        let tagged = Tagged {
            marks: tags.marks.into(),
            at: tags.at,
        };
        // Under the lock: another key may otherwise push this one out of the index before it is put.
        match is_current && stripe.insert(hash, key, tagged, first) {
            true => Some(put()),
            false => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shuttle::thread;
    use std::{
        collections::HashSet,
        sync::{Arc, Mutex as StdMutex},
    };

    #[derive(Default)]
    struct Keys(StdMutex<HashSet<u64>>);

    impl Indexed<u64> for Keys {
        fn has(&self, key: &u64) -> bool {
            self.0.lock().unwrap().contains(key)
        }

        fn forget(&self, key: &u64) -> bool {
            self.0.lock().unwrap().remove(key);
            true
        }
    }

    fn put(index: &TagIndex<u64>, first: &Keys, key: u64, marks: &[u64], at: u64) -> bool {
        let put = || assert!(first.0.lock().unwrap().insert(key) || marks.is_empty());
        let done = index.put(&key, NewTags { marks, at }, first, put);
        done.is_some()
    }

    #[test]
    fn invalidated_tag_outdates_earlier_entries_alone() {
        shuttle::check_random(
            || {
                let (index, first) = (TagIndex::new(100), Keys::default());
                assert!(put(&index, &first, 1, &[7, 8], index.now()));
                assert!(put(&index, &first, 2, &[8], index.now()));
                let at = index.now();
                index.invalidate(7);
                assert!(!index.is_current(&1));
                assert!(index.is_current(&2) && index.is_current(&3));
                // A read that began before.
                assert!(!put(&index, &first, 4, &[7], at));
                assert!(put(&index, &first, 5, &[8], at));
                assert!(put(&index, &first, 6, &[7], index.now()));
                assert!(index.is_current(&5) && index.is_current(&6));
                // An entry without tags takes the place of an outdated one.
                assert!(put(&index, &first, 1, &[], at));
                assert!(index.is_current(&1));
            },
            1,
        );
    }

    #[test]
    fn many_invalidated_tags_outdate_every_earlier_entry() {
        shuttle::check_random(
            || {
                let (index, first) = (TagIndex::new(100), Keys::default());
                assert!(put(&index, &first, 1, &[100], index.now()));
                (0..MOST_INVALIDATED as u64).for_each(|mark| index.invalidate(mark));
                assert!(index.is_current(&1));
                let at = index.now();
                index.invalidate(99);
                assert!(!index.is_current(&1));
                assert!(!put(&index, &first, 2, &[100], at));
                assert!(put(&index, &first, 3, &[100], index.now()));
                assert!(index.is_current(&3));
            },
            1,
        );
    }

    #[test]
    fn full_index_pushes_keys_out_of_the_first_level() {
        shuttle::check_random(
            || {
                let (index, first) = (TagIndex::new(1), Keys::default());
                for key in 0..100 {
                    assert!(put(&index, &first, key, &[7], index.now()));
                }
                let kept = first.0.lock().unwrap().clone();
                assert_eq!(kept.len(), 4 * STRIPES);
                index.invalidate(7);
                assert!(kept.iter().all(|key| !index.is_current(key)));
            },
            1,
        );
    }

    /// A read takes the entry, then asks the index.
    #[test]
    fn no_interleaving_serves_an_entry_from_before_an_invalidation() {
        shuttle::check_random(
            || {
                let (index, first) = (Arc::new(TagIndex::new(100)), Arc::new(Keys::default()));
                let at = index.now();
                let filling = {
                    let (index, first) = (index.clone(), first.clone());
                    thread::spawn(move || put(&index, &first, 1, &[7], at))
                };
                index.invalidate(7);
                let is_served = || first.has(&1) && index.is_current(&1);
                assert!(!is_served());
                filling.join().unwrap();
                assert!(!is_served());
            },
            1_000,
        );
    }
}
