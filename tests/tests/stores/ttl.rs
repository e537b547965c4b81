//! `TtlCache`, in the value and on the heap, against a list of entries with their deadlines.

use ctu_core::{
    ManualClock, SmallTtlCache, TtlCache, heap,
    stores::{Slots, Ttl},
};
use proptest::prelude::*;
use std::{hash::BuildHasher, time::Duration};

const TTL: u64 = 50;

#[derive(Clone, Debug)]
enum Op {
    Get(u8),
    Peek(u8),
    Remaining(u8),
    Insert(u8, u32),
    InsertFor(u8, u32, u64),
    Remove(u8),
    PopLru,
    Retain(u8),
    Expire,
    Clear,
    Advance(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let key = 0..24u8;
    prop_oneof![
        6 => key.clone().prop_map(Op::Get),
        1 => key.clone().prop_map(Op::Peek),
        1 => key.clone().prop_map(Op::Remaining),
        8 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Op::Insert(key, value)),
        6 => (key.clone(), any::<u32>(), 0..200u64).prop_map(|(key, value, ttl)| Op::InsertFor(key, value, ttl)),
        4 => key.prop_map(Op::Remove),
        1 => Just(Op::PopLru),
        1 => (1..5u8).prop_map(Op::Retain),
        1 => Just(Op::Expire),
        1 => Just(Op::Clear),
        6 => prop_oneof![0..10u64, 0..100u64, Just(1u64 << 28), Just(1u64 << 31)].prop_map(Op::Advance),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u8,
    value: u32,
    end: u64,
}

/// The most recently used entry comes first. Expired entries stay until something removes them.
struct Model {
    entries: Vec<Entry>,
    capacity: usize,
    now: u64,
}

impl Model {
    fn live(&self, key: u8) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| entry.key == key && entry.end > self.now)
    }

    fn expire(&mut self) {
        self.entries.retain(|entry| entry.end > self.now);
    }

    fn touch(&mut self, key: u8) -> Option<u32> {
        let entry = self.entries.remove(self.live(key)?);
        self.entries.insert(0, entry);
        Some(entry.value)
    }

    fn insert(&mut self, key: u8, value: u32, ttl: u64) -> Option<(u8, u32)> {
        let new = Entry {
            key,
            value,
            end: self.now + ttl,
        };
        // Which expired entries have been removed so far does not show: room is counted in live
        // ones.
        self.entries.retain(|entry| entry.end > self.now);
        if let Some(at) = self.live(key) {
            let old = self.entries.remove(at);
            self.entries.insert(0, new);
            return Some((key, old.value));
        }
        self.entries.insert(0, new);
        if self.entries.len() > self.capacity {
            return self.entries.pop().map(|entry| (entry.key, entry.value));
        }
        None
    }
}

fn check<T: Slots<u8, u32>, S: BuildHasher>(
    mut cache: Ttl<u8, u32, T, &ManualClock, S>,
    clock: &ManualClock,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let mut model = Model {
        entries: Vec::new(),
        capacity: cache.capacity(),
        now: 0,
    };
    cache.expire(); // the store's time begins with its first operation
    for op in ops {
        match *op {
            Op::Get(key) => prop_assert_eq!(cache.get(&key).copied(), model.touch(key)),
            Op::Peek(key) => {
                let expected = model.live(key).map(|at| model.entries[at].value);
                prop_assert_eq!(cache.peek(&key).copied(), expected);
                prop_assert_eq!(cache.contains(&key), expected.is_some());
            }
            Op::Remaining(key) => {
                let expected = model.live(key).map(|at| model.entries[at].end - model.now);
                prop_assert_eq!(cache.remaining(&key), expected.map(Duration::from_millis));
            }
            Op::Insert(key, value) => {
                prop_assert_eq!(cache.insert(key, value), model.insert(key, value, TTL));
            }
            Op::InsertFor(key, value, ttl) => {
                let displaced = cache.insert_with_ttl(key, value, Duration::from_millis(ttl));
                prop_assert_eq!(displaced, Ok(model.insert(key, value, ttl)));
            }
            Op::Remove(key) => {
                let expected = model.live(key).map(|at| model.entries.remove(at).value);
                prop_assert_eq!(cache.remove(&key), expected);
            }
            Op::PopLru => {
                model.expire();
                let expected = model.entries.pop().map(|entry| (entry.key, entry.value));
                prop_assert_eq!(cache.pop_lru(), expected);
            }
            Op::Retain(divisor) => {
                cache.retain(|key, _| key % divisor != 0);
                model.entries.retain(|entry| entry.key % divisor != 0);
            }
            Op::Expire => {
                model.expire();
                cache.expire();
                prop_assert_eq!(cache.len(), model.entries.len());
            }
            Op::Clear => {
                cache.clear();
                model.entries.clear();
            }
            Op::Advance(by) => {
                clock.advance(Duration::from_millis(by));
                model.now += by;
            }
        }
        prop_assert_eq!(cache.validate(), Ok(()));
        prop_assert!(cache.len() <= cache.capacity());
        let live = model.entries.iter().filter(|entry| entry.end > model.now);
        prop_assert!(
            cache
                .iter()
                .map(|(key, value)| (*key, *value))
                .eq(live.map(|entry| (entry.key, entry.value)))
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn inline_ttl_agrees_with_the_model(ops in prop::collection::vec(op(), 1..300)) {
        let ttl = Duration::from_millis(TTL);
        let clock = ManualClock::new();
        check(TtlCache::<u8, u32, 1, _>::new(ttl, &clock), &clock, &ops)?;
        let clock = ManualClock::new();
        check(TtlCache::<u8, u32, 3, _>::new(ttl, &clock), &clock, &ops)?;
        let clock = ManualClock::new();
        check(TtlCache::<u8, u32, 16, _>::new(ttl, &clock), &clock, &ops)?;
        let clock = ManualClock::new();
        check(TtlCache::<u8, u32, 100, _>::new(ttl, &clock), &clock, &ops)?;
        let clock = ManualClock::new();
        check(SmallTtlCache::<u8, u32, 16, _>::new(ttl, &clock), &clock, &ops)?;
    }

    #[test]
    fn heap_ttl_agrees_with_the_model(ops in prop::collection::vec(op(), 1..300), capacity in 1..30usize) {
        let clock = ManualClock::new();
        let cache = heap::TtlCache::with_capacity(capacity, Duration::from_millis(TTL), &clock);
        check(cache, &clock, &ops)?;
    }
}

/// Times-to-live of up to twelve days, in a store that is used for months.
fn op_of_days() -> impl Strategy<Value = Op> {
    let key = 0..24u8;
    prop_oneof![
        4 => key.clone().prop_map(Op::Get),
        2 => key.clone().prop_map(Op::Remaining),
        4 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Op::Insert(key, value)),
        12 => (key.clone(), any::<u32>(), 0..=1u64 << 30).prop_map(|(key, value, ttl)| Op::InsertFor(key, value, ttl)),
        2 => key.prop_map(Op::Remove),
        12 => (0..1u64 << 27).prop_map(Op::Advance),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn deadlines_that_wrap_agree_with_the_model(ops in prop::collection::vec(op_of_days(), 300..600)) {
        let clock = ManualClock::new();
        check(TtlCache::<u8, u32, 16, _>::new(Duration::from_millis(TTL), &clock), &clock, &ops)?;
        let clock = ManualClock::new();
        let cache = heap::TtlCache::with_capacity(16, Duration::from_millis(TTL), &clock);
        check(cache, &clock, &ops)?;
    }
}

#[test]
fn ascending_deadlines_keep_their_order() {
    let clock = ManualClock::new();
    let mut cache = heap::TtlCache::with_capacity(50_000, Duration::from_millis(TTL), &clock);
    for key in 0..100_000u32 {
        let ttl = Duration::from_millis(1_000_000 + u64::from(key));
        cache.insert_with_ttl(key, key, ttl).unwrap();
    }
    assert_eq!((cache.validate(), cache.len()), (Ok(()), 50_000));
}
