//! `TtlCache`: entries expire.

use crate::support::{DAY, Dial, MINUTE, Random, SECOND};
use core::time::Duration;
use ctu_core::{Error, SmallTtlCache, TtlCache, stores::Sweep};

type Cache<'c, const N: usize> = TtlCache<u32, u32, N, &'c Dial>;

pub(crate) fn entry_expires_after_its_ttl() {
    let clock = Dial::at(5_000);
    let mut cache = Cache::<4>::new(MINUTE, &clock);
    cache.insert(1, 10);
    clock.pass(MINUTE - Duration::from_millis(1));
    assert_eq!(cache.get(&1), Some(&10));
    assert_eq!(cache.get_mut(&1), Some(&mut 10));
    assert_eq!(cache.peek(&1), Some(&10));
    assert!(cache.contains(&1));
    clock.pass_ms(1);
    assert_eq!(cache.peek(&1), None);
    assert!(!cache.contains(&1));
    assert_eq!(cache.remaining(&1), None);
    assert_eq!(cache.get(&1), None);
    assert_eq!(cache.remove(&1), None);
    assert_eq!((cache.ttl(), cache.len()), (MINUTE, 0));
}

pub(crate) fn each_entry_has_its_own_ttl() {
    let clock = Dial::at(0);
    let mut cache = Cache::<8>::new(MINUTE, &clock);
    assert_eq!(cache.insert_with_ttl(1, 10, 3 * SECOND), Ok(None));
    assert_eq!(cache.insert_with_ttl(2, 20, SECOND), Ok(None));
    assert_eq!(cache.insert_with_ttl(3, 30, 2 * MINUTE), Ok(None));
    assert_eq!(cache.insert(4, 40), None);
    let live = |cache: &Cache<'_, 8>| [1, 2, 3, 4].map(|key| cache.contains(&key));
    assert_eq!(live(&cache), [true; 4]);
    clock.pass(SECOND);
    assert_eq!(live(&cache), [true, false, true, true]);
    clock.pass(2 * SECOND);
    assert_eq!(live(&cache), [false, false, true, true]);
    clock.pass(MINUTE - 3 * SECOND);
    assert_eq!(live(&cache), [false, false, true, false]);
    clock.pass(MINUTE);
    assert_eq!(live(&cache), [false; 4]);
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn expired_entry_is_evicted_before_a_live_one() {
    let clock = Dial::at(0);
    let mut cache = Cache::<3>::new(MINUTE, &clock);
    cache.insert(1, 10);
    cache.insert(2, 20);
    assert_eq!(cache.insert_with_ttl(3, 30, SECOND), Ok(None));
    // 1 is the least recently used and 3 the most recently used, but 3 has expired.
    clock.pass(SECOND);
    assert_eq!(cache.insert(4, 40), None);
    assert_eq!([1, 3].map(|key| cache.get(&key).copied()), [Some(10), None]);
    assert_eq!(cache.validate(), Ok(()));

    // The same for an expired entry with the default time-to-live.
    let mut cache = Cache::<2>::new(SECOND, &clock);
    cache.insert(1, 10);
    assert_eq!(cache.insert_with_ttl(2, 20, MINUTE), Ok(None));
    cache.get(&1);
    clock.pass(SECOND);
    assert_eq!(cache.insert(3, 30), None);
    assert_eq!(cache.get(&2), Some(&20));
}

pub(crate) fn evicts_the_least_recently_used_live_entry() {
    let clock = Dial::at(0);
    let mut cache = Cache::<3>::new(MINUTE, &clock);
    for key in 1..=3 {
        cache.insert(key, key * 10);
        clock.pass(SECOND);
    }
    cache.get(&1);
    assert_eq!(cache.insert(4, 40), Some((2, 20)));
    assert_eq!(cache.pop_lru(), Some((3, 30)));
    assert_eq!(cache.pop_lru(), Some((1, 10)));
    clock.pass(MINUTE);
    assert_eq!(cache.pop_lru(), None);
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn insert_does_not_return_an_expired_entry() {
    let clock = Dial::at(0);
    let mut cache = Cache::<1>::new(SECOND, &clock);
    assert_eq!(cache.insert(1, 10), None);
    assert_eq!(cache.insert(1, 11), Some((1, 10)));
    clock.pass(SECOND);
    assert_eq!(cache.insert(1, 12), None);
    clock.pass(SECOND);
    assert_eq!(cache.insert(2, 20), None);
    assert_eq!(cache.insert(3, 30), Some((2, 20)));
}

pub(crate) fn rewrite_restarts_the_ttl() {
    let clock = Dial::at(0);
    let mut cache = Cache::<2>::new(3 * SECOND, &clock);
    cache.insert(1, 10);
    clock.pass(2 * SECOND);
    cache.insert(1, 11);
    clock.pass(2 * SECOND);
    assert_eq!(cache.get(&1), Some(&11));
    // A shorter time-to-live, then a longer one.
    assert_eq!(cache.insert_with_ttl(1, 12, SECOND), Ok(Some((1, 11))));
    assert_eq!(cache.insert_with_ttl(1, 13, MINUTE), Ok(Some((1, 12))));
    clock.pass(30 * SECOND);
    assert_eq!(cache.get(&1), Some(&13));
    cache.insert(1, 14);
    clock.pass(3 * SECOND);
    assert_eq!(cache.get(&1), None);
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn lookup_does_not_extend_the_ttl() {
    let clock = Dial::at(0);
    let mut cache = Cache::<2>::new(3 * SECOND, &clock);
    cache.insert(1, 10);
    for _ in 0..2 {
        clock.pass(SECOND);
        assert_eq!(cache.get(&1), Some(&10));
    }
    clock.pass(SECOND);
    assert_eq!(cache.get(&1), None);
}

pub(crate) fn expire_removes_expired_entries() {
    let clock = Dial::at(0);
    let mut cache = Cache::<8>::new(MINUTE, &clock);
    for key in 0..4 {
        cache.insert(key, key);
        assert_eq!(
            cache.insert_with_ttl(key + 4, key, (key + 1) * SECOND),
            Ok(None)
        );
    }
    assert_eq!(cache.expire(), 0);
    clock.pass(2 * SECOND);
    assert_eq!((cache.len(), cache.expire(), cache.len()), (8, 2, 6));
    assert_eq!(cache.validate(), Ok(()));
    clock.pass(SECOND);
    assert_eq!((cache.pop_expired(), cache.pop_expired()), (Some((6, 2)), None));
    assert_eq!(cache.validate(), Ok(()));
    clock.pass(MINUTE);
    assert_eq!((cache.expire(), cache.len()), (5, 0));
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn remaining_returns_the_time_left() {
    let clock = Dial::at(123);
    let mut cache = Cache::<2>::new(MINUTE, &clock);
    cache.insert(1, 10);
    assert_eq!(cache.insert_with_ttl(2, 20, SECOND), Ok(None));
    assert_eq!(cache.remaining(&1), Some(MINUTE));
    assert_eq!(cache.remaining(&2), Some(SECOND));
    clock.pass_ms(400);
    assert_eq!(cache.remaining(&2), Some(Duration::from_millis(600)));
    assert_eq!(cache.remaining(&3), None);
}

pub(crate) fn iteration_skips_expired_entries() {
    let clock = Dial::at(0);
    let mut cache = Cache::<4>::new(MINUTE, &clock);
    cache.insert(1, 10);
    assert_eq!(cache.insert_with_ttl(2, 20, SECOND), Ok(None));
    cache.insert(3, 30);
    assert!(cache.iter().eq([(&3, &30), (&2, &20), (&1, &10)]));
    clock.pass(SECOND);
    assert!(cache.iter().eq([(&3, &30), (&1, &10)]));
    assert!(cache.iter().rev().eq([(&1, &10), (&3, &30)]));
    cache.retain(|key, _| *key != 1);
    assert!(cache.iter().eq([(&3, &30)]));
    cache.clear();
    assert_eq!((cache.iter().count(), cache.len()), (0, 0));
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn iteration_by_value_skips_expired_entries() {
    let clock = Dial::at(0);
    let mut cache = Cache::<4>::new(2 * SECOND, &clock);
    cache.extend([(1, 10), (2, 20)]);
    clock.pass(SECOND);
    cache.insert(3, 30);
    clock.pass(SECOND);
    assert!((&cache).into_iter().eq([(&3, &30)]));
    assert!(cache.into_iter().eq([(3, 30)]));
}

pub(crate) fn write_of_a_new_key_removes_an_expired_entry() {
    let clock = Dial::at(0);
    let mut cache = Cache::<8>::new(SECOND, &clock);
    cache.extend([(1, 10), (2, 20), (3, 30)]);
    clock.pass(SECOND);
    assert_eq!((cache.insert(4, 40), cache.len()), (None, 3));
    assert_eq!((cache.insert(5, 50), cache.len()), (None, 3));
    // The old value is in the place of a removed entry.
    assert_eq!((cache.insert(5, 51), cache.len()), (Some((5, 50)), 3));
    assert_eq!((cache.insert(6, 60), cache.len()), (None, 3));
    assert_eq!((cache.insert(7, 70), cache.len()), (None, 4));
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn retain_in_steps_removes_expired_entries() {
    let clock = Dial::at(0);
    let mut cache = Cache::<8>::new(MINUTE, &clock);
    for key in 0..4 {
        cache.insert(key, key);
        assert_eq!(cache.insert_with_ttl(key + 4, key, SECOND), Ok(None));
    }
    clock.pass(SECOND);
    let mut sweep = Sweep::new();
    while cache.retain_step(&mut sweep, 2, |key, _| {
        assert!(*key < 4, "an expired entry is not live");
        *key != 1
    }) {
        assert_eq!(cache.validate(), Ok(()));
    }
    assert_eq!((cache.len(), cache.get(&1)), (3, None));
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn zero_ttl_expires_at_once() {
    let clock = Dial::at(7);
    let mut cache = Cache::<2>::new(MINUTE, &clock);
    cache.insert(1, 10);
    assert!(cache.insert_with_ttl(1, 11, Duration::ZERO).is_ok());
    assert_eq!(cache.get(&1), None);
    let mut cache = Cache::<2>::new(Duration::ZERO, &clock);
    cache.insert(1, 10);
    assert_eq!(cache.get(&1), None);
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn ttl_above_the_maximum_is_an_error() {
    let clock = Dial::at(0);
    let mut cache = Cache::<2>::new(MINUTE, &clock);
    cache.insert(1, 10);
    let max = cache.max_ttl();
    assert!(max >= 12 * DAY);
    let refused = Err(Error::TtlTooLong { max });
    assert_eq!(cache.insert_with_ttl(1, 11, Duration::MAX), refused);
    assert_eq!(cache.insert_with_ttl(2, 20, max + SECOND), refused);
    assert_eq!([1, 2].map(|key| cache.get(&key).copied()), [Some(10), None]);
}

pub(crate) fn maximum_ttl_is_accepted() {
    let clock = Dial::at(0);
    let mut cache = Cache::<2>::new(MINUTE, &clock);
    let max = cache.max_ttl();
    assert_eq!(cache.insert_with_ttl(1, 10, max), Ok(None));
    clock.pass(max - SECOND);
    assert_eq!(cache.get(&1), Some(&10));
    clock.pass(SECOND);
    assert_eq!(cache.get(&1), None);
}

pub(crate) fn entry_takes_sixteen_bytes_over_key_and_value() {
    fn an_entry<K, V>() -> usize {
        (size_of::<TtlCache<K, V, 128, Dial>>() - size_of::<TtlCache<K, V, 64, Dial>>()) / 64
    }
    assert!(an_entry::<u32, u32>() <= 4 + 4 + 16);
    assert!(an_entry::<u8, u8>() <= 1 + 1 + 16);
    assert!(an_entry::<u16, [u8; 3]>() <= 2 + 3 + 16);
}

pub(crate) fn entry_of_a_small_store_takes_ten_bytes_over_key_and_value() {
    fn an_entry<K, V>() -> usize {
        let small = size_of::<SmallTtlCache<K, V, 64, Dial>>();
        (size_of::<SmallTtlCache<K, V, 128, Dial>>() - small) / 64
    }
    assert!(an_entry::<u32, u32>() <= 4 + 4 + 10);
    assert!(an_entry::<u8, u8>() <= 1 + 1 + 10);
}

pub(crate) fn ttl_of_a_store_can_be_set() {
    let clock = Dial::at(0);
    let mut cache = Cache::<2>::new(Duration::ZERO, &clock);
    assert_eq!(cache.set_ttl(MINUTE), Ok(()));
    cache.insert(1, 10);
    assert_eq!(cache.set_ttl(SECOND), Ok(()));
    cache.insert(2, 20);
    assert_eq!([1, 2].map(|key| cache.remaining(&key)), [Some(MINUTE), Some(SECOND)]);
    let max = cache.max_ttl();
    assert_eq!(cache.set_ttl(2 * max), Err(Error::TtlTooLong { max }));
    assert_eq!(cache.ttl(), SECOND);
    cache.clear();
    assert_eq!((cache.set_ttl(2 * max), cache.ttl()), (Ok(()), 2 * max));
    cache.insert(1, 10);
    clock.pass(max);
    assert_eq!(cache.get(&1), Some(&10));
}

pub(crate) fn computed_values_expire() {
    let clock = Dial::at(0);
    let mut cache = Cache::<2>::new(SECOND, &clock);
    assert_eq!(cache.get_or_insert_with(1, || 10), Some(&mut 10));
    assert_eq!(cache.try_get_or_insert_with(1, || Err(())), Ok(Some(&mut 10)));
    clock.pass(SECOND);
    assert_eq!(cache.try_get_or_insert_with(1, || Err(())), Err(()));
    assert_eq!(cache.get_or_insert_with(1, || 11), Some(&mut 11));
    assert_eq!((cache.len(), cache.validate()), (1, Ok(())));
}

pub(crate) fn order_and_values_of_live_entries_can_be_changed() {
    let clock = Dial::at(0);
    let mut cache = Cache::<4>::new(MINUTE, &clock);
    cache.extend([(1, 10), (2, 20), (3, 30)]);
    assert_eq!(cache.insert_with_ttl(4, 40, SECOND), Ok(None));
    clock.pass(SECOND);
    assert!(!cache.promote(&4) && !cache.demote(&4));
    assert!(cache.promote(&1) && cache.demote(&3));
    assert_eq!(cache.iter_mut().map(|(_, value)| *value += 1).count(), 3);
    assert!(cache.iter().eq([(&1, &11), (&2, &21), (&3, &31)]));
    assert_eq!(cache.pop_mru(), Some((1, 11)));
    assert_eq!((cache.pop_lru(), cache.len()), (Some((3, 31)), 1));
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn random_operations_agree_with_a_list() {
    const N: usize = 5;
    let mut random = Random::new(0x7E57_AB1E);
    let clock = Dial::at(0);
    let mut cache = Cache::<N>::new(Duration::from_millis(20), &clock);
    // Key, value and deadline, the most recently used first.
    let mut list = heapless::Vec::<(u32, u32, u64), { N + 1 }>::new();
    let mut now = 0;
    for step in 0..1_500 {
        let passed = u64::from(random.below(4));
        now += passed;
        clock.pass_ms(passed);
        list.retain(|entry| entry.2 > now);
        let key = random.below(9);
        let at = list.iter().position(|entry| entry.0 == key);
        match random.below(8) {
            0..=3 => {
                let (ttl, displaced) = if random.below(2) == 0 {
                    (20, Ok(cache.insert(key, step)))
                } else {
                    let ttl = random.below(60);
                    let own = Duration::from_millis(ttl.into());
                    (ttl, cache.insert_with_ttl(key, step, own))
                };
                let old = at.map(|at| list.remove(at));
                assert!(list.insert(0, (key, step, now + u64::from(ttl))).is_ok());
                let evicted = if list.len() > N { list.pop() } else { None };
                assert_eq!(displaced, Ok(old.or(evicted).map(|entry| (entry.0, entry.1))));
                list.retain(|entry| entry.2 > now);
            }
            4..=6 => {
                let found = cache.get(&key).copied();
                let expected = at.map(|at| list.remove(at));
                assert_eq!(found, expected.map(|entry| entry.1));
                if let Some(entry) = expected {
                    assert!(list.insert(0, entry).is_ok());
                }
            }
            _ => assert_eq!(cache.remove(&key), at.map(|at| list.remove(at).1)),
        }
        assert_eq!(cache.validate(), Ok(()));
        let live = list.iter().map(|entry| (entry.0, entry.1));
        assert!(cache.iter().map(|(k, v)| (*k, *v)).eq(live));
    }
}
