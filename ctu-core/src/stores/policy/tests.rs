//! The policy against a model, under any operations, and on keys with a known best answer.

use super::*;
use proptest::prelude::*;
use std::{cell::Cell, collections::HashMap, vec::Vec};

/// A key, and the time at which it expires.
#[derive(Debug)]
struct Kept {
    key: u32,
    until: u64,
    unmarked: Cell<u8>,
}

impl Entry for Kept {
    fn is_expired(&self, now: u64) -> bool {
        now >= self.until
    }

    fn take_unmarked(&self) -> u8 {
        self.unmarked.take()
    }
}

fn kept(key: u32, until: u64) -> Kept {
    let unmarked = Cell::new(0);
    Kept {
        key,
        until,
        unmarked,
    }
}

/// Spreads keys over all hashes.
const fn hash(key: u32) -> u32 {
    let hash = key.wrapping_mul(0x9e37_79b1);
    (hash ^ hash >> 15).wrapping_mul(0x85eb_ca77)
}

/// A cache of numbers with the policy in full, as its users put it together.
struct Simulated {
    table: Table<Kept>,
    tuner: Tuner,
}

impl Simulated {
    fn new(capacity: usize) -> Self {
        Self {
            table: Table::new(capacity),
            tuner: Tuner::new(capacity),
        }
    }

    /// Whether `key` was there. It is from then on.
    fn look_up(&mut self, key: u32) -> bool {
        let (hash, share) = (hash(key), self.tuner.share());
        let found = self.table.find(hash, |entry| entry.key == key);
        let (found, observed) = match found {
            Some((slot, _)) => (true, self.table.hit(slot)),
            None => {
                let stored = self
                    .table
                    .insert(hash, kept(key, 1), share, None, &mut None);
                (false, stored.is_ok())
            }
        };
        if observed && self.tuner.sample().has(hash) {
            self.tuner.observe(hash);
        }
        found
    }

    /// The share found of all keys.
    fn run(&mut self, keys: impl Iterator<Item = u32>) -> f64 {
        let (mut hits, mut all) = (0, 0);
        for key in keys {
            hits += u32::from(self.look_up(key));
            all += 1;
        }
        self.table.validate().unwrap();
        self.tuner.validate().unwrap();
        f64::from(hits) / f64::from(all)
    }
}

#[test]
fn loop_larger_than_the_capacity_is_kept_in_part() {
    // The best possible is 0.5; LRU and CLOCK find none.
    let mut cache = Simulated::new(500);
    let found = cache.run((0..500_000).map(|step| step % 1_000));
    assert!(found > 0.46, "{found}");
}

#[test]
fn loop_far_larger_than_the_capacity_is_kept_in_part() {
    // The best possible is 0.25.
    let mut cache = Simulated::new(250);
    let found = cache.run((0..500_000).map(|step| step % 1_000));
    assert!(found > 0.22, "{found}");
}

#[test]
fn used_entries_stay_and_an_unused_one_is_evicted() {
    let mut cache = Simulated::new(10);
    cache.run(0..10);
    cache.run((0..10).filter(|key| *key != 4));
    assert!(!cache.look_up(10));
    let mut kept: Vec<_> = cache.table.iter().map(|(_, entry)| entry.key).collect();
    kept.sort_unstable();
    assert_eq!(kept, [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn keys_that_come_again_soon_or_never_make_the_window_large() {
    // Each key comes twice, 400 look-ups apart: the best possible is 0.5.
    let mut cache = Simulated::new(1_000);
    let pairs = (0..200_000_u32).flat_map(|step| [Some(step), step.checked_sub(200)]);
    let found = cache.run(pairs.flatten());
    assert!(found > 0.48, "{found}");
    assert!(cache.tuner.share() >= 400, "{}", cache.tuner.share());
}

#[test]
fn popular_keys_stay_through_scans() {
    let mut cache = Simulated::new(100);
    let popular = |step: u32| step % 80;
    cache.run((0..8_000).map(popular));
    cache.run(1_000_000..1_002_000);
    let found = cache.run((0..80).map(popular));
    assert!(found > 0.9, "{found}");
}

#[test]
fn expired_entries_leave_before_used_ones() {
    let mut table = Table::new(10);
    for key in 0..10 {
        // 3 and 7 expire.
        let until = if key % 4 == 3 { 5 } else { 100 };
        table
            .insert(hash(key), kept(key, until), 30, Some(0), &mut None)
            .unwrap();
    }
    (0..10).for_each(|slot| assert!(table.hit(slot)));
    let gone = (0..2).filter_map(|_| table.evict(30, Some(5)));
    let mut gone: Vec<_> = gone.map(|entry| entry.key).collect();
    gone.sort_unstable();
    assert_eq!(gone, [3, 7]);
}

#[test]
fn unmarked_use_of_a_watched_entry_spares_it() {
    let mut table = Table::new(3);
    let slots: Vec<_> = (0..3)
        .map(|key| {
            let entry = kept(key, 100);
            table.insert(hash(key), entry, 30, None, &mut None).unwrap()
        })
        .collect();
    table.watch(slots[0], true);
    table.get(slots[0]).unwrap().unmarked.set(3);
    let gone = (0..2)
        .filter_map(|_| table.evict(30, None))
        .map(|entry| entry.key);
    assert!(gone.collect::<Vec<_>>().iter().all(|key| *key != 0));
    assert_eq!(table.validate(), Ok(()));
}

#[test]
fn memory_of_the_policy_is_bounded() {
    // The tuner with its vectors; links 8, mark 1 and hash 4 bytes per entry.
    let shadow = 64 * (2 + 1 + 2);
    let tuner = size_of::<Tuner>() + 4 * shadow + 16 * 64;
    assert!(tuner <= 3 * 1_024, "{tuner}");
    for capacity in [1_000, 1_023, 100_000, 1_000_000] {
        let mut policy = Adaptive::new(capacity);
        for key in 0..capacity as u32 {
            policy.insert(hash(key), 30, &());
        }
        let counts = policy.counts_bytes() as f64 / capacity as f64;
        assert!((7.0..=8.02).contains(&counts), "{counts} for {capacity}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    LookUp(u32),
    Remove(u32),
    Replace(u32),
    Use(u32),
    Advance,
    Evict,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..40_u32;
    prop_oneof![
        10 => key.clone().prop_map(Step::LookUp),
        3 => key.clone().prop_map(Step::Remove),
        2 => key.clone().prop_map(Step::Replace),
        2 => key.prop_map(Step::Use),
        2 => Just(Step::Advance),
        1 => Just(Step::Evict),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    /// Against a map of the keys that were stored and have not left: the table has these and no
    /// others, never more than its capacity, and its links are whole after each step.
    #[test]
    fn table_agrees_with_a_map(
        steps in prop::collection::vec(step(), 0..300),
        capacity in 0..20_usize,
        share in 0..=1_000_usize,
        hashes in 1..1_000_u32,
    ) {
        let hash = |key: u32| hash(key % hashes);
        let mut table = Table::new(capacity);
        let (mut stored, mut now) = (HashMap::new(), 0_u64);
        for (number, step) in (1_u64..).zip(steps) {
            let slot = |table: &Table<Kept>, key: u32| {
                table.find(hash(key), |entry| entry.key == key).map(|(slot, _)| slot)
            };
            match step {
                Step::LookUp(key) => match slot(&table, key) {
                    Some(slot) => { table.hit(slot); }
                    None => {
                        let was_full = table.is_full();
                        let entry = kept(key, now + number % 5);
                        let until = entry.until;
                        let mut gone = None;
                        match table.insert(hash(key), entry, share, Some(now), &mut gone) {
                            Ok(_) => {
                                prop_assert_eq!(gone.is_some(), was_full);
                                if let Some(gone) = gone {
                                    prop_assert_eq!(stored.remove(&gone.key), Some(gone.until));
                                }
                                prop_assert_eq!(stored.insert(key, until), None);
                            }
                            Err(_) => prop_assert_eq!(capacity, 0),
                        }
                    }
                },
                Step::Remove(key) => {
                    let gone = slot(&table, key).and_then(|slot| table.remove(slot));
                    prop_assert_eq!(gone.map(|gone| gone.until), stored.remove(&key));
                }
                Step::Replace(key) => if let Some(slot) = slot(&table, key) {
                    let old = table.replace(slot, kept(key, number));
                    prop_assert_eq!(old.map(|old| old.until), stored.insert(key, number));
                },
                Step::Use(key) => if let Some(slot) = slot(&table, key) {
                    table.watch(slot, number % 3 > 0);
                    table.get(slot).unwrap().unmarked.set(3);
                },
                Step::Advance => now += 1,
                Step::Evict => if let Some(gone) = table.evict(share, Some(now)) {
                    prop_assert_eq!(stored.remove(&gone.key), Some(gone.until));
                },
                Step::Clear => {
                    prop_assert_eq!(table.clear().into_iter().flatten().count(), stored.len());
                    stored.clear();
                }
            }
            prop_assert_eq!(table.validate(), Ok(()));
            prop_assert_eq!(table.len(), stored.len());
            for key in 0..40 {
                let found = table.find(hash(key), |entry| entry.key == key);
                prop_assert_eq!(found.map(|(_, entry)| entry.until), stored.get(&key).copied());
            }
        }
    }
}
