//! The cache against a model, under threads, bad hashes and panics.

mod capacity;
mod compute;
mod drops;
mod expiry;
mod iteration;
mod limits;
mod listener;
mod near;
mod panics;
mod shuttle_tests;
mod stats;
mod weights;

use super::{
    cache::NoClock,
    entry::{Entry, Hot},
    shards::SHARE,
    *,
};
use ctu_core::{Bytes, Cache, CacheExt, Clock, Error, ManualClock, StoredKey, heap::RandomState};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::{
    hash::{BuildHasher, Hasher},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

impl<K: StoredKey, V, T: Clock, H: BuildHasher> ConcurrentCache<K, V, T, H> {
    /// Checks every shard, and that the near entries are those of the shards.
    fn validate(&self) -> Result<(), &'static str> {
        let (mut len, mut weight) = (0, 0);
        for index in 0..self.shards.len() {
            let shard = self.shards.read_at(index).unwrap();
            shard.validate()?;
            len += shard.len();
            let weights = shard.iter().map(|(_, entry)| entry.kept().life.weight());
            let of_shard: u64 = weights.sum();
            if let Some(weights) = &self.weights
                && weights.of_shard(index) != of_shard
            {
                return Err("the weight of a shard is not that of its entries");
            }
            weight += of_shard;
        }
        if len > self.capacity() {
            return Err("too many entries");
        }
        if let Some(weights) = &self.weights
            && (weights.total() != weight || weight > weights.max())
        {
            return Err("the weight is not that of the entries, or too high");
        }
        let is_kept = |hot: &Arc<Hot<K, V>>| {
            let shard = self.shards.read(hot.hash);
            let same = |entry: &Entry<K, V>| match entry {
                Entry::Hot(found, _) => Arc::ptr_eq(found, hot),
                Entry::Cold(_) => false,
            };
            shard.find(hot.hash as u32, same).is_some()
        };
        match self.near.entries().iter().all(is_kept) {
            true => Ok(()),
            false => Err("an entry is near a thread that is not in its shard"),
        }
    }
}

#[test]
fn used_entries_stay_and_an_unused_one_is_evicted() {
    let cache = ConcurrentCache::<u32, u32>::with_capacity(10);
    for key in 0..10 {
        cache.insert(&key, key * 10).unwrap();
    }
    for key in (0..10).filter(|key| *key != 4) {
        assert_eq!(cache.get(&key), Ok(Some(key * 10)));
    }
    // `contains` is no use.
    assert_eq!(cache.contains(&4), Ok(true));
    cache.insert(&10, 100u32).unwrap();
    assert_eq!(cache.contains(&4), Ok(false));
    assert!(
        (0..=10)
            .filter(|key| *key != 4)
            .all(|key| cache.contains(&key) == Ok(true))
    );
    assert_eq!((cache.len(), cache.capacity()), (Ok(10), 10));
    assert_eq!(cache.validate(), Ok(()));
}

#[test]
fn operations_are_those_of_any_cache() {
    let cache =
        ConcurrentCache::<String, u32>::with_capacity(100).with_hasher(RandomState::default());
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
fn capacity_0_keeps_nothing_and_any_other_is_accepted() {
    let cache = ConcurrentCache::<u32, u32>::with_capacity(0);
    cache.insert(&1, 1u32).unwrap();
    assert_eq!((cache.get(&1), cache.len()), (Ok(None), Ok(0)));
    let cache = ConcurrentCache::<u32, u32>::with_capacity(usize::MAX);
    cache.insert(&1, 1u32).unwrap();
    assert_eq!(cache.get(&1), Ok(Some(1)));
}

#[test]
fn shards_together_have_the_capacity() {
    let capacity = 5 * SHARE + 3;
    let cache = ConcurrentCache::<u32, u32>::with_capacity(capacity);
    for key in 0..3 * capacity as u32 {
        cache.insert(&key, key).unwrap();
    }
    assert_eq!((cache.shards.len(), cache.len()), (4, Ok(capacity)));
    assert_eq!(cache.validate(), Ok(()));
    cache.retain(&mut |key| key % 2 == 0).unwrap();
    assert_eq!(cache.validate(), Ok(()));
    cache.clear().unwrap();
    assert_eq!((cache.len(), cache.validate()), (Ok(0), Ok(())));
}

#[test]
fn a_key_that_does_not_fit_changes_nothing() {
    let cache = ConcurrentCache::<Bytes<4>, u32>::with_capacity(1);
    cache.insert(b"key", 1u32).unwrap();
    let refused = cache.insert(b"long key", 2u32);
    assert_eq!(refused, Err(Error::KeyTooLong { len: 8, max: 4 }));
    assert_eq!(cache.get(b"key"), Ok(Some(1)));
}

#[test]
fn threads_see_values_of_their_key_and_a_bounded_len() {
    let cache = ConcurrentCache::<u32, u64>::with_capacity(50);
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

fn keys_swap_places<H: BuildHasher>(
    cache: ConcurrentCache<u64, u64, NoClock, H>,
    keys: u64,
    steps: u64,
) {
    // An absent key may have been evicted, if there was ever need for that.
    let evicts = keys > cache.capacity() as u64 * 3 / 4;
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
fn keys_that_swap_places_have_their_last_value() {
    for keys in [300, 1_000] {
        keys_swap_places(ConcurrentCache::with_capacity(500), keys, 20_000);
    }
}

/// Hashes every key to the same number.
#[derive(Clone, Copy)]
struct Constant;

impl Hasher for Constant {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        7
    }
}

impl BuildHasher for Constant {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self
    }
}

/// With the cache before this one, an insertion never ended from some 320 such keys on.
#[test]
fn keys_with_one_hash_are_kept_and_evicted() {
    let cache = ConcurrentCache::<u64, u64>::with_capacity(500).with_hasher(Constant);
    for key in 0..2_000 {
        cache.insert(&key, key).unwrap();
        assert_eq!(cache.get(&key), Ok(Some(key)));
    }
    // All are in one shard, which has its share of the capacity.
    let share = 500_usize.div_ceil(cache.shards.len());
    assert!(
        cache
            .len()
            .is_ok_and(|len| (share - 1..=share).contains(&len))
    );
    assert_eq!(cache.validate(), Ok(()));
    cache.clear().unwrap();
    keys_swap_places(cache, 700, 500);
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
fn hashes_that_differ_in_few_bits_are_spread() {
    for shift in [0, 8, 12, 32, 48] {
        let cache = ConcurrentCache::<u64, u64>::with_capacity(10_000).with_hasher(High(shift, 0));
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
fn keys_that_share_hashes_have_their_last_value() {
    for keys in [400, 1_000] {
        keys_swap_places(
            ConcurrentCache::with_capacity(500).with_hasher(Few(0)),
            keys,
            5_000,
        );
    }
}

#[test]
fn len_is_never_above_the_capacity() {
    let clock = ManualClock::new();
    let cache = ConcurrentCache::<u32, u32>::with_capacity(600);
    let expiring = ConcurrentCache::<u32, u32, _>::with_ttl(600, SECOND, &clock);
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
            while !done.load(Relaxed) {
                assert!(cache.len().unwrap() <= 600);
                assert!(expiring.len().unwrap() <= 600);
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Relaxed);
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
    /// A look-up finds the last value that was stored and has neither expired nor been removed, or
    /// none, where the entry was evicted.
    #[test]
    fn look_up_finds_the_last_value_or_none(steps in prop::collection::vec(step(), 0..200), capacity in 1..8_usize) {
        let clock = ManualClock::new();
        let ttl = Duration::from_millis(60);
        let cache = ConcurrentCache::<u32, u32, _>::with_ttl(capacity, ttl, &clock);
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
