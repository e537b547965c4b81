//! Several keys at once: one computation for all that miss, one flight a key.

use ctu_std::{ConcurrentCache, Error, SingleFlightCache, prelude::*};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
};

type Flights = SingleFlightCache<ConcurrentCache<u32, u32>>;

fn flights() -> Flights {
    SingleFlightCache::new(ConcurrentCache::with_capacity(1_000))
}

#[test]
fn missing_keys_are_computed_in_one_call_and_stored() {
    let cache = flights();
    cache.insert(&2, 20u32).unwrap();
    let mut calls = Vec::new();
    let values = cache.get_or_insert_many_with(&[&3, &2, &1, &3, &2], |missing| {
        calls.push(missing.iter().map(|key| **key).collect::<Vec<_>>());
        missing.iter().map(|key| **key * 10).collect()
    });
    assert_eq!(values, Ok(vec![30, 20, 10, 30, 20]));
    assert_eq!(calls, [[3, 1]]);
    assert_eq!((cache.get(&1), cache.get(&3)), (Ok(Some(10)), Ok(Some(30))));
    let none = |_: &[&u32]| -> Vec<u32> { unreachable!("all are there") };
    assert_eq!(
        cache.get_or_insert_many_with(&[&1, &2], none),
        Ok(vec![10, 20])
    );
    assert_eq!(cache.get_or_insert_many_with(&[], none), Ok(vec![]));
}

#[test]
fn a_key_without_a_value_is_none_and_not_stored() {
    let cache = flights();
    let odd = |keys: &[&u32]| {
        let values = keys.iter().map(|key| (**key % 2 == 1).then_some(**key));
        Ok::<_, ()>(values.collect())
    };
    let values = cache.get_or_try_insert_many_with(&[&1, &2, &2], odd);
    assert_eq!(values, Ok(Ok(vec![Some(1), None, None])));
    assert_eq!(cache.len(), Ok(1));
}

#[test]
fn failed_computation_stores_nothing_and_the_next_call_computes() {
    let cache = flights();
    let fails = cache.get_or_try_insert_many_with(&[&1, &2], |_| Err::<Vec<_>, _>("down"));
    assert_eq!(fails, Ok(Err("down")));
    let panics = || {
        let panic = |_: &[&u32]| -> Vec<u32> { resume_unwind(Box::new("of the computation")) };
        cache.get_or_insert_many_with(&[&1, &2], panic)
    };
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    let few = cache.get_or_insert_many_with(&[&1, &2], |_| vec![1]);
    let what = "number of computed values";
    let refused = Error::OutOfRange {
        what,
        got: 1,
        min: 2,
        max: 2,
    };
    assert_eq!((few, cache.len()), (Err(refused), Ok(0)));
    let values =
        cache.get_or_insert_many_with(&[&1, &2], |keys| keys.iter().map(|key| **key).collect());
    assert_eq!(values, Ok(vec![1, 2]));
}

#[test]
fn callers_with_keys_in_any_order_compute_each_key_once() {
    let (cache, computed) = (flights(), AtomicU32::new(0));
    for round in 0..50_u32 {
        let barrier = Barrier::new(4);
        thread::scope(|scope| {
            for thread in 0..4 {
                let (cache, barrier, computed) = (&cache, &barrier, &computed);
                scope.spawn(move || {
                    let mut keys: Vec<_> = (round * 8..round * 8 + 8).collect();
                    keys.rotate_left(2 * thread);
                    if thread % 2 == 1 {
                        keys.reverse();
                    }
                    let keys: Vec<_> = keys.iter().collect();
                    barrier.wait();
                    let values = cache.get_or_insert_many_with(&keys, |missing| {
                        computed.fetch_add(missing.len() as u32, Relaxed);
                        thread::yield_now();
                        missing.iter().map(|key| **key + 1).collect()
                    });
                    let expected: Vec<_> = keys.iter().map(|key| **key + 1).collect();
                    assert_eq!(values, Ok(expected));
                });
            }
        });
    }
    assert_eq!(computed.into_inner(), 400);
}

#[test]
fn computation_may_request_its_own_keys() {
    let cache = flights();
    let values = cache.get_or_insert_many_with(&[&1, &2], |missing| {
        let within =
            cache.get_or_insert_many_with(&[&2, &3], |keys| keys.iter().map(|_| 7).collect());
        assert_eq!(within, Ok(vec![7, 7]));
        missing.iter().map(|key| **key).collect()
    });
    assert_eq!((values, cache.get(&2)), (Ok(vec![1, 2]), Ok(Some(2))));
}
