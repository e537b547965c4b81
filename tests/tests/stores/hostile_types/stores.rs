//! Every store of map-like entries.

use super::{Constant, Fussy, HOUR, Scattered, call, ends_despite_panic_at, insert};
use ctu_core::{
    ClockCache, FixedCache, LruCache, ManualClock, S3FifoCache, SmallLruCache, SmallTtlCache,
    Store, TtlCache,
    heap::{self, TimeLimits},
    stores::Sweep,
};
use std::hash::BuildHasherDefault;

/// A store under test.
struct Tested<S> {
    name: &'static str,
    capacity: usize,
    new: fn() -> S,
    whole: fn(&S) -> Result<(), &'static str>,
    /// Operations that the trait `Store` does not have.
    more: fn(&mut S),
}

/// Calls `check` with each store of `capacity` entries.
macro_rules! on_each_store {
    ($check:ident, $capacity:literal, $H:ty) => {{
        on_each_store!($check, $capacity:
            LruCache::<Fussy, _, $capacity, $H>::default(),
            SmallLruCache::<Fussy, _, $capacity, $H>::default(),
            TtlCache::<Fussy, _, $capacity, _, $H>::with_hasher(HOUR, &CLOCK, <$H>::default()),
            SmallTtlCache::<Fussy, _, $capacity, _, $H>::with_hasher(HOUR, &CLOCK, <$H>::default()),
            ClockCache::<Fussy, _, $capacity, $H>::default(),
            S3FifoCache::<Fussy, _, $capacity, $H>::default(),
            FixedCache::<Fussy, _, $capacity, $H>::default(),
            heap::LruCache::<Fussy, _, _>::with_capacity_and_hasher($capacity, <$H>::default()),
            heap::TtlCache::<Fussy, _, _, _>::with_capacity_and_hasher($capacity, HOUR, &CLOCK, <$H>::default()),
            heap::AdaptiveCache::<Fussy, _, _>::with_capacity_and_hasher($capacity, <$H>::default()),
            heap::AdaptiveTtlCache::<Fussy, _, _, _>::with_limits_and_hasher(
                $capacity,
                TimeLimits::new().expire_after_read(HOUR),
                &CLOCK,
                <$H>::default()
            ),
        );
    }};
    ($check:ident, $capacity:literal: $($new:expr,)*) => {$(
        $check(Tested {
            name: stringify!($new),
            capacity: $capacity,
            new: || $new,
            whole: |store| store.validate(),
            more: |store| {
                let _made = store.get_or_insert_with(Fussy(30), || {
                    call();
                    Fussy(30)
                });
                store.get_mut(&Fussy(30));
                store.peek(&Fussy(30));
                store.iter_mut().for_each(|(_, value)| *value = Fussy(1));
                drop(store.clone());
            },
        });
    )*};
}

static CLOCK: ManualClock = ManualClock::new();

/// Every operation, on a store that fills up and evicts.
fn use_all<S: Store<Key = Fussy, Value = Fussy>>(store: &mut S, more: fn(&mut S)) {
    for key in 0..12 {
        insert(store, key, key);
        store.get(&Fussy(key / 2));
    }
    insert(store, 11, 0);
    more(store);
    store.get_with_ttl(&Fussy(11));
    store.contains(&Fussy(10));
    store.remaining(&Fussy(10));
    store.remove(&Fussy(11));
    store.take(&Fussy(10));
    let mut keep = |key: &Fussy| {
        call();
        !key.0.is_multiple_of(3)
    };
    store.retain_step(&mut Sweep::new(), 2, &mut keep);
    store.retain(&mut keep);
    insert(store, 20, 20);
    store.pop_expired();
    store.len();
    store.clear();
    insert(store, 21, 21);
}

fn panic_at_each_call<S: Store<Key = Fussy, Value = Fussy>>(tested: Tested<S>) {
    let Tested { name, capacity, .. } = tested;
    for calls in 0.. {
        let mut store = (tested.new)();
        let ended = ends_despite_panic_at(calls, || use_all(&mut store, tested.more));
        assert_eq!((tested.whole)(&store), Ok(()), "{name} after {calls} calls");
        use_all(&mut store, tested.more);
        (0..3 * capacity as u32).for_each(|key| insert(&mut store, key, key));
        assert_eq!(store.len(), capacity, "{name} after {calls} calls");
        assert_eq!((tested.whole)(&store), Ok(()), "{name} after {calls} calls");
        if ended {
            return;
        }
    }
}

#[test]
fn panic_at_any_call_leaves_a_store_whole() {
    on_each_store!(panic_at_each_call, 8, Scattered);
}

#[test]
fn panic_at_any_call_leaves_a_store_of_one_entry_whole() {
    on_each_store!(panic_at_each_call, 1, Scattered);
}

#[test]
fn panic_at_any_call_leaves_a_store_of_equal_hashes_whole() {
    on_each_store!(panic_at_each_call, 8, BuildHasherDefault<Constant>);
}

/// A lookup finds the value of its key, and a full store stays full.
fn keep_values_apart<S: Store<Key = Fussy, Value = Fussy>>(tested: Tested<S>) {
    let Tested { name, capacity, .. } = tested;
    let mut store = (tested.new)();
    for step in 0..500_u32 {
        let key = step * step % 37;
        let had = store.contains(&Fussy(key));
        let was_full = store.len() == capacity;
        insert(&mut store, key, key + 1_000);
        let found = store.get(&Fussy(key)).map(|value| value.0);
        let refused = name.starts_with("FixedCache") && was_full && !had;
        let expected = (!refused).then_some(key + 1_000);
        assert_eq!(found, expected, "{name} at {step}");
        if step.is_multiple_of(5) {
            store.remove(&Fussy(step % 37));
            assert!(!store.contains(&Fussy(step % 37)), "{name} at {step}");
        }
        assert!(store.len() <= capacity, "{name} at {step}");
        assert_eq!((tested.whole)(&store), Ok(()), "{name} at {step}");
    }
    (0..100).for_each(|key| insert(&mut store, key, key));
    let whole = (tested.whole)(&store);
    assert_eq!((store.len(), whole), (capacity, Ok(())), "{name}");
}

#[test]
fn keys_with_one_hash_are_kept_apart() {
    on_each_store!(keep_values_apart, 8, BuildHasherDefault<Constant>);
}

#[test]
fn store_of_one_entry_keeps_one() {
    on_each_store!(keep_values_apart, 1, Scattered);
}
