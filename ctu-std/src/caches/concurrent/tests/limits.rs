//! Limits of time, alone and together.

use super::*;

type Timed<'c> = ConcurrentCache<u32, u32, &'c ManualClock>;

/// How many seconds the entry at key 1 lives when each second `step` runs.
fn seconds(cache: &Timed<'_>, clock: &ManualClock, mut step: impl FnMut(u64)) -> u64 {
    cache.insert(&1, 1u32).unwrap();
    (1..100)
        .find(|second| {
            clock.advance(SECOND);
            let is_gone = cache.peek(&1).is_none();
            if !is_gone {
                step(*second);
            }
            is_gone
        })
        .unwrap_or(100)
}

#[test]
fn each_limit_counts_from_its_event() {
    let clock = ManualClock::new();
    let builder = || ConcurrentCache::<u32, u32>::builder(10).clock(&clock);
    let read = |cache: &Timed<'_>| {
        cache.get(&1).unwrap();
    };
    let write = |cache: &Timed<'_>| cache.insert(&1, 2u32).unwrap();
    let created = builder().expire_after_creation(5 * SECOND).build();
    assert_eq!(seconds(&created, &clock, |_| write(&created)), 5);
    let updated = builder().expire_after_update(5 * SECOND).build();
    assert_eq!(seconds(&updated, &clock, |_| read(&updated)), 5);
    assert_eq!(
        seconds(&updated, &clock, |second| if second == 4 {
            write(&updated)
        }),
        9
    );
    let idle = builder().expire_after_read(5 * SECOND).build();
    assert_eq!(
        seconds(&idle, &clock, |second| if second < 8 {
            read(&idle)
        }),
        12
    );
    assert_eq!(
        seconds(&idle, &clock, |_| assert_eq!(idle.contains(&1), Ok(true))),
        5
    );
    assert_eq!(
        seconds(&idle, &clock, |second| if second == 3 {
            write(&idle)
        }),
        8
    );
    let all = builder()
        .expire_after_creation(20 * SECOND)
        .expire_after_update(9 * SECOND)
        .expire_after_read(4 * SECOND)
        .build();
    assert_eq!(seconds(&all, &clock, |_| ()), 4);
    assert_eq!(seconds(&all, &clock, |_| read(&all)), 9);
    assert_eq!(seconds(&all, &clock, |_| write(&all)), 20);
    // The creation counts anew after the end of a life.
    assert_eq!(seconds(&all, &clock, |_| write(&all)), 20);
}

#[test]
fn an_entry_near_its_thread_stays_while_it_is_read() {
    let clock = ManualClock::new();
    let cache = ConcurrentCache::<u32, u32>::builder(10)
        .clock(&clock)
        .expire_after_read(2 * SECOND)
        .build();
    cache.insert(&1, 1u32).unwrap();
    for _ in 0..20 {
        (0..100).for_each(|_| assert_eq!(cache.get(&1), Ok(Some(1))));
        clock.advance(SECOND);
    }
    assert_eq!(cache.near.entries().len(), 1);
    clock.advance(SECOND);
    assert_eq!(cache.get(&1), Ok(None));
}

#[test]
fn time_to_live_of_an_entry_comes_from_the_caller_then_its_value_then_the_cache() {
    let clock = ManualClock::new();
    let cache = ConcurrentCache::<u32, u32>::builder(10)
        .clock(&clock)
        .expire_after_update(10 * SECOND)
        .expire_each(|_, value| (*value > 0).then(|| *value * SECOND))
        .build();
    cache.insert(&1, 0u32).unwrap();
    cache.insert(&2, 5u32).unwrap();
    cache.insert_with_ttl(&3, 5u32, 2 * SECOND).unwrap();
    let left = |key| cache.get_with_ttl(&key).unwrap().and_then(|(_, left)| left);
    let all = [1, 2, 3].map(left);
    assert_eq!(all, [10, 5, 2].map(|seconds| Some(seconds * SECOND)));
    let too_long = cache.insert_with_ttl(&3, 5u32, Duration::MAX);
    assert!(matches!(too_long, Err(Error::TtlTooLong { .. })));
}

#[test]
fn limits_of_no_time_and_of_any_time_are_accepted() {
    let clock = ManualClock::new();
    clock.set(usize::MAX - 10_000);
    let builder = || ConcurrentCache::<u32, u32>::builder(10).clock(&clock);
    for (cache, lives) in [
        (
            builder().expire_after_creation(Duration::ZERO).build(),
            false,
        ),
        (builder().expire_after_update(Duration::ZERO).build(), false),
        (builder().expire_after_read(Duration::ZERO).build(), false),
        (
            builder().expire_each(|_, _| Some(Duration::ZERO)).build(),
            false,
        ),
        (builder().expire_after_creation(Duration::MAX).build(), true),
        (builder().expire_after_update(Duration::MAX).build(), true),
        (builder().expire_after_read(Duration::MAX).build(), true),
        (builder().build(), true),
    ] {
        cache.insert(&1, 1u32).unwrap();
        clock.advance(SECOND);
        assert_eq!(
            (cache.get(&1), cache.len()),
            (Ok(lives.then_some(1)), Ok(lives.into()))
        );
        assert_eq!(cache.validate(), Ok(()));
    }
    let refused = builder()
        .expire_each(|_, _| Some(Duration::MAX))
        .build()
        .insert(&1, 1u32);
    assert!(matches!(refused, Err(Error::TtlTooLong { .. })));
}
