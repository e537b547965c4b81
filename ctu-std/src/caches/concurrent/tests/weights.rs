//! Weights: the limit is exact, for any weights and from any thread.

use super::*;

type Weighed = ConcurrentCache<u32, u64>;

/// The value is the weight.
fn weighed(capacity: usize, max: u64) -> Weighed {
    let builder = ConcurrentCache::builder(capacity);
    builder.max_weight(max, |_, value| *value).build()
}

#[test]
fn weight_and_number_of_entries_are_limited_at_once() {
    let cache = weighed(10, 100);
    for key in 0..20 {
        cache.insert(&key, 30u64).unwrap();
    }
    assert_eq!((cache.len(), cache.weight()), (Ok(3), 90));
    for key in 20..60 {
        cache.insert(&key, 1u64).unwrap();
    }
    assert_eq!(cache.len(), Ok(10));
    assert_eq!(cache.validate(), Ok(()));
}

#[test]
fn entry_heavier_than_the_cache_is_refused_and_changes_nothing() {
    let cache = weighed(10, 100);
    cache.insert(&1, 100u64).unwrap();
    let refused = cache.insert(&1, 101u64);
    let error = Error::EntryTooHeavy {
        weight: 101,
        max: 100,
    };
    assert_eq!(refused, Err(error));
    assert_eq!(error.to_string(), "entry of weight 101, at most 100 fit");
    assert_eq!((cache.get(&1), cache.weight()), (Ok(Some(100)), 100));
    assert_eq!(cache.set_max_weight(50), Ok(()));
    assert_eq!((cache.len(), cache.weight()), (Ok(0), 0));
    assert_eq!(cache.validate(), Ok(()));
    let unweighed = Weighed::with_capacity(10);
    assert!(matches!(
        unweighed.set_max_weight(1),
        Err(Error::OutOfRange { .. })
    ));
}

#[test]
fn entry_as_heavy_as_the_cache_evicts_all_others_of_all_shards() {
    let cache = weighed(100 * SHARE, 1_000);
    for key in 0..1_000 {
        cache.insert(&key, 1u64).unwrap();
    }
    assert_eq!((cache.len(), cache.weight()), (Ok(1_000), 1_000));
    cache.insert(&1_000, 1_000u64).unwrap();
    assert_eq!((cache.len(), cache.get(&1_000)), (Ok(1), Ok(Some(1_000))));
    assert_eq!(cache.validate(), Ok(()));
    // A light one makes the heavy one leave, in another shard, too.
    for key in 0..10 {
        cache.insert(&key, 10u64).unwrap();
        assert_eq!(cache.get(&key), Ok(Some(10)));
    }
    assert_eq!(cache.weight(), 100);
}

#[test]
fn weights_of_0_and_u64_max_are_accepted() {
    let cache = weighed(10, u64::MAX);
    cache.insert(&1, u64::MAX).unwrap();
    cache.insert(&2, 0u64).unwrap();
    assert_eq!((cache.len(), cache.weight()), (Ok(2), u64::MAX));
    cache.insert(&3, u64::MAX).unwrap();
    assert_eq!(
        (cache.get(&3), cache.weight()),
        (Ok(Some(u64::MAX)), u64::MAX)
    );
    cache.insert(&3, 1u64).unwrap();
    assert_eq!((cache.get(&3), cache.weight()), (Ok(Some(1)), 1));
    assert_eq!(cache.validate(), Ok(()));
    let cache = weighed(10, 0);
    (0..20).for_each(|key| cache.insert(&key, 0u64).unwrap());
    assert_eq!((cache.len(), cache.weight()), (Ok(10), 0));
    assert_eq!(
        cache.insert(&1, 1u64),
        Err(Error::EntryTooHeavy { weight: 1, max: 0 })
    );
    let cache = weighed(0, 100);
    cache.insert(&1, 1u64).unwrap();
    assert_eq!((cache.len(), cache.weight()), (Ok(0), 0));
}

#[test]
fn a_replacement_may_be_heavier_or_lighter() {
    let cache = weighed(1_000, 100);
    for key in 0..10 {
        cache.insert(&key, 10u64).unwrap();
    }
    cache.insert(&5, 95u64).unwrap();
    assert_eq!((cache.get(&5), cache.len()), (Ok(Some(95)), Ok(1)));
    cache.insert(&5, 1u64).unwrap();
    assert_eq!((cache.weight(), cache.validate()), (1, Ok(())));
    assert_eq!((cache.pop(&5), cache.weight()), (Ok(Some(1)), 0));
}

#[test]
fn bytes_of_keys_and_values_are_limited() {
    let cache = ConcurrentCache::<String, Vec<u8>>::builder(1_000)
        .max_bytes(10_000)
        .build();
    for key in 0..100_u32 {
        cache.insert(&*key.to_string(), vec![0; 900]).unwrap();
        assert!(cache.weight() <= 10_000);
    }
    assert!((8..=10).contains(&cache.len().unwrap()));
    let refused = cache.insert("large", vec![0; 20_000]);
    assert!(matches!(
        refused,
        Err(Error::EntryTooHeavy { max: 10_000, .. })
    ));
}

#[test]
fn weight_is_never_above_the_limit_with_many_threads() {
    let cache = weighed(4 * SHARE, 1_000);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers = [0, 1, 2, 3].map(|thread: u32| {
            let cache = &cache;
            scope.spawn(move || {
                let mut random = crate::random::Random::new(thread.into());
                for _ in 0..5_000 {
                    let key = random.up_to(2_000) as u32;
                    let weight = match random.next() % 100 {
                        0 => random.up_to(1_000),
                        _ => random.up_to(9),
                    };
                    match random.next() % 8 {
                        0 => drop(cache.remove(&key).unwrap()),
                        _ => cache.insert(&key, weight).unwrap(),
                    }
                }
            })
        });
        scope.spawn(|| {
            while !done.load(Relaxed) {
                assert!(cache.weight() <= 1_000);
            }
        });
        writers
            .into_iter()
            .for_each(|writer| writer.join().unwrap());
        done.store(true, Relaxed);
    });
    assert_eq!(cache.validate(), Ok(()));
    cache.clear().unwrap();
    assert_eq!((cache.weight(), cache.validate()), (0, Ok(())));
}

#[test]
fn constant_hashes_lose_no_weight() {
    let cache = weighed(4 * SHARE, 100).with_hasher(Constant);
    for key in 0..1_000 {
        cache.insert(&key, u64::from(key % 7)).unwrap();
        assert_eq!(cache.get(&key), Ok(Some(u64::from(key % 7))));
    }
    assert_eq!(cache.validate(), Ok(()));
}
