//! Capacities of stores on the heap that change, and times of no length and of any.

use super::{Fussy, HOUR, Scattered, ends_despite_panic_at, insert};
use ctu_core::{
    Error, ManualClock, SmallTtlCache, Store, TtlCache,
    heap::{self, TimeLimits},
};
use std::time::Duration;

/// A panic at any call of a change of capacity leaves the bound in force, old or new.
macro_rules! shrink_at_each_call {
    ($($new:expr),* $(,)?) => {$(
        for calls in 0.. {
            let mut store = $new;
            (0..10).for_each(|key| insert(&mut store, key, key));
            let ended = ends_despite_panic_at(calls, || store.set_capacity(3));
            assert_eq!(store.validate(), Ok(()), "after {calls} calls");
            assert!(store.len() <= store.capacity(), "after {calls} calls");
            for capacity in [2, 0, 7] {
                store.set_capacity(capacity);
                (20..40).for_each(|key| insert(&mut store, key, key));
                assert_eq!((store.len(), store.validate()), (capacity, Ok(())));
            }
            if ended {
                break;
            }
        }
    )*};
}

#[test]
fn panic_at_any_call_of_a_change_of_capacity_keeps_the_bound() {
    let (clock, hasher) = (ManualClock::new(), Scattered::new());
    shrink_at_each_call!(
        heap::LruCache::<Fussy, _, _>::with_capacity_and_hasher(10, hasher.clone()),
        heap::TtlCache::<Fussy, _, _, _>::with_capacity_and_hasher(
            10,
            HOUR,
            &clock,
            hasher.clone()
        ),
        heap::AdaptiveCache::<Fussy, _, _>::with_capacity_and_hasher(10, hasher.clone()),
        heap::AdaptiveTtlCache::<Fussy, _, _, _>::with_limits_and_hasher(
            10,
            TimeLimits::new(),
            &clock,
            hasher.clone()
        ),
    );
}

/// Whether an entry lives for a moment. The store is usable in either case.
fn lives(mut store: impl Store<Key = Fussy, Value = Fussy>, clock: &ManualClock) -> bool {
    insert(&mut store, 1, 10);
    clock.advance(Duration::from_millis(1));
    let found = store.get(&Fussy(1)).is_some();
    assert_eq!(store.len(), usize::from(found));
    let longest = store.insert_entry(&Fussy(2), Fussy(20), Some(Duration::MAX));
    // A store whose own time is that long counts in units that reach it.
    match longest {
        Ok(_) => assert!(found),
        Err(error) => assert!(matches!(error, Error::TtlTooLong { .. }) && !found),
    }
    let none = store.insert_entry(&Fussy(2), Fussy(20), Some(Duration::ZERO));
    assert!(none.is_ok());
    assert!(store.get(&Fussy(2)).is_none());
    found
}

#[test]
fn times_to_live_of_zero_and_of_any_length_are_accepted() {
    let clock = ManualClock::new();
    for (ttl, expected) in [(Duration::ZERO, false), (Duration::MAX, true)] {
        let all = [
            lives(TtlCache::<Fussy, _, 8, _>::new(ttl, &clock), &clock),
            lives(SmallTtlCache::<Fussy, _, 8, _>::new(ttl, &clock), &clock),
            lives(
                heap::TtlCache::<Fussy, _, _>::with_capacity(8, ttl, &clock),
                &clock,
            ),
        ];
        assert_eq!(all, [expected; 3], "{ttl:?}");
    }
}
