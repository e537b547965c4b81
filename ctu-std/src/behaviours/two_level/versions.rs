//! Versions of keys, so that the first level never shows an older value than the last write to the
//! second level.
//!
//! Between the steps of an operation at the second and at the first level, another operation may run:
//! a fill with an overwritten value, or two writes that arrive in reverse order. An operation that
//! finds a concurrent write leaves nothing in the first level, which is always right. Nothing is
//! locked while the second level works, and a hit in the first level takes no part in this.

use crate::sync::Mutex;
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
};

/// Keys that share a stripe look like concurrent writes to each other. The cost is one more read of
/// the second level.
const STRIPES: usize = 256;

/// The number of writes to the keys of each stripe.
pub(super) struct WriteVersions {
    writes: Box<[Mutex<u64>]>,
    hasher: RandomState,
}

/// The version of a key at the start of an operation.
#[derive(Clone, Copy)]
pub(super) struct Version {
    stripe: usize,
    writes: u64,
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

impl WriteVersions {
    pub(super) fn new() -> Self {
        Self {
            writes: (0..STRIPES).map(|_| Mutex::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The version of `key`, to be taken before the request to the second level.
    pub(super) fn current<K: Hash + ?Sized>(&self, key: &K) -> Version {
        // The remainder is less than the number of stripes.
        let stripe = (self.hasher.hash_one(key) % STRIPES as u64) as usize;
        let writes = *self.writes[stripe].lock();
        Version { stripe, writes }
    }

    /// Runs `fill` on the first level, unless the key was written since `version`.
    pub(super) fn fill(&self, version: Version, fill: impl FnOnce()) {
        let writes = self.writes[version.stripe].lock();
        if *writes == version.writes {
            fill();
        }
    }

    /// Runs `write` on the first level. Its argument tells whether no other write ran since `version`.
    pub(super) fn write<T>(&self, version: Version, write: impl FnOnce(bool) -> T) -> T {
        let mut writes = self.writes[version.stripe].lock();
        let unraced = *writes == version.writes;
        *writes = writes.wrapping_add(1);
        write(unraced)
    }

    /// Runs `write` on the first level, as a write of every key.
    pub(super) fn write_all<T>(&self, write: impl FnOnce() -> T) -> T {
        for writes in &self.writes {
            let mut writes = writes.lock();
            *writes = writes.wrapping_add(1);
        }
        write()
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, WriteVersions};

    /// Runs `case` under shuttle, since the locks are shuttle's in tests.
    fn explored(case: impl Fn() + Send + Sync + 'static) {
        shuttle::check_random(case, 1);
    }

    #[test]
    fn concurrent_writes_are_detected() {
        explored(|| {
            let versions = WriteVersions::new();
            let (one, two) = (versions.current("key"), versions.current("key"));
            assert!(versions.write(two, |unraced| unraced));
            assert!(!versions.write(one, |unraced| unraced));
            assert!(versions.write(versions.current("key"), |unraced| unraced));
        });
    }

    #[test]
    fn writes_of_one_batch_are_not_concurrent() {
        explored(|| {
            let versions = WriteVersions::new();
            let (mut batch, begun) = (Batch::default(), [(); 3].map(|()| versions.current("key")));
            assert!(versions.write(batch.next(begun[0]), |unraced| unraced));
            assert!(versions.write(batch.next(begun[1]), |unraced| unraced));
            // A write of another operation is.
            versions.write(versions.current("key"), drop);
            assert!(!versions.write(batch.next(begun[2]), |unraced| unraced));
        });
    }

    #[test]
    fn fill_older_than_a_write_is_skipped() {
        explored(|| {
            let versions = WriteVersions::new();
            let read = versions.current("key");
            versions.fill(read, || ());
            versions.write(versions.current("key"), drop);
            versions.fill(read, || panic!("an old value"));
            let read = versions.current("key");
            versions.write_all(|| ());
            versions.fill(read, || panic!("a value that was cleared"));
        });
    }

    #[test]
    fn other_stripes_are_independent() {
        explored(|| {
            let versions = WriteVersions::new();
            let read = versions.current(&0);
            let other = (1..).map(|key: i32| versions.current(&key));
            let mut other = other.filter(|version| version.stripe != read.stripe);
            versions.write(other.next().unwrap(), drop);
            let mut filled = false;
            versions.fill(read, || filled = true);
            assert!(filled);
        });
    }
}
