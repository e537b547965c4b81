//! Operations that the second level missed, and their recovery.

use crate::{
    millis,
    remote::{Failed, Fault, Link, UNNAMED},
    secs,
    switches::{Resilient, builder, resilient, until},
};
use ctu_std::{BreakerState, Cache, CacheExt, ManualClock, TtlCache, TwoLevelCache, TwoLevelError};
use std::sync::{Arc, atomic::Ordering::SeqCst};

/// Completes the recovery of all missed operations, in any simulated time.
fn recover_all(clock: &ManualClock, cache: &Resilient) {
    for _ in 0..10_000 {
        match cache.recover() {
            Some(wait) => clock.advance(wait),
            None => return,
        }
    }
    panic!("never made good: {}", cache.stats());
}

#[test]
fn missed_clear_is_replayed() {
    let (_clock, builder) = builder();
    let cache = builder.manual_recovery().build();
    cache.insert(&1, 1u32).unwrap();
    cache.second().fail(Fault::Refused);
    assert_eq!(cache.clear(), Ok(()));
    cache.second().fail(Fault::None);
    assert_eq!(cache.get(&1), Ok(None));
    assert_eq!(cache.recover(), None);
    assert_eq!(cache.second().len(), Ok(0));
}

#[test]
fn unjournalable_operation_is_an_error_without_network() {
    let (_clock, builder) = builder();
    let cache = builder.manual_recovery().build();
    cache.insert(&1, 1u32).unwrap();
    assert_eq!(cache.retain(&mut |_| false), Ok(()));
    assert_eq!((cache.get(&1), cache.second().len()), (Ok(None), Ok(0)));
    // The condition of `retain` is not known later.
    cache.second().fail(Fault::Lost);
    let lost = cache.retain(&mut |_| true);
    assert_eq!(lost, Err(TwoLevelError::Second(Failed::Down)));
    assert_eq!(cache.stats().breaker, BreakerState::Open);
    let asked = cache.second().asked.load(SeqCst);
    let refused = cache.retain(&mut |_| true);
    assert!(matches!(refused, Err(TwoLevelError::Unavailable)));
    assert_eq!(cache.second().asked.load(SeqCst), asked);
    assert_eq!((cache.stats().errors, cache.stats().journal), (2, 0));
}

#[test]
fn unacceptable_key_does_not_block_other_replays() {
    let (clock, cache) = resilient();
    for key in 0..300 {
        cache.insert(&key, 1u32).unwrap();
    }
    let refused = cache.insert(&UNNAMED, 1u32);
    assert!(matches!(
        refused,
        Err(TwoLevelError::Second(Failed::Core(_)))
    ));
    cache.second().fail(Fault::Refused);
    // The first of them opens the breaker: the others are not sent, and so not refused.
    for key in (0..300).chain([UNNAMED]) {
        cache.remove(&key).unwrap();
    }
    assert_eq!(cache.insert(&UNNAMED, 2u32), Ok(()));
    assert_eq!(cache.stats().journal, 301);
    cache.second().fail(Fault::None);
    recover_all(&clock, &cache);
    let stats = cache.stats();
    assert_eq!((stats.journal, stats.breaker), (0, BreakerState::Closed));
    assert_eq!((cache.second().len(), stats.replayed), (Ok(0), 300));
}

#[test]
fn rejected_delete_does_not_block_other_replays() {
    let (clock, cache) = resilient();
    cache.second().fail(Fault::Refused);
    for key in 0..3 {
        cache.remove(&key).unwrap();
    }
    cache.second().fail(Fault::Blamed);
    for _ in 0..10 {
        if let Some(wait) = cache.recover() {
            clock.advance(wait);
        }
    }
    // Refused is not made good.
    assert_eq!((cache.stats().journal, cache.get(&1)), (3, Ok(None)));
    cache.second().fail(Fault::None);
    recover_all(&clock, &cache);
    assert_eq!(cache.stats().journal, 0);
}

#[test]
fn newer_missed_write_is_replayed_before_settling_ones() {
    let clock = Arc::new(ManualClock::new());
    let link = Link::new(0, &Arc::default(), &clock);
    let first = TtlCache::<u32, u32, _>::with_capacity(100, secs(10), Arc::clone(&clock));
    let cache = TwoLevelCache::builder(first, link).resilient();
    let cache = cache
        .breaker(100, secs(100))
        .settle_time(secs(3_600))
        .build();
    cache.second().fail(Fault::Lost);
    cache.insert(&1, 1u32).unwrap();
    let asked = cache.second().asked.load(SeqCst);
    cache.second().fail(Fault::None);
    // It is deleted once, and again in an hour, for which the thread waits.
    until(|| cache.second().asked.load(SeqCst) > asked);
    cache.second().fail(Fault::Refused);
    cache.remove(&2).unwrap();
    cache.second().fail(Fault::None);
    until(|| cache.stats().journal == 1);
}

#[test]
fn recovery_thread_replays_and_ends_with_the_cache() {
    let clock = Arc::new(ManualClock::new());
    let link = Arc::new(Link::new(0, &Arc::default(), &clock));
    let first = TtlCache::<u32, u32, _>::with_capacity(100, secs(10), Arc::clone(&clock));
    let cache = TwoLevelCache::builder(first, Arc::clone(&link)).resilient();
    let cache = cache
        .settle_time(millis(1))
        .open_for(millis(2), millis(4))
        .build();
    for key in 0..1_000 {
        cache.insert(&key, 1u32).unwrap();
    }
    link.fail(Fault::Refused);
    for key in 0..1_000 {
        cache.remove(&key).unwrap();
    }
    cache.insert(&1, 2u32).unwrap();
    assert_eq!(cache.stats().journal, 1_000);
    link.fail(Fault::None);
    until(|| cache.stats().journal == 0);
    assert_eq!((link.len(), cache.get(&1)), (Ok(0), Ok(Some(2))));
    let weak = Arc::downgrade(&link);
    drop((cache, link));
    until(|| weak.upgrade().is_none());
}
