//! `AdaptiveTtlCache` against a map of the stored entries with their times, with its links checked
//! after each step.

use ctu_core::{
    Error, ManualClock, SpinCache, Store,
    heap::{AdaptiveTtlCache, TimeLimits},
    prelude::*,
};
use proptest::prelude::*;
use std::{collections::HashMap, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
enum Op {
    Get(u8),
    Insert(u8, u32),
    InsertFor(u8, u32, u8),
    GetOrInsert(u8, u32),
    Remove(u8),
    Take(u8),
    Advance(u8),
    Expire,
    PopExpired,
    Evict,
    SetCapacity(usize),
    Retain(u8),
}

fn op() -> impl Strategy<Value = Op> {
    let key = 0..16_u8;
    let entry = (key.clone(), any::<u32>());
    prop_oneof![
        6 => key.clone().prop_map(Op::Get),
        6 => entry.clone().prop_map(|(key, value)| Op::Insert(key, value)),
        3 => (entry.clone(), 0..9_u8).prop_map(|((key, value), ttl)| Op::InsertFor(key, value, ttl)),
        2 => entry.prop_map(|(key, value)| Op::GetOrInsert(key, value)),
        1 => key.clone().prop_map(Op::Remove),
        1 => key.prop_map(Op::Take),
        6 => (1..3_u8).prop_map(Op::Advance),
        1 => Just(Op::Expire),
        1 => Just(Op::PopExpired),
        1 => Just(Op::Evict),
        1 => (0..20_usize).prop_map(Op::SetCapacity),
        1 => (1..5_u8).prop_map(Op::Retain),
    ]
}

/// An entry of the model. Times in seconds.
#[derive(Clone, Copy, Debug)]
struct Entry {
    value: u32,
    created: u64,
    until: u64,
    idle_until: u64,
}

/// The limits after creation, update and read.
#[derive(Clone, Copy, Debug)]
struct Limits([Option<u8>; 3]);

struct Model {
    limits: Limits,
    now: u64,
    entries: HashMap<u8, Entry>,
}

impl Model {
    /// The end of a time that begins at `from`; one of 0 is over at once.
    fn end(from: u64, time: Option<u8>) -> u64 {
        match time {
            None => u64::MAX,
            Some(0) => 0,
            Some(time) => from + u64::from(time),
        }
    }

    fn live(&self, key: u8) -> Option<Entry> {
        let entry = self.entries.get(&key).copied();
        entry.filter(|entry| self.now < entry.until.min(entry.idle_until))
    }

    fn value(&self, key: u8) -> Option<u32> {
        Some(self.live(key)?.value)
    }

    fn remaining(&self, key: u8) -> Option<Duration> {
        let end = self.live(key)?;
        let end = end.until.min(end.idle_until);
        (end < u64::MAX).then(|| SECOND * (end - self.now) as u32)
    }

    fn read(&mut self, key: u8) {
        if self.live(key).is_some()
            && let Some(entry) = self.entries.get_mut(&key)
        {
            entry.idle_until = Self::end(self.now, self.limits.0[2]);
        }
    }

    fn write(&mut self, key: u8, value: u32, ttl: Option<u8>) {
        let [creation, update, read] = self.limits.0;
        let created = self.live(key).map_or(self.now, |entry| entry.created);
        let until = Self::end(self.now, ttl.or(update)).min(Self::end(created, creation));
        let idle_until = Self::end(self.now, read);
        let entry = Entry {
            value,
            created,
            until,
            idle_until,
        };
        self.entries.insert(key, entry);
    }
}

fn check(limits: Limits, capacity: usize, ops: &[Op]) -> Result<(), TestCaseError> {
    let clock = ManualClock::new();
    let mut times = TimeLimits::new();
    let [creation, update, read] = limits.0.map(|time| time.map(|time| SECOND * time.into()));
    if let Some(time) = creation {
        times = times.expire_after_creation(time);
    }
    if let Some(time) = update {
        times = times.expire_after_update(time);
    }
    if let Some(time) = read {
        times = times.expire_after_read(time);
    }
    let mut cache = AdaptiveTtlCache::with_limits(capacity, times, &clock);
    let mut model = Model {
        limits,
        now: 0,
        entries: HashMap::new(),
    };
    for op in ops {
        // An entry that makes room for a new one is live only in a full store.
        let full = cache.is_full();
        let mut evicted = None;
        match *op {
            Op::Get(key) => {
                prop_assert_eq!(cache.get(&key).copied(), model.value(key));
                model.read(key);
            }
            Op::Insert(key, value) | Op::InsertFor(key, value, _) => {
                let ttl = match *op {
                    Op::InsertFor(_, _, ttl) => Some(ttl),
                    _ => None,
                };
                let old = model.value(key);
                let displaced = match ttl {
                    Some(ttl) => cache.insert_with_ttl(key, value, SECOND * ttl.into()),
                    None => Ok(cache.insert(key, value)),
                };
                let displaced = displaced.expect("no long time");
                model.write(key, value, ttl);
                match displaced {
                    Some((displaced, value)) if displaced == key && old.is_some() => {
                        prop_assert_eq!(Some(value), old);
                    }
                    Some(left) => evicted = Some(left),
                    None => prop_assert_eq!(old, None),
                }
            }
            Op::GetOrInsert(key, value) => {
                let expected = model.value(key);
                let found = cache.get_or_insert_with(key, || value).copied();
                match expected {
                    Some(_) => model.read(key),
                    None => model.write(key, value, None),
                }
                let expected = expected.unwrap_or(value);
                prop_assert_eq!(found, (cache.capacity() > 0).then_some(expected));
                // The evicted entry is dropped.
                let lost = |key: &u8| model.live(*key).is_some() && !cache.contains(key);
                let lost: Vec<_> = (0..16).filter(lost).collect();
                prop_assert!(lost.len() <= usize::from(full));
                model.entries.retain(|key, _| !lost.contains(key));
            }
            Op::Remove(key) => {
                prop_assert_eq!(cache.remove(&key), model.value(key));
                model.entries.remove(&key);
            }
            Op::Take(key) => {
                let live = model.value(key);
                let taken = Store::take(&mut cache, &key);
                prop_assert_eq!(taken.is_some_and(|(_, is_live)| is_live), live.is_some());
                if let Some((value, _)) = taken {
                    prop_assert_eq!(
                        model.entries.get(&key).map(|entry| entry.value),
                        Some(value)
                    );
                }
                model.entries.remove(&key);
            }
            Op::Advance(seconds) => {
                clock.advance(SECOND * seconds.into());
                model.now += u64::from(seconds);
            }
            Op::Expire => {
                cache.expire();
                let live = (0..16).filter(|key| model.live(*key).is_some()).count();
                prop_assert_eq!(cache.len(), live);
            }
            Op::PopExpired => match cache.pop_expired() {
                Some((key, _)) => {
                    prop_assert!(model.live(key).is_none());
                    prop_assert!(model.entries.remove(&key).is_some());
                }
                None => {
                    let live = (0..16).filter(|key| model.live(*key).is_some()).count();
                    prop_assert_eq!(cache.len(), live);
                }
            },
            Op::Evict => match cache.evict() {
                Some((key, value)) => {
                    let entry = model.entries.remove(&key);
                    prop_assert_eq!(entry.map(|entry| entry.value), Some(value));
                }
                None => prop_assert!(cache.is_empty()),
            },
            Op::SetCapacity(capacity) => {
                cache.set_capacity(capacity);
                let lost = |key: &u8| model.live(*key).is_some() && !cache.contains(key);
                let lost: Vec<_> = (0..16).filter(lost).collect();
                model.entries.retain(|key, _| !lost.contains(key));
            }
            Op::Retain(divisor) => {
                cache.retain(|key, _| key % divisor != 0);
                model.entries.retain(|key, _| key % divisor != 0);
                let live = (0..16).filter(|key| model.live(*key).is_some()).count();
                prop_assert_eq!(cache.len(), live);
            }
        }
        if let Some((key, value)) = evicted {
            prop_assert!(full);
            prop_assert_eq!(model.value(key), Some(value));
            model.entries.remove(&key);
        }
        prop_assert_eq!(cache.validate(), Ok(()));
        prop_assert!(cache.len() <= cache.capacity());
        for key in 0..16 {
            prop_assert_eq!(cache.peek(&key).copied(), model.value(key));
            prop_assert_eq!(cache.remaining(&key), model.remaining(key));
        }
        let live = (0..16).filter(|key| model.live(*key).is_some()).count();
        prop_assert_eq!(cache.iter().count(), live);
        prop_assert_eq!(cache.iter_mut().count(), live);
    }
    prop_assert_eq!(cache.clone().into_iter().count(), cache.iter().count());
    Ok(())
}

proptest! {
    #[test]
    fn adaptive_ttl_cache_agrees_with_a_map(
        ops in prop::collection::vec(op(), 0..120),
        limits in prop::array::uniform3(prop::option::of(0..7_u8)),
        capacity in prop_oneof![Just(100_usize), 0..12_usize],
    ) {
        check(Limits(limits), capacity, &ops)?;
    }
}

#[test]
fn writes_of_new_keys_remove_expired_entries() {
    let clock = ManualClock::new();
    let mut cache = AdaptiveTtlCache::with_limits(1_000, TimeLimits::new(), &clock);
    for key in 0..1_000_u32 {
        // A half expires.
        let ttl = SECOND * (1 + key % 2);
        cache.insert_with_ttl(key, key, ttl).unwrap();
    }
    clock.advance(SECOND);
    let evicted = (1_000..1_750).filter_map(|key| cache.insert(key, key));
    assert_eq!(evicted.count(), 250);
    assert_eq!((cache.len(), cache.iter().count()), (1_000, 1_000));
    assert_eq!(cache.validate(), Ok(()));
}

#[test]
fn locked_store_has_the_times_of_its_entries() {
    let clock = ManualClock::new();
    let limits = TimeLimits::new()
        .expire_after_creation(9 * SECOND)
        .expire_after_update(5 * SECOND);
    let store = AdaptiveTtlCache::<u32, u32, _>::with_limits(100, limits, &clock);
    let cache = SpinCache::new(store);
    assert_eq!(cache.default_ttl(), Some(5 * SECOND));
    cache.insert(&1, 10u32).unwrap();
    cache.insert_with_ttl(&2, 20u32, 7 * SECOND).unwrap();
    assert_eq!(cache.get_with_ttl(&1), Ok(Some((10, Some(5 * SECOND)))));
    assert_eq!(cache.get_with_ttl(&2), Ok(Some((20, Some(7 * SECOND)))));
    clock.advance(6 * SECOND);
    assert_eq!((cache.get(&1), cache.get(&2)), (Ok(None), Ok(Some(20))));
    assert_eq!((cache.len(), cache.remove(&1)), (Ok(1), Ok(false)));
    // The creation counts, however often the entry is replaced.
    cache.insert(&2, 21u32).unwrap();
    assert_eq!(cache.get_with_ttl(&2), Ok(Some((21, Some(3 * SECOND)))));
}

#[test]
fn times_of_zero_and_of_any_length_are_accepted() {
    let clock = ManualClock::new();
    clock.set(usize::MAX - 10_000);
    let new = TimeLimits::new;
    for (limits, lives) in [
        (new().expire_after_creation(Duration::ZERO), false),
        (new().expire_after_update(Duration::ZERO), false),
        (new().expire_after_read(Duration::ZERO), false),
        (new().expire_after_creation(Duration::MAX), true),
        (new().expire_after_update(Duration::MAX), true),
        (new().expire_after_read(Duration::MAX), true),
        (new(), true),
    ] {
        let mut cache = AdaptiveTtlCache::with_limits(10, limits, &clock);
        cache.insert(1, 1);
        clock.advance(SECOND);
        assert_eq!(cache.get(&1).is_some(), lives, "{limits:?}");
        assert_eq!(Store::len(&mut cache), usize::from(lives));
        let refused = cache.insert_with_ttl(2, 2, Duration::MAX);
        assert!(matches!(refused, Err(Error::TtlTooLong { .. })));
        assert_eq!((cache.contains(&2), cache.validate()), (false, Ok(())));
    }
}
