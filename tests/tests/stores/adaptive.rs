//! `AdaptiveCache` against a map of the stored entries, with its links checked after each step.

use ctu_core::{heap::AdaptiveCache, stores::Sweep};
use proptest::prelude::*;
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

#[derive(Clone, Debug)]
enum Op {
    Get(u8),
    Change(u8, u32),
    Insert(u8, u32),
    GetOrInsert(u8, u32),
    Remove(u8),
    Evict,
    SetCapacity(usize),
    Retain(u8, usize),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let key = 0..24_u8;
    prop_oneof![
        6 => key.clone().prop_map(Op::Get),
        1 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Op::Change(key, value)),
        8 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Op::Insert(key, value)),
        2 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Op::GetOrInsert(key, value)),
        3 => key.prop_map(Op::Remove),
        1 => Just(Op::Evict),
        1 => (0..12_usize).prop_map(Op::SetCapacity),
        1 => (1..5_u8, 1..9_usize).prop_map(|(divisor, step)| Op::Retain(divisor, step)),
        1 => Just(Op::Clear),
    ]
}

/// Hashes every key to the same number.
#[derive(Default)]
struct Constant;

impl Hasher for Constant {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        7
    }
}

fn check<S: std::hash::BuildHasher>(
    mut cache: AdaptiveCache<u8, u32, S>,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let mut stored = HashMap::new();
    for op in ops {
        match *op {
            Op::Get(key) => prop_assert_eq!(cache.get(&key), stored.get(&key)),
            Op::Change(key, value) => {
                if let Some(place) = cache.get_mut(&key) {
                    *place = value;
                }
                stored.entry(key).and_modify(|place| *place = value);
            }
            Op::Insert(key, value) => {
                let old = stored.insert(key, value);
                match cache.insert(key, value) {
                    Some((displaced, value)) if displaced == key && old.is_some() => {
                        prop_assert_eq!(Some(value), old);
                    }
                    Some((evicted, value)) => {
                        prop_assert_eq!(stored.remove(&evicted), Some(value));
                    }
                    None => prop_assert_eq!(old, None),
                }
            }
            Op::GetOrInsert(key, value) => {
                let expected = *stored.entry(key).or_insert(value);
                let found = cache.get_or_insert_with(key, || value).copied();
                prop_assert_eq!(found, (cache.capacity() > 0).then_some(expected));
                // The evicted entry is dropped.
                stored.retain(|key, _| cache.contains(key));
            }
            Op::Remove(key) => prop_assert_eq!(cache.remove(&key), stored.remove(&key)),
            Op::Evict => match cache.evict() {
                Some((key, value)) => prop_assert_eq!(stored.remove(&key), Some(value)),
                None => prop_assert!(stored.is_empty()),
            },
            Op::SetCapacity(capacity) => {
                cache.set_capacity(capacity);
                let kept = stored.len().min(capacity);
                stored.retain(|key, _| cache.contains(key));
                prop_assert_eq!(stored.len(), kept);
            }
            Op::Retain(divisor, step) => {
                let mut sweep = Sweep::new();
                while cache.retain_step(&mut sweep, step, |key, _| key % divisor != 0) {}
                stored.retain(|key, _| key % divisor != 0);
            }
            Op::Clear => {
                cache.clear();
                stored.clear();
            }
        }
        prop_assert_eq!(cache.validate(), Ok(()));
        prop_assert!(cache.len() <= cache.capacity());
        prop_assert_eq!(cache.len(), stored.len());
        prop_assert!(
            cache
                .iter()
                .all(|(key, value)| stored.get(key) == Some(value))
        );
        prop_assert_eq!(cache.iter().count(), stored.len());
        for key in 0..24 {
            prop_assert_eq!(cache.peek(&key), stored.get(&key));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn adaptive_cache_agrees_with_a_map(ops in prop::collection::vec(op(), 0..200), capacity in 0..10_usize) {
        check(AdaptiveCache::with_capacity(capacity), &ops)?;
        let hasher = BuildHasherDefault::<Constant>::default();
        check(AdaptiveCache::with_capacity_and_hasher(capacity, hasher), &ops)?;
    }
}

#[test]
fn loop_larger_than_the_capacity_is_kept_in_part() {
    let mut cache = AdaptiveCache::with_capacity(500);
    let mut hits = 0;
    for key in (0..200_000_u32).map(|step| step % 1_000) {
        hits += u32::from(cache.get(&key).is_some());
        cache.insert(key, key);
    }
    assert!(hits > 80_000, "{hits}");
    assert_eq!(cache.validate(), Ok(()));
}
