//! Changes that depend on the old value are one step among threads.

use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn counts_of_many_threads_are_exact() {
    let cache = ConcurrentCache::<u32, u64>::builder(10)
        .max_weight(100, |_, value| value % 3)
        .build();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for step in 0..2_000 {
                    let count = |old: Option<&u64>| old.map_or(1, |old| old + 1);
                    cache.upsert_with(&(step % 2), count).unwrap();
                    cache.get(&0).unwrap();
                }
            });
        }
    });
    assert_eq!([cache.peek(&0), cache.peek(&1)], [Some(4_000); 2]);
    assert_eq!(cache.validate(), Ok(()));
}

#[test]
fn a_write_meanwhile_makes_the_closure_run_again() {
    let cache = ConcurrentCache::<u32, u32>::with_capacity(10);
    cache.insert(&1, 10u32).unwrap();
    let mut seen = Vec::new();
    let done = cache.and_compute_with(&1, |old| {
        seen.push(old.copied());
        match seen.len() {
            1 => cache.insert(&1, 20u32).unwrap(),
            2 => drop(cache.remove(&1).unwrap()),
            // Not the key.
            _ => cache.insert(&2, 1u32).unwrap(),
        }
        Compute::Put(old.map_or(0, |old| old + 1))
    });
    assert_eq!(
        done,
        Ok(Computed {
            old: None,
            new: Some(0)
        })
    );
    assert_eq!(
        (seen, cache.peek(&1)),
        (vec![Some(10), Some(20), None], Some(0))
    );
}

#[test]
fn an_expired_entry_counts_as_absent() {
    let clock = ManualClock::new();
    let cache = ConcurrentCache::<u32, u32, _>::with_ttl(10, SECOND, &clock);
    cache.insert(&1, 10u32).unwrap();
    clock.advance(SECOND);
    let upserted = cache.upsert_with(&1, |old| old.map_or(1, |old| old + 1));
    assert_eq!((upserted, cache.get(&1)), (Ok(1), Ok(Some(1))));
    let kept = cache.and_compute_with(&2, |_| Compute::Keep);
    assert_eq!(
        (kept, cache.len()),
        (
            Ok(Computed {
                old: None,
                new: None
            }),
            Ok(1)
        )
    );
    let removed = cache.and_compute_with(&1, |_| Compute::Remove);
    assert_eq!(
        removed,
        Ok(Computed {
            old: Some(1),
            new: None
        })
    );
    assert_eq!((cache.len(), cache.validate()), (Ok(0), Ok(())));
}

#[test]
fn a_failed_or_panicked_change_changes_nothing() {
    let cache = ConcurrentCache::<u32, u32>::builder(10)
        .max_weight(10, |_, value| match value {
            7 => std::panic::resume_unwind(Box::new("of the weigher")),
            value => u64::from(*value),
        })
        .build();
    cache.insert(&1, 5u32).unwrap();
    let refused = cache.upsert_with(&1, |_| 11);
    assert_eq!(
        refused,
        Err(Error::EntryTooHeavy {
            weight: 11,
            max: 10
        })
    );
    let panicked = || cache.upsert_with(&1, |_| std::panic::resume_unwind(Box::new("of it")));
    assert!(catch_unwind(AssertUnwindSafe(panicked)).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| cache.insert(&1, 7u32))).is_err());
    assert_eq!((cache.get(&1), cache.weight()), (Ok(Some(5)), 5));
    assert_eq!(cache.validate(), Ok(()));
}
