//! Each switch, and each promise by itself.

use crate::{
    millis,
    remote::{DEADLINE, Failed, Fault, Link},
    secs,
};
use ctu_std::{
    BreakerState, Cache, CacheExt, Clock, LockedCache, ManualClock, TtlCache, TwoLevelBuilder,
    TwoLevelCache, TwoLevelError,
};
use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    thread,
    time::Duration,
};

pub(crate) type First = LockedCache<TtlCache<u32, u32, Arc<ManualClock>>>;
pub(crate) type Builder = TwoLevelBuilder<First, Link>;
pub(crate) type Resilient = TwoLevelCache<First, Link>;

pub(crate) fn builder() -> (Arc<ManualClock>, Builder) {
    let clock = Arc::new(ManualClock::new());
    let link = Link::new(0, &Arc::default(), &clock);
    let first = TtlCache::<u32, u32, _>::with_capacity(100, secs(10), Arc::clone(&clock));
    let builder = TwoLevelCache::builder(first, link).clock(Arc::clone(&clock));
    (clock, builder.seed(1))
}

pub(crate) fn resilient() -> (Arc<ManualClock>, Resilient) {
    let (clock, builder) = builder();
    (clock, builder.manual_recovery().build())
}

/// Waits until another thread has made `done` true.
pub(crate) fn until(done: impl Fn() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

#[test]
fn outage_is_no_error_and_is_recovered() {
    let (clock, cache) = resilient();
    cache.insert(&1, 1u32).unwrap();
    cache.insert(&2, 2u32).unwrap();
    cache.second().fail(Fault::Refused);
    assert_eq!(cache.insert(&1, 10u32), Ok(()));
    assert_eq!(cache.remove(&2), Ok(true));
    assert_eq!((cache.get(&1), cache.get(&2)), (Ok(Some(10)), Ok(None)));
    assert_eq!((cache.contains(&2), cache.stats().journal), (Ok(false), 2));
    // The second level is back, and it has missed operations.
    cache.second().fail(Fault::None);
    assert_eq!(cache.second().get(&2), Ok(Some(2)));
    cache.first().clear().unwrap();
    assert_eq!((cache.get(&1), cache.get(&2)), (Ok(None), Ok(None)));
    // One of the two may still be under way, so that one is deleted twice.
    assert_eq!(cache.recover(), Some(secs(10)));
    assert_eq!(cache.second().len(), Ok(0));
    clock.advance(secs(10));
    assert_eq!(cache.recover(), None);
    assert_eq!((cache.stats().journal, cache.stats().replayed), (0, 2));
    cache.insert(&1, 11u32).unwrap();
    assert_eq!(cache.second().get(&1), Ok(Some(11)));
}

#[test]
fn outage_costs_one_deadline_a_period() {
    let (clock, cache) = resilient();
    cache.second().fail(Fault::Lost);
    let (mut lost, mut operations) = (0, 0);
    while clock.now() < 60_000 {
        let (before, asked) = (clock.now(), cache.second().asked.load(SeqCst));
        let open = cache.stats().breaker == BreakerState::Open;
        match operations % 3 {
            0 => assert_eq!(cache.get(&u32::MAX), Ok(None)),
            1 => assert_eq!(cache.insert(&operations, 1u32), Ok(())),
            _ => assert!(cache.remove(&operations).is_ok()),
        }
        let asks = cache.second().asked.load(SeqCst) - asked;
        assert!(asks <= 1);
        assert_eq!(
            clock.now() - before,
            u64::from(asks) * DEADLINE.as_millis() as u64
        );
        lost += u32::from(asks == 1);
        assert!(asks == 1 || open);
        operations += 1;
        clock.advance(millis(1));
    }
    // Open for 0.5, 1, 2, 4, 8, 10, 10 ... seconds, or half of that.
    assert!((5..=16).contains(&lost), "{lost}");
    let stats = cache.stats();
    assert_eq!((stats.opened, stats.outages), (1, u64::from(lost)));
    assert_eq!(stats.skipped, u64::from(operations - lost));
    cache.second().fail(Fault::None);
    clock.advance(secs(10));
    assert_eq!(cache.get(&u32::MAX), Ok(None));
    assert_eq!(cache.stats().breaker, BreakerState::Closed);
}

#[test]
fn caller_error_does_not_open_the_breaker() {
    let (_clock, cache) = resilient();
    cache.insert(&1, 1u32).unwrap();
    cache.second().fail(Fault::Blamed);
    let blamed = TwoLevelError::Second(Failed::Blamed);
    for _ in 0..20 {
        assert_eq!(cache.insert(&1, 2u32), Err(blamed.clone()));
        assert_eq!(cache.get(&2), Err(blamed.clone()));
    }
    assert_eq!(cache.get(&1), Ok(Some(1)));
    assert_eq!(cache.remove(&1), Err(blamed.clone()));
    assert_eq!(cache.insert_many(vec![(&1, 2)], None), Err(blamed));
    let stats = cache.stats();
    assert_eq!((stats.breaker, stats.journal), (BreakerState::Closed, 0));
}

#[test]
fn overload_is_no_error_and_does_not_open_the_breaker() {
    let (_clock, cache) = resilient();
    cache.insert(&1, 1u32).unwrap();
    cache.second().fail(Fault::Overloaded);
    for _ in 0..20 {
        assert_eq!(cache.insert(&1, 2u32), Ok(()));
        assert_eq!((cache.get(&1), cache.get(&2)), (Ok(Some(2)), Ok(None)));
    }
    // The missed write is made good later.
    let stats = cache.stats();
    assert_eq!((stats.breaker, stats.journal), (BreakerState::Closed, 1));
}

#[test]
fn last_outage_keeps_its_reason() {
    let (clock, cache) = resilient();
    cache.second().fail(Fault::Blamed);
    assert!(cache.get(&1).is_err());
    assert_eq!(cache.last_outage(), None);
    cache.second().fail(Fault::Refused);
    assert_eq!(cache.get(&1), Ok(None));
    assert_eq!(cache.last_outage().as_deref(), Some("Down"));
    cache.second().fail(Fault::None);
    clock.advance(secs(10));
    assert_eq!(cache.get(&1), Ok(None));
    cache.reset_stats();
    assert_eq!(cache.last_outage().as_deref(), Some("Down"));
    // Without resilience the caller has been told.
    let (_clock, builder) = builder();
    let cache = builder.build();
    cache.second().fail(Fault::Refused);
    assert!(cache.get(&1).is_err());
    assert_eq!(cache.last_outage(), None);
}

#[test]
fn server_out_of_memory_still_accepts_deletes() {
    let (clock, cache) = resilient();
    cache.insert(&1, 1u32).unwrap();
    cache.second().fail(Fault::Full);
    assert_eq!(cache.insert(&1, 2u32), Ok(()));
    assert_eq!(cache.stats().journal, 1);
    cache.recover();
    clock.advance(secs(10));
    assert_eq!(cache.recover(), None);
    assert_eq!(
        (cache.second().get(&1), cache.get(&1)),
        (Ok(None), Ok(None))
    );
}

#[test]
fn full_journal_is_reported_and_recognises_its_keys() {
    let (clock, builder) = builder();
    let builder = builder.manual_recovery().journal(2);
    let cache = builder
        .settle_time(secs(1))
        .second_max_ttl(secs(60))
        .build();
    for key in 0..5 {
        cache.insert(&key, key).unwrap();
    }
    cache.second().fail(Fault::Refused);
    for key in 0..4 {
        cache.remove(&key).unwrap();
    }
    let stats = cache.stats();
    assert_eq!(
        (stats.journal, stats.overflowed, stats.journal_overflowed),
        (2, 2, true)
    );
    cache.second().fail(Fault::None);
    cache.first().clear().unwrap();
    cache.recover();
    assert_eq!(cache.stats().journal, 0);
    for key in 0..4 {
        assert_eq!(cache.get(&key), Ok(None));
    }
    assert_eq!(cache.get(&4), Ok(Some(4)));
    // Recognised, deleted, and believed again.
    clock.advance(secs(1));
    for key in 2..4 {
        cache.get(&key).unwrap();
        assert_eq!(cache.second().get(&key), Ok(None));
        cache.insert(&key, 10 + key).unwrap();
        cache.first().remove(&key).unwrap();
        assert_eq!(cache.get(&key), Ok(Some(10 + key)));
    }
    clock.advance(secs(60));
    assert_eq!(cache.get(&2), Ok(None));
    assert!(!cache.stats().journal_overflowed);
}

#[test]
fn first_level_hit_takes_no_lock_of_a_slow_operation() {
    let clock = Arc::new(ManualClock::new());
    let link = Link::new(0, &Arc::default(), &clock);
    let first = TtlCache::<u32, u32, _>::with_capacity(100, secs(10), Arc::clone(&clock));
    let cache = TwoLevelCache::builder(first, &link)
        .manual_recovery()
        .build();
    cache.insert(&1, 1u32).unwrap();
    // From here on the second level answers no request.
    let stuck = link.server.lock().unwrap();
    thread::scope(|scope| {
        let cache = &cache;
        let asked = link.asked.load(SeqCst);
        scope.spawn(move || cache.get(&2));
        scope.spawn(move || cache.insert(&1, 2u32));
        scope.spawn(move || cache.get_or_insert_with(&3, || 3u32));
        until(|| link.asked.load(SeqCst) == asked + 3);
        assert_eq!(cache.get(&1), Ok(Some(1)));
        assert_eq!(cache.get_or_insert_with(&1, || 9u32), Ok(1));
        assert_eq!((cache.contains(&1), cache.len()), (Ok(true), Ok(1)));
        assert_eq!(cache.stats().breaker, BreakerState::Closed);
        drop(stuck);
    });
    assert_eq!((cache.get(&1), cache.get(&3)), (Ok(Some(2)), Ok(Some(3))));
}

#[test]
fn negative_caching_reads_a_missing_key_once() {
    let (clock, builder) = builder();
    let cache = builder.negative(secs(2), 10).build();
    for _ in 0..5 {
        assert_eq!(cache.get(&1), Ok(None));
        assert_eq!(cache.get_many(&[&1]), Ok(vec![None]));
        assert_eq!(cache.contains(&1), Ok(false));
    }
    assert_eq!(
        (cache.second().asked.load(SeqCst), cache.stats().misses),
        (1, 10)
    );
    cache.second().insert_entry(&1, 1, None).unwrap();
    clock.advance(secs(2));
    assert_eq!(cache.get(&1), Ok(Some(1)));
    assert_eq!(cache.get(&2), Ok(None));
    cache.insert(&2, 2u32).unwrap();
    cache.first().remove(&2).unwrap();
    assert_eq!(cache.get(&2), Ok(Some(2)));
}

#[test]
fn write_ends_negative_caching() {
    let (_clock, builder) = builder();
    let cache = builder.negative(secs(60), 100).build();
    // Keys of one stripe look like concurrent writes to each other, and the first level does not
    // store them.
    thread::scope(|scope| {
        for thread in 0..4 {
            let cache = &cache;
            scope.spawn(move || {
                for key in (0..4_000).map(|key| 4 * key + thread) {
                    assert_eq!(cache.get(&key), Ok(None));
                    cache.insert(&key, key).unwrap();
                    assert_eq!(cache.get(&key), Ok(Some(key)));
                }
            });
        }
    });
}

#[test]
fn jitter_applies_to_the_longest_ttl() {
    let (_clock, builder) = builder();
    let cache = builder.jitter(1e-20).build();
    for ttl in [Duration::MAX, Duration::MAX - secs(1), Duration::ZERO] {
        // Whether a level can count it is for that to say.
        let _ = cache.insert_with_ttl(&1, 1u32, ttl);
    }
}

#[test]
fn jitter_differs_between_entries() {
    let (_clock, builder) = builder();
    let cache = builder.jitter(0.2).build();
    for key in 0..20 {
        cache.insert(&key, 1u32).unwrap();
    }
    let times = |level: &dyn Fn(&u32) -> u128| {
        let times: std::collections::HashSet<u128> = (0..20).map(|key| level(&key)).collect();
        let (least, most) = (times.iter().min().copied(), times.iter().max().copied());
        (times.len(), least.unwrap(), most.unwrap())
    };
    let first = |key: &u32| {
        cache
            .first()
            .get_with_ttl(key)
            .unwrap()
            .unwrap()
            .1
            .unwrap()
            .as_millis()
    };
    let second = |key: &u32| {
        cache
            .second()
            .get_with_ttl(key)
            .unwrap()
            .unwrap()
            .1
            .unwrap()
            .as_millis()
    };
    let (different, least, most) = times(&first);
    assert!(different > 10 && least >= 8_000 && most <= 10_000);
    let (different, least, most) = times(&second);
    assert!(different > 10 && least >= 48_000 && most <= 60_000);
}
