//! `TtlCache` with clocks that stop, wrap, jump or go back.

use crate::support::{DAY, Dial, MINUTE, SECOND};
use core::time::Duration;
use ctu_core::{Cache as _, CacheExt as _, SpinCache, TtlCache};

type Cache<'c, const N: usize> = TtlCache<u32, u32, N, &'c Dial>;

pub(crate) fn stopped_clock_expires_nothing() {
    let clock = Dial::at(99);
    let mut cache = Cache::<3>::new(Duration::from_millis(1), &clock);
    for key in 0..10 {
        cache.insert(key, key);
        assert_eq!(cache.get(&key), Some(&key));
    }
    assert_eq!((cache.expire(), cache.len()), (0, 3));
}

pub(crate) fn wrapped_clock_keeps_deadlines() {
    let clock = Dial::<32>::at(u64::from(u32::MAX) - 1_500);
    let mut cache = TtlCache::<u32, u32, 4, _>::new(3 * SECOND, &clock);
    cache.insert(1, 10);
    clock.pass(2 * SECOND);
    assert_eq!(cache.get(&1), Some(&10));
    cache.insert(2, 20);
    clock.pass(SECOND);
    assert_eq!((cache.get(&1).copied(), cache.get(&2).copied()), (None, Some(20)));
    // Several wraps, with uses of the store in between.
    for _ in 0..5 {
        assert_eq!(cache.insert_with_ttl(3, 30, 11 * DAY), Ok(None));
        clock.pass(10 * DAY);
        assert_eq!(cache.get(&3), Some(&30));
        clock.pass(DAY);
        assert_eq!(cache.get(&3), None);
    }
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn small_step_back_pauses_the_time() {
    let clock = Dial::at(10_000);
    let mut cache = Cache::<2>::new(SECOND, &clock);
    cache.insert(1, 10);
    // The clock of another core is slightly behind: the time waits for it.
    clock.turn_back_ms(300);
    assert_eq!(cache.get(&1), Some(&10));
    assert_eq!(cache.remaining(&1), Some(SECOND));
    clock.pass_ms(300 + 999);
    assert_eq!(cache.get(&1), Some(&10));
    clock.pass_ms(1);
    assert_eq!(cache.get(&1), None);
    clock.turn_back_ms(900);
    assert_eq!(cache.get(&1), None);
}

pub(crate) fn clock_set_back_keeps_live_and_expired() {
    let clock = Dial::at(1_000_000);
    let mut cache = Cache::<3>::new(MINUTE, &clock);
    cache.insert(1, 10);
    clock.pass(30 * SECOND);
    cache.insert(2, 20);
    assert_eq!(cache.insert_with_ttl(3, 30, SECOND), Ok(None));
    clock.pass(SECOND);
    assert_eq!(cache.get(&3), None);
    // Live entries stay live, expired ones stay expired, and the time continues from there.
    clock.turn_back_ms(500_000);
    assert_eq!([1, 2, 3].map(|key| cache.contains(&key)), [true, true, false]);
    cache.expire();
    clock.pass(29 * SECOND);
    assert_eq!([1, 2].map(|key| cache.get(&key).copied()), [None, Some(20)]);
    clock.pass(30 * SECOND);
    assert_eq!(cache.get(&2), None);
}

pub(crate) fn jump_ahead_counts_as_elapsed_time() {
    let clock = Dial::at(0);
    let mut cache = Cache::<3>::new(MINUTE, &clock);
    cache.insert(1, 10);
    clock.pass(400 * DAY);
    assert_eq!(cache.get(&1), None);
    cache.insert(2, 20);
    clock.pass(MINUTE - SECOND);
    assert_eq!(cache.get(&2), Some(&20));
    clock.pass(SECOND);
    assert_eq!(cache.get(&2), None);
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn lookup_through_a_lock_advances_the_time() {
    let clock = Dial::<64>::at(1_000);
    let store = TtlCache::<u32, u32, 4, _>::new(10 * SECOND, &clock);
    let cache = SpinCache::new(store);
    assert_eq!(cache.insert(&1, 10), Ok(()));
    clock.pass(20 * SECOND);
    // A lookup alone advances the time, and a clock set back does not undo it.
    assert_eq!(cache.contains(&1), Ok(false));
    clock.turn_back_ms(15_000);
    assert_eq!((cache.contains(&1), cache.get(&1)), (Ok(false), Ok(None)));
}

pub(crate) fn miss_advances_the_time() {
    // A clock that wraps after 65 seconds, read by one miss a second.
    let clock = Dial::<16>::at(0);
    let mut cache = TtlCache::<u32, u32, 4, _>::new(10 * SECOND, &clock);
    cache.insert(1, 10);
    for _ in 0..66 {
        clock.pass(SECOND);
        assert_eq!(cache.get(&2), None);
    }
    assert_eq!(cache.get(&1), None);
}

pub(crate) fn time_continues_after_a_wild_clock() {
    let clock = Dial::<64>::at(0);
    let mut cache = TtlCache::<u32, u32, 4, _>::new(60 * SECOND, &clock);
    for _ in 0..8 {
        clock.pass_ms(1 << 62);
        cache.insert(1, 10);
    }
    clock.pass(SECOND);
    assert_eq!(cache.get(&1), Some(&10));
    cache.clear();
    cache.insert(2, 20);
    clock.pass(59 * SECOND);
    assert_eq!(cache.get(&2), Some(&20));
    clock.pass(SECOND);
    assert_eq!(cache.get(&2), None);
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn alternating_clocks_expire_early() {
    // As documented: each step ahead of a clock that alternates by two seconds counts.
    let clock = Dial::<64>::at(0);
    let mut cache = Cache::<2>::new(60 * SECOND, &clock);
    cache.insert(1, 10);
    for _ in 0..29 {
        clock.pass(2 * SECOND);
        assert_eq!(cache.get(&1), Some(&10));
        clock.turn_back_ms(2_000);
        assert_eq!(cache.get(&1), Some(&10));
    }
    clock.pass(2 * SECOND);
    assert_eq!(cache.get(&1), None);
}

pub(crate) fn deadlines_work_beyond_32_bits() {
    // Deadlines have 32 bits of milliseconds, 49 days; a store lives for years.
    let clock = Dial::at(0);
    let mut cache = Cache::<4>::new(DAY, &clock);
    for day in 0..800 {
        cache.insert(1, day);
        assert!(cache.insert_with_ttl(2, day, 2 * DAY).is_ok());
        clock.pass(DAY - SECOND);
        assert_eq!(cache.get(&1), Some(&day));
        clock.pass(SECOND);
        assert_eq!(cache.get(&1), None);
        assert_eq!(cache.remaining(&2), Some(DAY));
        assert_eq!(cache.validate(), Ok(()));
    }
}

pub(crate) fn expired_entries_stay_expired_when_ticks_wrap() {
    // Steps that bring each deadline ahead of the wrapped tick, with few writes in between.
    for days in [5, 12, 24, 30, 49, 50, 98] {
        let clock = Dial::at(0);
        let mut cache = Cache::<8>::new(MINUTE, &clock);
        for key in 0..8 {
            assert_eq!(cache.insert_with_ttl(key, key, (key + 1) * DAY), Ok(None));
        }
        clock.pass(8 * DAY);
        for round in 0..20 {
            assert!((0..8).all(|key| !cache.contains(&key) && cache.get(&key).is_none()));
            if round % 4 == 1 {
                cache.insert(10, round);
                assert_eq!(cache.get(&10), Some(&round));
                assert_eq!(cache.remaining(&10), Some(MINUTE));
            }
            assert_eq!(cache.validate(), Ok(()));
            clock.pass(days * DAY);
            assert_eq!((cache.iter().count(), cache.get(&10)), (0, None));
        }
        cache.expire();
        assert_eq!(cache.len(), 0);
    }
}

pub(crate) fn idle_store_may_expire_entries_early() {
    // As documented: three writes in 45 days, in a store with many entries that have expired.
    let clock = Dial::at(0);
    let mut cache = Cache::<8>::new(MINUTE, &clock);
    cache.extend((0..8).map(|key| (key, key)));
    clock.pass(36 * DAY);
    assert_eq!(cache.insert_with_ttl(8, 80, 12 * DAY), Ok(None));
    clock.pass(DAY / 2);
    assert_eq!(cache.get(&8), Some(&80));
    clock.pass(8 * DAY);
    assert_eq!(cache.get(&8), None);
    // Each write of a new key removes one of them, so that eight are enough.
    assert_eq!(cache.insert_with_ttl(9, 90, 12 * DAY), Ok(None));
    cache.extend((20..27).map(|key| (key, key)));
    assert_eq!(cache.get(&9), Some(&90));
    clock.pass(11 * DAY);
    assert_eq!(cache.get(&9), Some(&90));
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn entry_expires_at_most_one_tick_early() {
    // A time-to-live of ten years is counted in units of more than a millisecond.
    let clock = Dial::at(0);
    let years = 3_650 * 86_400_000;
    let mut cache = Cache::<2>::new(Duration::from_millis(years), &clock);
    cache.insert(1, 10);
    clock.pass_ms(777);
    cache.insert(2, 20);
    let early = years / 268_000_000 + 1;
    clock.pass_ms(years - early);
    assert_eq!(cache.get(&2), Some(&20));
    clock.pass_ms(early);
    assert_eq!(cache.get(&2), None);
}
