//! `ClockCache`, `S3FifoCache` and `FixedCache` against a map.

use ctu_core::{
    ClockCache, Error, FixedCache, S3FifoCache, SmallClockCache, SmallFixedCache, SmallS3FifoCache,
    stores::{Evicting, Refuse, Slot, Unordered},
};
use proptest::prelude::*;
use std::collections::HashMap;

#[derive(Clone, Debug)]
enum Op {
    Get(u8),
    Insert(u8, u32),
    Remove(u8),
    Retain(u8),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let key = 0..24u8;
    prop_oneof![
        6 => key.clone().prop_map(Op::Get),
        8 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Op::Insert(key, value)),
        4 => key.prop_map(Op::Remove),
        1 => (1..5u8).prop_map(Op::Retain),
        1 => Just(Op::Clear),
    ]
}

/// Runs `$ops` on `$store` and on a map; `$insert` inserts into both.
macro_rules! check {
    ($store:ident, $ops:expr, $map:ident, $insert:expr) => {
        for op in $ops {
            match *op {
                Op::Get(key) => prop_assert_eq!($store.get(&key), $map.get(&key)),
                Op::Insert(key, value) => $insert(&mut $store, &mut $map, key, value)?,
                Op::Remove(key) => prop_assert_eq!($store.remove(&key), $map.remove(&key)),
                Op::Retain(divisor) => {
                    $store.retain(|key, _| key % divisor != 0);
                    $map.retain(|key, _| key % divisor != 0);
                }
                Op::Clear => {
                    $store.clear();
                    $map.clear();
                }
            }
            prop_assert_eq!($store.validate(), Ok(()));
            prop_assert_eq!($store.len(), $map.len());
            for (key, value) in $store.iter() {
                prop_assert_eq!($map.get(key), Some(value));
            }
        }
    };
}

type Map = HashMap<u8, u32>;

fn fixed<const N: usize, I: Slot>(
    mut store: Unordered<u8, u32, N, I, Refuse>,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let mut map = Map::new();
    check!(store, ops, map, |store: &mut Unordered<
        u8,
        u32,
        N,
        I,
        Refuse,
    >,
                             map: &mut Map,
                             key,
                             value| {
        if map.len() < N || map.contains_key(&key) {
            prop_assert_eq!(store.insert(key, value), Ok(map.insert(key, value)));
        } else {
            prop_assert_eq!(store.insert(key, value), Err(Error::Full));
        }
        Ok::<_, TestCaseError>(())
    });
    Ok(())
}

fn evicting<const N: usize, I: Slot, R: Evicting>(
    mut store: Unordered<u8, u32, N, I, R>,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let mut map = Map::new();
    check!(store, ops, map, |store: &mut Unordered<
        u8,
        u32,
        N,
        I,
        R,
    >,
                             map: &mut Map,
                             key,
                             value| {
        let displaced = store.insert(key, value);
        match map.insert(key, value) {
            Some(old) => prop_assert_eq!(displaced, Some((key, old))),
            None if map.len() > N => {
                let (key, value) = displaced.expect("a full store evicts");
                prop_assert_eq!(map.remove(&key), Some(value));
            }
            None => prop_assert_eq!(displaced, None),
        }
        Ok::<_, TestCaseError>(())
    });
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fixed_store_agrees_with_a_map(ops in prop::collection::vec(op(), 1..200)) {
        fixed(FixedCache::<u8, u32, 1>::new(), &ops)?;
        fixed(FixedCache::<u8, u32, 16>::new(), &ops)?;
        fixed(SmallFixedCache::<u8, u32, 7>::new(), &ops)?;
    }

    #[test]
    fn clock_agrees_with_a_map(ops in prop::collection::vec(op(), 1..200)) {
        evicting(ClockCache::<u8, u32, 1>::new(), &ops)?;
        evicting(ClockCache::<u8, u32, 17>::new(), &ops)?;
        evicting(SmallClockCache::<u8, u32, 9>::new(), &ops)?;
        evicting(SmallClockCache::<u8, u32, 255>::new(), &ops)?;
    }

    #[test]
    fn s3_fifo_agrees_with_a_map(ops in prop::collection::vec(op(), 1..200)) {
        evicting(S3FifoCache::<u8, u32, 1>::new(), &ops)?;
        evicting(S3FifoCache::<u8, u32, 2>::new(), &ops)?;
        evicting(S3FifoCache::<u8, u32, 17>::new(), &ops)?;
        evicting(SmallS3FifoCache::<u8, u32, 9>::new(), &ops)?;
        evicting(SmallS3FifoCache::<u8, u32, 255>::new(), &ops)?;
    }
}
