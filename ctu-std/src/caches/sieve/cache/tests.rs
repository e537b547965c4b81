mod drops;
mod expiry;
mod panics;

use super::*;
use ctu_core::ManualClock;
use proptest::prelude::*;
use std::{
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

const SECOND: Duration = Duration::from_secs(1);

impl<K: StoredKey, V, C: Clock, S: BuildHasher> SieveCache<K, V, C, S> {
    /// Whether queue and entries agree.
    fn validate(&self) -> Result<(), &'static str> {
        let entries = self.entries.pin();
        let mut keys = 0;
        for queue in &self.queues {
            let queue = queue.lock();
            queue.validate()?;
            keys += queue.len();
        }
        if keys != entries.len() || keys > self.capacity {
            return Err("not as many entries as keys, or too many");
        }
        let at_its_place =
            |kept: &Kept<K>| self.queue(kept.hash).key(kept.place) == Some(&kept.hash);
        match entries.keys().all(at_its_place) {
            true => Ok(()),
            false => Err("an entry has another place than its key"),
        }
    }
}

#[test]
fn what_was_used_stays_and_the_oldest_of_the_others_goes() {
    let cache = SieveCache::<u32, u32>::with_capacity(3);
    for key in 1..=3 {
        cache.insert(&key, key * 10).unwrap();
    }
    assert_eq!(cache.get(&1), Ok(Some(10)));
    // Looking does not use.
    assert_eq!(cache.contains(&2), Ok(true));
    cache.insert(&4, 40u32).unwrap();
    let there = [1, 2, 3, 4].map(|key| cache.contains(&key).unwrap());
    assert_eq!(there, [true, false, true, true]);
    assert_eq!((cache.len(), cache.capacity()), (Ok(3), 3));
    // Storing it again is a use, and the hand goes on from where it stopped.
    cache.insert(&3, 31u32).unwrap();
    cache.insert(&5, 50u32).unwrap();
    let there = [1, 3, 4, 5].map(|key| cache.get(&key).unwrap());
    assert_eq!(there, [Some(10), Some(31), None, Some(50)]);
    assert_eq!(cache.validate(), Ok(()));
}

#[test]
fn entries_come_and_go_as_in_any_cache() {
    let cache = SieveCache::<String, u32>::with_capacity(100).with_hasher(RandomState::default());
    cache.insert("one", 1).unwrap();
    cache.insert("two", 2).unwrap();
    assert_eq!(cache.get_with_ttl("one"), Ok(Some((1, None))));
    assert_eq!(
        (cache.remove("one"), cache.remove("one")),
        (Ok(true), Ok(false))
    );
    assert_eq!(
        (cache.pop("two"), cache.pop("two")),
        (Ok(Some(2)), Ok(None))
    );
    for key in 0..10 {
        cache.insert(&*key.to_string(), key).unwrap();
    }
    // The cache may be used meanwhile.
    cache
        .retain(&mut |key| cache.get(key) == Ok(Some(3)) || key > "8")
        .unwrap();
    let left = (0..10).filter(|key: &u32| cache.contains(&key.to_string()).unwrap());
    assert_eq!(left.collect::<Vec<_>>(), [3, 9]);
    assert_eq!(cache.validate(), Ok(()));
    cache.clear().unwrap();
    assert_eq!((cache.len(), cache.get("9")), (Ok(0), Ok(None)));
    assert_eq!(
        cache.insert_with_ttl("one", 1, SECOND),
        Err(Error::TtlUnsupported)
    );
    assert_eq!((cache.is_empty(), cache.default_ttl()), (Ok(true), None));
    assert!(format!("{cache:?}").contains("capacity: 100"));
}

#[test]
fn no_room_keeps_nothing_and_any_room_is_some() {
    let cache = SieveCache::<u32, u32>::with_capacity(0);
    cache.insert(&1, 1u32).unwrap();
    assert_eq!((cache.get(&1), cache.len()), (Ok(None), Ok(0)));
    let cache = SieveCache::<u32, u32>::with_capacity(usize::MAX);
    cache.insert(&1, 1u32).unwrap();
    assert_eq!(cache.get(&1), Ok(Some(1)));
}

#[test]
fn a_large_cache_is_as_large_as_it_says() {
    let capacity = 5 * SHARE + 3;
    let cache = SieveCache::<u32, u32>::with_capacity(capacity);
    for key in 0..3 * capacity as u32 {
        cache.insert(&key, key).unwrap();
    }
    assert_eq!((cache.queues.len(), cache.len()), (5, Ok(capacity)));
    assert_eq!(cache.validate(), Ok(()));
    cache.retain(&mut |key| key % 2 == 0).unwrap();
    assert_eq!(cache.validate(), Ok(()));
    cache.clear().unwrap();
    assert_eq!((cache.len(), cache.validate()), (Ok(0), Ok(())));
}

#[test]
fn a_key_that_does_not_fit_changes_nothing() {
    let cache = SieveCache::<ctu_core::Bytes<4>, u32>::with_capacity(1);
    cache.insert(b"key", 1u32).unwrap();
    let refused = cache.insert(b"long key", 2u32);
    assert_eq!(refused, Err(Error::KeyTooLong { len: 8, max: 4 }));
    assert_eq!(cache.get(b"key"), Ok(Some(1)));
}

#[test]
fn threads_see_what_was_stored_for_their_key_and_never_too_much() {
    let cache = SieveCache::<u32, u64>::with_capacity(50);
    thread::scope(|scope| {
        for thread in 0..8_u32 {
            let cache = &cache;
            scope.spawn(move || {
                let mut random = crate::random::Random::new(thread.into());
                for step in 0..20_000_u32 {
                    let key = (random.next() % 100) as u32;
                    match random.next() % 8 {
                        0 => drop(cache.remove(&key)),
                        1 => assert!(
                            cache
                                .pop(&key)
                                .unwrap()
                                .is_none_or(|value| value >> 32 == u64::from(key))
                        ),
                        2 | 3 => cache
                            .insert(&key, u64::from(key) << 32 | u64::from(step))
                            .unwrap(),
                        4 if step % 1_000 == 0 => cache.retain(&mut |key| key % 3 != 0).unwrap(),
                        5 if step % 5_000 == 0 => cache.clear().unwrap(),
                        _ => {
                            if let Some(value) = cache.get(&key).unwrap() {
                                assert_eq!(value >> 32, u64::from(key));
                            }
                        }
                    }
                    assert!(cache.len().unwrap() <= 50);
                }
            });
        }
    });
    assert_eq!(cache.validate(), Ok(()));
}

/// Hashes numbers to few values.
#[derive(Clone, Copy, Default)]
struct Few(u64);

impl Hasher for Few {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 += u64::from(*byte));
    }

    fn finish(&self) -> u64 {
        self.0 % 50
    }
}

impl BuildHasher for Few {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

/// What is removed takes room in the table until that is copied, which is done bit by bit, again and again in here: a key
/// that comes back at the place of another is then in both tables.
fn keys_swap_places(cache: SieveCache<u64, u64, Untimed, impl BuildHasher>, keys: u64, steps: u64) {
    assert_eq!(cache.queues.len(), 1);
    // What is not there had to make room, if that was ever needed.
    let evicts = keys > cache.capacity() as u64;
    let mut stored = std::collections::HashMap::new();
    let mut random = crate::random::Random::new(0);
    for value in 0..steps {
        let swap = [random.next() % keys, random.next() % keys];
        for key in swap {
            let (removed, was) = (cache.remove(&key).unwrap(), stored.remove(&key).is_some());
            assert!(removed == was || evicts && !removed);
        }
        for key in swap {
            cache.insert(&key, value).unwrap();
            stored.insert(key, value);
            assert_eq!(cache.get(&key), Ok(Some(value)));
        }
        let key = random.next() % keys;
        let (found, last) = (cache.get(&key).unwrap(), stored.get(&key).copied());
        assert!(found == last || evicts && found.is_none());
        if value % 500 == 0 {
            assert_eq!(cache.validate(), Ok(()));
        }
    }
    assert_eq!(cache.validate(), Ok(()));
}

#[test]
fn keys_that_swap_places_have_what_they_were_given_last() {
    for keys in [400, 1_000] {
        keys_swap_places(SieveCache::with_capacity(500), keys, 20_000);
    }
}

/// Hashes a number to itself, in bits that are not the lowest.
#[derive(Clone, Copy)]
struct High(u32, u64);

impl Hasher for High {
    fn write(&mut self, bytes: &[u8]) {
        let bytes = bytes.try_into().expect("a number of 64 bits");
        self.1 = u64::from_le_bytes(bytes) << self.0;
    }

    fn finish(&self) -> u64 {
        self.1
    }
}

impl BuildHasher for High {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

#[test]
fn hashes_that_differ_in_few_bits_are_as_good_as_others() {
    for shift in [0, 8, 12, 32, 48] {
        let cache = SieveCache::<u64, u64>::with_capacity(10_000).with_hasher(High(shift, 0));
        for key in 0..12_000 {
            cache.insert(&key, key).unwrap();
        }
        assert_eq!(cache.validate(), Ok(()));
        cache.retain(&mut |key| key % 2 == 0).unwrap();
        assert_eq!(
            (cache.validate(), cache.get(&11_998)),
            (Ok(()), Ok(Some(11_998)))
        );
        cache.clear().unwrap();
        assert_eq!(cache.validate(), Ok(()));
    }
}

#[test]
fn keys_with_the_same_hash_are_as_any_others() {
    for keys in [400, 1_000] {
        keys_swap_places(
            SieveCache::with_capacity(500).with_hasher(Few(0)),
            keys,
            5_000,
        );
    }
}

#[test]
fn there_are_never_more_than_fit_whoever_counts() {
    let clock = ManualClock::new();
    let cache = SieveCache::<u32, u32>::with_capacity(600);
    let expiring = SieveCache::<u32, u32, _>::with_ttl(600, SECOND, &clock);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers = [0, 1, 2].map(|thread| {
            let (cache, expiring) = (&cache, &expiring);
            scope.spawn(move || {
                for step in 0..30_000_u32 {
                    let key = 4 * step + thread;
                    cache.insert(&key, key).unwrap();
                    expiring.insert(&key, key).unwrap();
                }
            })
        });
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert!(cache.len().unwrap() <= 600);
                assert!(expiring.len().unwrap() <= 600);
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!((cache.len(), expiring.len()), (Ok(600), Ok(600)));
}

#[derive(Clone, Debug)]
enum Step {
    Get(u32),
    Put(u32, Option<u64>),
    Remove(u32),
    Advance(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..12_u32;
    prop_oneof![
        4 => key.clone().prop_map(Step::Get),
        4 => (key.clone(), prop::option::of(0..100_u64)).prop_map(|(key, ttl)| Step::Put(key, ttl)),
        1 => key.prop_map(Step::Remove),
        1 => (0..50_u64).prop_map(Step::Advance),
    ]
}

proptest! {
    /// What is shown is the last that was stored and has neither expired nor been removed; what leaves for room leaves
    /// only where there is none; what was used since the last insertion is there still.
    #[test]
    fn shows_the_last_that_was_stored(steps in prop::collection::vec(step(), 0..200), capacity in 1..8_usize) {
        let clock = ManualClock::new();
        let ttl = Duration::from_millis(60);
        let cache = SieveCache::<u32, u32, _>::with_ttl(capacity, ttl, &clock);
        let mut stored = std::collections::HashMap::<u32, (u32, u64)>::new();
        let mut now = 0;
        for (value, step) in (0_u32..).zip(steps) {
            match step {
                Step::Get(key) => {
                    if let Some((value, left)) = cache.get_with_ttl(&key).unwrap() {
                        let (last, until) = stored[&key];
                        prop_assert_eq!((value, left), (last, Some(Duration::from_millis(until - now))));
                    }
                }
                Step::Put(key, own) => {
                    cache.insert_entry(&key, value, own.map(Duration::from_millis)).unwrap();
                    stored.insert(key, (value, now + own.unwrap_or(60)));
                    prop_assert_eq!(cache.contains(&key), Ok(own != Some(0)));
                }
                Step::Remove(key) => {
                    let there = cache.contains(&key);
                    prop_assert_eq!(cache.remove(&key), there);
                    stored.remove(&key);
                }
                Step::Advance(by) => {
                    clock.advance(Duration::from_millis(by));
                    now += by;
                }
            }
            stored.retain(|_, (_, until)| *until > now);
            let there = stored.keys().filter(|key| cache.contains(key).unwrap()).count();
            prop_assert_eq!(cache.len(), Ok(there));
            prop_assert_eq!(cache.validate(), Ok(()));
        }
    }
}
