//! Versions of keys, so that the first level never shows an older value than the last write to the
//! second level.
//!
//! Between the steps of an operation at the second and at the first level, another operation may run:
//! a fill with an overwritten value, or two writes that arrive in reverse order. An operation that
//! finds a concurrent write leaves nothing in the first level, which is always right. Nothing is
//! locked while the second level works, and a hit in the first level takes no part in this.
//!
//! A change that the server reports is a write, too. The report has the mark of the key, a hash, so a
//! stripe also has the keys of the first level by their marks.

use super::mark_index::MarkIndex;
use crate::sync::Mutex;
use ctu_core::heap::RandomState;
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
};

/// Keys that share a stripe look like concurrent writes to each other. The cost is one more read of
/// the second level.
const STRIPES: usize = 256;

/// The same if the writes of all nodes are reported: with 100,000 of them a second, and 0.5 ms a read,
/// one fill in 80 is skipped.
/// Few under shuttle, which may switch threads at each lock.
const TRACKED_STRIPES: usize = if cfg!(test) { 4 } else { 4096 };

/// The indexed keys of a stripe on average, if the index is full.
const KEYS_PER_STRIPE: usize = 16;

/// The number of writes to the keys of each stripe, and the marks of keys.
pub(super) struct WriteVersions<K: ToOwned + ?Sized> {
    stripes: Box<[Mutex<Stripe<K>>]>,
    hasher: RandomState,
}

struct Stripe<K: ToOwned + ?Sized> {
    writes: u64,
    marks: MarkIndex<K>,
}

/// The version of a key at the start of an operation.
#[derive(Clone, Copy)]
pub(super) struct Version {
    stripe: usize,
    writes: u64,
    mark: Option<u64>,
    invalidations: u64,
    unreported: u64,
}

impl Version {
    /// The number of answers whose changes are not reported.
    pub(super) fn unreported(&self) -> u64 {
        self.unreported
    }

    /// The version with the number of answers whose changes are not reported.
    pub(super) fn with_unreported(self, unreported: u64) -> Self {
        Self { unreported, ..self }
    }

    /// The version with the number of invalidated tags at the same time.
    pub(super) fn with_invalidations(self, invalidations: u64) -> Self {
        Self {
            invalidations,
            ..self
        }
    }

    /// The number of invalidated tags.
    pub(super) fn invalidations(&self) -> u64 {
        self.invalidations
    }

    /// The version for a write that keeps nothing in the first level.
    pub(super) fn without_mark(self) -> Self {
        Self { mark: None, ..self }
    }

    /// The mark of the key.
    pub(super) fn mark(&self) -> Option<u64> {
        self.mark
    }
}

/// The writes of one batch, which are not concurrent to each other.
#[derive(Default)]
pub(super) struct Batch {
    /// By stripe.
    own: HashMap<usize, u64>,
}

impl Batch {
    /// The version of the next write of the batch, after the earlier ones.
    pub(super) fn next(&mut self, version: Version) -> Version {
        let own = self.own.entry(version.stripe).or_default();
        let writes = version.writes.wrapping_add(*own);
        *own += 1;
        Version { writes, ..version }
    }
}

/// The first level, as far as the index of marks needs it.
pub(super) trait Indexed<K: ?Sized> {
    /// Whether the first level has `key`.
    fn has(&self, key: &K) -> bool;
    /// Removes `key`. Returns whether that succeeded.
    fn forget(&self, key: &K) -> bool;
    /// The number of answers so far whose changes are not reported.
    fn unreported(&self) -> u64 {
        0
    }
}

impl<K: Hash + Eq + ToOwned + ?Sized> WriteVersions<K> {
    /// `tracked` is the capacity of the index of marks; `None` if no changes are reported.
    pub(super) fn new(tracked: Option<usize>) -> Self {
        let stripes = match tracked {
            None => STRIPES,
            Some(keys) => (keys / KEYS_PER_STRIPE).max(TRACKED_STRIPES),
        };
        // Stripes are not equally full.
        let most = tracked.map_or(0, |keys| (2 * keys.div_ceil(stripes)).max(4));
        let stripe = |_| {
            Mutex::new(Stripe {
                writes: 0,
                marks: MarkIndex::new(most),
            })
        };
        Self {
            stripes: (0..stripes).map(stripe).collect(),
            hasher: RandomState::default(),
        }
    }

    fn stripe_of(&self, hash: u64) -> usize {
        // The remainder is less than the number of stripes.
        (hash % self.stripes.len() as u64) as usize
    }

    /// The version of `key`, to be taken before the request to the second level. `mark` is the mark of
    /// the key, if changes of it are reported.
    pub(super) fn current(&self, key: &K, mark: Option<u64>) -> Version {
        let stripe = self.stripe_of(mark.unwrap_or_else(|| self.hasher.hash_one(key)));
        let writes = self.stripes[stripe].lock().writes;
        Version {
            stripe,
            writes,
            mark,
            invalidations: 0,
            unreported: 0,
        }
    }

    /// Runs `fill` on the first level, unless the key was written since `version`.
    pub(super) fn fill(
        &self,
        version: Version,
        key: &K,
        first: &impl Indexed<K>,
        fill: impl FnOnce(),
    ) {
        let mut stripe = self.stripes[version.stripe].lock();
        if stripe.writes == version.writes && stripe.index(version, key, first) {
            fill();
        }
    }

    /// Runs `write` on the first level. Its argument tells whether no other write ran since `version`.
    pub(super) fn write<T>(
        &self,
        version: Version,
        key: &K,
        first: &impl Indexed<K>,
        write: impl FnOnce(bool) -> T,
    ) -> T {
        let mut stripe = self.stripes[version.stripe].lock();
        let unraced = stripe.writes == version.writes;
        stripe.writes = stripe.writes.wrapping_add(1);
        let may_keep = unraced && stripe.index(version, key, first);
        write(may_keep)
    }

    /// Runs `write` on the first level, as a write of every key.
    pub(super) fn write_all<T>(&self, write: impl FnOnce() -> T) -> T {
        for stripe in &self.stripes {
            let mut stripe = stripe.lock();
            stripe.writes = stripe.writes.wrapping_add(1);
        }
        // The marks stay: another thread may read the first level until `write` has ended.
        write()
    }

    /// The server reports a change of the key with `mark`: a write, which removes the key from the first
    /// level. `None` if there is no such key, otherwise whether the removal succeeded.
    pub(super) fn invalidate(&self, mark: u64, first: &impl Indexed<K>) -> Option<bool> {
        let mut stripe = self.stripes[self.stripe_of(mark)].lock();
        stripe.writes = stripe.writes.wrapping_add(1);
        stripe.marks.remove(mark, |key| first.forget(key))
    }
}

impl<K: Eq + ToOwned + ?Sized> Stripe<K> {
    /// Records the mark of a key that is about to be in the first level. Returns `false` if that is not
    /// possible: the first level does not remove another key, or changes of this one may not be reported.
    fn index(&mut self, version: Version, key: &K, first: &impl Indexed<K>) -> bool {
        match version.mark {
            Some(_) if version.unreported != first.unreported() => false,
            Some(mark) => self.marks.insert(mark, key, (), first),
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, Indexed, WriteVersions};
    use std::{collections::HashSet, sync::Mutex};

    /// A first level without an entry.
    struct Nothing;

    impl<K: ?Sized> Indexed<K> for Nothing {
        fn has(&self, _: &K) -> bool {
            false
        }

        fn forget(&self, _: &K) -> bool {
            true
        }
    }

    /// A first level of keys.
    #[derive(Default)]
    struct Keys(Mutex<HashSet<u64>>);

    impl Indexed<u64> for Keys {
        fn has(&self, key: &u64) -> bool {
            self.0.lock().unwrap().contains(key)
        }

        fn forget(&self, key: &u64) -> bool {
            self.0.lock().unwrap().remove(key);
            true
        }
    }

    /// Runs `case` under shuttle, since the locks are shuttle's in tests.
    fn explored(case: impl Fn() + Send + Sync + 'static) {
        shuttle::check_random(case, 1);
    }

    #[test]
    fn concurrent_writes_are_detected() {
        explored(|| {
            let versions = WriteVersions::<str>::new(None);
            let (one, two) = (versions.current("key", None), versions.current("key", None));
            assert!(versions.write(two, "key", &Nothing, |unraced| unraced));
            assert!(!versions.write(one, "key", &Nothing, |unraced| unraced));
            assert!(
                versions.write(versions.current("key", None), "key", &Nothing, |unraced| {
                    unraced
                })
            );
        });
    }

    #[test]
    fn writes_of_one_batch_are_not_concurrent() {
        explored(|| {
            let versions = WriteVersions::<str>::new(None);
            let (mut batch, begun) = (
                Batch::default(),
                [(); 3].map(|()| versions.current("key", None)),
            );
            assert!(versions.write(batch.next(begun[0]), "key", &Nothing, |unraced| unraced));
            assert!(versions.write(batch.next(begun[1]), "key", &Nothing, |unraced| unraced));
            // A write of another operation is.
            versions.write(versions.current("key", None), "key", &Nothing, drop);
            assert!(!versions.write(batch.next(begun[2]), "key", &Nothing, |unraced| unraced));
        });
    }

    #[test]
    fn fill_older_than_a_write_is_skipped() {
        explored(|| {
            let versions = WriteVersions::<str>::new(None);
            let read = versions.current("key", None);
            versions.fill(read, "key", &Nothing, || ());
            versions.write(versions.current("key", None), "key", &Nothing, drop);
            versions.fill(read, "key", &Nothing, || panic!("an old value"));
            let read = versions.current("key", None);
            versions.write_all(|| ());
            versions.fill(read, "key", &Nothing, || panic!("a value that was cleared"));
        });
    }

    #[test]
    fn other_stripes_are_independent() {
        explored(|| {
            let versions = WriteVersions::<i32>::new(None);
            let read = versions.current(&0, None);
            let other = (1..).map(|key: i32| versions.current(&key, None));
            let mut other = other.filter(|version| version.stripe != read.stripe);
            versions.write(other.next().unwrap(), &1, &Nothing, drop);
            let mut filled = false;
            versions.fill(read, &0, &Nothing, || filled = true);
            assert!(filled);
        });
    }

    #[test]
    fn reported_change_is_a_write_that_removes_its_key() {
        explored(|| {
            let (versions, first) = (WriteVersions::<u64>::new(Some(100)), Keys::default());
            let read = versions.current(&1, Some(7));
            versions.fill(read, &1, &first, || {
                assert!(first.0.lock().unwrap().insert(1))
            });
            assert!(first.has(&1));
            // A key of another program.
            assert_eq!(versions.invalidate(8, &first), None);
            let read = versions.current(&1, Some(7));
            assert_eq!(versions.invalidate(7, &first), Some(true));
            assert!(!first.has(&1));
            versions.fill(read, &1, &first, || panic!("an old value"));
            assert_eq!(versions.invalidate(7, &first), None);
        });
    }

    #[test]
    fn full_index_removes_the_oldest_keys_from_the_first_level() {
        explored(|| {
            let (versions, first) = (WriteVersions::<u64>::new(Some(1)), Keys::default());
            let mark = |key: u64| key * versions.stripes.len() as u64;
            for key in 0..10 {
                let read = versions.current(&key, Some(mark(key)));
                versions.fill(read, &key, &first, || {
                    assert!(first.0.lock().unwrap().insert(key))
                });
            }
            // Every key in the first level is in the index.
            let kept = first.0.lock().unwrap().clone();
            assert_eq!(kept, HashSet::from([6, 7, 8, 9]));
            // An evicted key gives way first.
            first.0.lock().unwrap().remove(&8);
            let read = versions.current(&10, Some(mark(10)));
            versions.fill(read, &10, &first, || {
                assert!(first.0.lock().unwrap().insert(10))
            });
            assert_eq!(
                first.0.lock().unwrap().clone(),
                HashSet::from([6, 7, 9, 10])
            );
            for key in [6, 7, 9, 10] {
                assert_eq!(versions.invalidate(mark(key), &first), Some(true));
            }
            assert!(first.0.lock().unwrap().is_empty());
        });
    }

    #[test]
    fn keys_with_the_same_mark_are_not_both_in_the_first_level() {
        explored(|| {
            let (versions, first) = (WriteVersions::<u64>::new(Some(100)), Keys::default());
            for key in [1, 2] {
                let read = versions.current(&key, Some(7));
                versions.fill(read, &key, &first, || {
                    assert!(first.0.lock().unwrap().insert(key))
                });
            }
            assert_eq!(first.0.lock().unwrap().clone(), HashSet::from([2]));
            assert_eq!(versions.invalidate(7, &first), Some(true));
            assert!(first.0.lock().unwrap().is_empty());
        });
    }
}
