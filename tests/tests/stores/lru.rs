//! `LruCache`, in the value and on the heap, against a list kept in recency order.

use ctu_core::{
    LruCache, SmallLruCache, SpinCache, heap,
    stores::{Lru, Slots},
};
use proptest::prelude::*;
use std::hash::BuildHasher;

#[derive(Clone, Debug)]
enum Op {
    Get(u8),
    GetMut(u8, u32),
    Peek(u8),
    Contains(u8),
    Insert(u8, u32),
    GetOrInsert(u8, u32),
    Remove(u8),
    PopLru,
    Retain(u8),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let key = 0..24u8;
    prop_oneof![
        6 => key.clone().prop_map(Op::Get),
        1 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Op::GetMut(key, value)),
        1 => key.clone().prop_map(Op::Peek),
        1 => key.clone().prop_map(Op::Contains),
        8 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Op::Insert(key, value)),
        2 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Op::GetOrInsert(key, value)),
        4 => key.prop_map(Op::Remove),
        1 => Just(Op::PopLru),
        1 => (1..5u8).prop_map(Op::Retain),
        1 => Just(Op::Clear),
    ]
}

/// The most recently used entry comes first.
struct Model {
    entries: Vec<(u8, u32)>,
    capacity: usize,
}

impl Model {
    fn at(&self, key: u8) -> Option<usize> {
        self.entries.iter().position(|entry| entry.0 == key)
    }

    fn touch(&mut self, key: u8) -> Option<&mut u32> {
        let entry = self.entries.remove(self.at(key)?);
        self.entries.insert(0, entry);
        Some(&mut self.entries[0].1)
    }

    fn insert(&mut self, key: u8, value: u32) -> Option<(u8, u32)> {
        if let Some(old) = self.touch(key) {
            return Some((key, std::mem::replace(old, value)));
        }
        self.entries.insert(0, (key, value));
        (self.entries.len() > self.capacity).then(|| self.entries.pop().unwrap())
    }
}

fn check<T: Slots<u8, u32>, S: BuildHasher>(
    mut cache: Lru<u8, u32, T, S>,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let mut model = Model {
        entries: Vec::new(),
        capacity: cache.capacity(),
    };
    for op in ops {
        match *op {
            Op::Get(key) => {
                prop_assert_eq!(cache.get(&key).copied(), model.touch(key).copied());
            }
            Op::GetMut(key, value) => {
                if let Some(place) = model.touch(key) {
                    *place = value;
                }
                if let Some(place) = cache.get_mut(&key) {
                    *place = value;
                }
            }
            Op::Peek(key) => {
                let expected = model.at(key).map(|at| model.entries[at].1);
                prop_assert_eq!(cache.peek(&key).copied(), expected);
            }
            Op::Contains(key) => prop_assert_eq!(cache.contains(&key), model.at(key).is_some()),
            Op::Insert(key, value) => {
                prop_assert_eq!(cache.insert(key, value), model.insert(key, value));
            }
            Op::GetOrInsert(key, value) => {
                if model.touch(key).is_none() {
                    model.insert(key, value);
                }
                let expected = model.at(key).map(|at| model.entries[at].1);
                let found = cache.get_or_insert_with(key, || value).copied();
                prop_assert_eq!(found, expected);
            }
            Op::Remove(key) => {
                let expected = model.at(key).map(|at| model.entries.remove(at).1);
                prop_assert_eq!(cache.remove(&key), expected);
            }
            Op::PopLru => prop_assert_eq!(cache.pop_lru(), model.entries.pop()),
            Op::Retain(divisor) => {
                cache.retain(|key, value| {
                    *value = value.wrapping_add(1);
                    key % divisor != 0
                });
                model
                    .entries
                    .iter_mut()
                    .for_each(|entry| entry.1 = entry.1.wrapping_add(1));
                model.entries.retain(|entry| entry.0 % divisor != 0);
            }
            Op::Clear => {
                cache.clear();
                model.entries.clear();
            }
        }
        prop_assert_eq!(cache.validate(), Ok(()));
        prop_assert_eq!(cache.len(), model.entries.len());
        prop_assert!(
            cache
                .iter()
                .map(|(key, value)| (*key, *value))
                .eq(model.entries.iter().copied())
        );
        prop_assert!(
            cache.iter().rev().map(|(key, _)| *key).eq(model
                .entries
                .iter()
                .rev()
                .map(|entry| entry.0))
        );
        let oldest = cache.peek_lru().map(|(key, value)| (*key, *value));
        prop_assert_eq!(oldest, model.entries.last().copied());
    }
    Ok(())
}

/// Puts every key in one bucket, so that chains are as long as they can be.
#[derive(Clone, Copy, Default)]
struct OneBucket;

impl BuildHasher for OneBucket {
    type Hasher = OneHash;
    fn build_hasher(&self) -> OneHash {
        OneHash
    }
}

struct OneHash;

impl std::hash::Hasher for OneHash {
    fn finish(&self) -> u64 {
        7
    }
    fn write(&mut self, _: &[u8]) {}
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn inline_lru_agrees_with_the_model(ops in prop::collection::vec(op(), 1..200)) {
        check(LruCache::<u8, u32, 1>::new(), &ops)?;
        check(LruCache::<u8, u32, 2>::new(), &ops)?;
        check(LruCache::<u8, u32, 3>::new(), &ops)?;
        check(LruCache::<u8, u32, 16>::new(), &ops)?;
        check(LruCache::<u8, u32, 100>::new(), &ops)?;
        check(SmallLruCache::<u8, u32, 1>::new(), &ops)?;
        check(SmallLruCache::<u8, u32, 16>::new(), &ops)?;
        check(SmallLruCache::<u8, u32, 255>::new(), &ops)?;
    }

    #[test]
    fn inline_lru_agrees_with_the_model_on_colliding_keys(ops in prop::collection::vec(op(), 1..200)) {
        check(LruCache::<u8, u32, 7, OneBucket>::with_hasher(OneBucket), &ops)?;
    }

    #[test]
    fn heap_lru_agrees_with_the_model(ops in prop::collection::vec(op(), 1..200), capacity in 1..30usize) {
        check(heap::LruCache::with_capacity(capacity), &ops)?;
        check(heap::LruCache::with_capacity_and_hasher(capacity, OneBucket), &ops)?;
    }
}

#[test]
fn capacity_zero_stores_nothing() {
    let mut cache = heap::LruCache::with_capacity(0);
    assert_eq!(cache.insert(1, 2), Some((1, 2)));
    assert_eq!(cache.get_or_insert_with(1, || 2), None);
    assert_eq!((cache.peek(&1), cache.len()), (None, 0));
}

#[test]
fn capacity_255_of_a_small_store_works() {
    let mut cache = SmallLruCache::<u32, u32, 255>::new();
    for key in 0..1_000 {
        cache.insert(key, key);
    }
    assert_eq!((cache.validate(), cache.len()), (Ok(()), 255));
    assert!((0..1_000).all(|key| cache.contains(&key) == (key >= 1_000 - 255)));
}

#[test]
fn capacity_65535_works() {
    // In a static, where a store of a megabyte belongs.
    static CACHE: SpinCache<LruCache<u32, u32, 65_535>> = SpinCache::new(LruCache::new());
    CACHE
        .with(|cache| {
            for key in 0..200_000u32 {
                cache.insert(key, key);
            }
            assert_eq!(cache.validate(), Ok(()));
            assert_eq!(cache.len(), 65_535);
            assert!((0..200_000).all(|key| cache.contains(&key) == (key >= 200_000 - 65_535)));
        })
        .unwrap();
}

#[test]
fn each_value_is_dropped_once() {
    use std::rc::Rc;
    let value = Rc::new(());
    let mut cache = LruCache::<u32, Rc<()>, 8>::new();
    for key in 0..100 {
        cache.insert(key % 13, Rc::clone(&value));
        cache.remove(&(key % 7));
        assert_eq!(Rc::strong_count(&value), cache.len() + 1);
    }
    cache.clear();
    assert_eq!(Rc::strong_count(&value), 1);
    cache.insert(1, Rc::clone(&value));
    drop(cache);
    assert_eq!(Rc::strong_count(&value), 1);
}

/// A key that counts how often it is hashed and compared.
#[derive(Clone, PartialOrd)]
struct Counted(u32);

thread_local! {
    static LOOKS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        LOOKS.set(LOOKS.get() + 1);
        self.0 == other.0
    }
}

impl Eq for Counted {}

impl std::hash::Hash for Counted {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        LOOKS.set(LOOKS.get() + 1);
        self.0.hash(state);
    }
}

#[test]
fn work_per_operation_is_constant() {
    /// The most hashes and comparisons that an operation took, on average.
    fn looks<T: Slots<Counted, u32>, S: BuildHasher>(mut cache: Lru<Counted, u32, T, S>) -> u64 {
        let capacity = cache.capacity() as u32;
        let mut most = 0;
        for round in 0..5 {
            LOOKS.set(0);
            for key in 0..capacity {
                let other = Counted(key + capacity);
                match round {
                    0 => assert!(cache.insert(Counted(key), key).is_none()),
                    1 => assert!(cache.get(&Counted(key)).is_some()),
                    2 => assert!(cache.get(&other).is_none()),
                    3 => assert!(cache.insert(other, key).is_some()),
                    _ => assert!(cache.remove(&other).is_some()),
                }
            }
            most = most.max(LOOKS.get() / u64::from(capacity));
        }
        most
    }
    // Three hashes (the key, the one that leaves, the last that moves into its place) and a few
    // comparisons.
    assert!(looks(LruCache::<_, _, 64>::new()) <= 8);
    assert!(looks(LruCache::<_, _, 16_000>::new()) <= 8);
    assert!(looks(heap::LruCache::with_capacity(64)) <= 8);
    assert!(looks(heap::LruCache::with_capacity(200_000)) <= 8);
}

#[test]
fn work_per_operation_is_bounded_for_keys_of_one_bucket() {
    let mut cache = LruCache::<_, _, 1_000, OneBucket>::with_hasher(OneBucket);
    let mut most = 0;
    for round in 0..4 {
        for key in 0..1_000 {
            LOOKS.set(0);
            match round {
                0 | 2 => drop(cache.insert(Counted(key), key)),
                1 => drop(cache.get(&Counted(key))),
                _ => drop(cache.remove(&Counted(key))),
            }
            most = most.max(LOOKS.get());
        }
    }
    // Three hashes, and the keys of one chain.
    assert!(most <= 16, "an operation hashed and compared {most} times");
}
