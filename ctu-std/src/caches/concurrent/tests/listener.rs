//! The listener hears of each entry that leaves, once, with the cause, and may use the cache.

use super::*;
use crate::caches::concurrent::RemovalCause::{Evicted, Expired, Removed, Replaced};
use std::panic::{AssertUnwindSafe, catch_unwind};

type Heard = Arc<Mutex<Vec<(u32, u32, RemovalCause)>>>;

fn listener(heard: &Heard) -> impl Fn(&u32, &u32, RemovalCause) + Send + Sync + 'static {
    let heard = Arc::clone(heard);
    move |key, value, cause| heard.lock().push((*key, *value, cause))
}

#[test]
fn each_cause_is_reported() {
    let (heard, clock) = (Heard::default(), Arc::new(ManualClock::new()));
    let cache = ConcurrentCache::builder(3)
        .listener(listener(&heard))
        .clock(Arc::clone(&clock))
        .build();
    let left = || std::mem::take(&mut *heard.lock());
    cache.insert(&1, 10u32).unwrap();
    cache.insert(&1, 11u32).unwrap();
    assert_eq!(left(), [(1, 10, Replaced)]);
    cache.remove(&1).unwrap();
    cache.remove(&1).unwrap();
    assert_eq!(left(), [(1, 11, Removed)]);
    cache.insert(&2, 20u32).unwrap();
    assert_eq!(
        (cache.pop(&2), left()),
        (Ok(Some(20)), vec![(2, 20, Removed)])
    );
    (3..6).for_each(|key| cache.insert(&key, key).unwrap());
    cache.insert_with_ttl(&6, 6u32, SECOND).unwrap();
    let evicted = left();
    assert!(matches!(evicted[..], [(_, _, Evicted)]), "{evicted:?}");
    clock.advance(SECOND);
    assert_eq!((cache.expire(), left()), (1, vec![(6, 6, Expired)]));
    cache.insert_with_ttl(&7, 7u32, Duration::ZERO).unwrap();
    cache.insert(&8, 8u32).unwrap();
    assert_eq!(left(), [(7, 7, Expired)]);
    let mut kept: Vec<_> = cache.keys().collect();
    cache.clear().unwrap();
    let mut cleared: Vec<_> = left()
        .into_iter()
        .map(|(key, _, cause)| (key, cause))
        .collect();
    kept.sort_unstable();
    cleared.sort_unstable_by_key(|(key, _)| *key);
    assert_eq!(
        cleared,
        kept.into_iter()
            .map(|key| (key, Removed))
            .collect::<Vec<_>>()
    );
    cache.insert(&9, 9u32).unwrap();
    cache.set_capacity(0);
    cache.insert(&10, 10u32).unwrap();
    assert_eq!(left(), [(9, 9, Evicted), (10, 10, Evicted)]);
}

#[test]
fn listener_may_use_the_cache() {
    static CACHE: OnceLock<ConcurrentCache<u32, u32>> = OnceLock::new();
    let cache = CACHE.get_or_init(|| {
        let builder = ConcurrentCache::builder(4).max_weight(100, |_, _| 10);
        let listener = |key: &u32, value: &u32, _| {
            if let Some(cache) = CACHE.get()
                && *value > 0
            {
                cache.insert(&(key + 1_000), value - 1).unwrap();
                cache.remove(&(key + 1_000)).unwrap();
                cache.set_capacity(4);
            }
        };
        builder.listener(listener).build()
    });
    for key in 0..100 {
        cache.insert(&key, 2u32).unwrap();
    }
    cache.clear().unwrap();
    assert_eq!(cache.validate(), Ok(()));
}

#[test]
fn panic_of_the_listener_goes_to_the_caller_after_all_were_told() {
    let told = Arc::new(Mutex::new(0));
    let count = Arc::clone(&told);
    let cache = ConcurrentCache::<u32, u32>::builder(100)
        .max_weight(100, |_, value| u64::from(*value))
        .listener(move |_, _, _| {
            *count.lock() += 1;
            std::panic::resume_unwind(Box::new("of the listener"));
        })
        .build();
    for key in 0..100 {
        cache.insert(&key, 1u32).unwrap();
    }
    let heavy = catch_unwind(AssertUnwindSafe(|| cache.insert(&100, 100u32)));
    assert!(heavy.is_err());
    assert_eq!((*told.lock(), cache.get(&100)), (100, Ok(Some(100))));
    assert_eq!(cache.validate(), Ok(()));
    let cleared = catch_unwind(AssertUnwindSafe(|| cache.clear()));
    assert!(cleared.is_err());
    assert_eq!((cache.len(), cache.validate()), (Ok(0), Ok(())));
}

#[test]
fn each_entry_that_came_leaves_once() {
    let heard = Heard::default();
    let cache = ConcurrentCache::builder(4 * SHARE)
        .listener(listener(&heard))
        .max_weight(1_000, |key, _| u64::from(key % 5))
        .build();
    thread::scope(|scope| {
        for thread in 0..4_u32 {
            let cache = &cache;
            scope.spawn(move || {
                for step in 0..3_000 {
                    let value = thread * 3_000 + step;
                    cache.insert(&(value % 700), value).unwrap();
                    if step % 5 == 0 {
                        cache.remove(&((value + 3) % 700)).unwrap();
                    }
                }
            });
        }
    });
    cache.clear().unwrap();
    let mut values: Vec<_> = heard.lock().iter().map(|(_, value, _)| *value).collect();
    values.sort_unstable();
    assert_eq!(values, (0..12_000).collect::<Vec<_>>());
}
