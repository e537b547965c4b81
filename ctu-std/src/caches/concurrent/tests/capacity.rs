//! Changes of the capacity.

use super::*;

#[test]
fn capacity_shrinks_and_grows_and_used_entries_stay() {
    // With many seeds of the hasher.
    (0..20).for_each(|_| shrink_and_grow());
}

fn shrink_and_grow() {
    let cache = ConcurrentCache::<u32, u32>::with_capacity(4 * SHARE);
    for key in 0..4 * SHARE as u32 {
        cache.insert(&key, key).unwrap();
    }
    // A shard may have had no room for one of them.
    (0..3).for_each(|key| cache.insert(&key, key).unwrap());
    // Often enough to be brought near.
    for _ in 0..200 {
        (0..3).for_each(|key| assert_eq!(cache.get(&key), Ok(Some(key))));
    }
    for capacity in [300, 10, 5] {
        cache.set_capacity(capacity);
        assert_eq!((cache.len(), cache.capacity()), (Ok(capacity), capacity));
        assert_eq!(cache.validate(), Ok(()));
        (0..3).for_each(|key| assert_eq!(cache.get(&key), Ok(Some(key)), "at {capacity}"));
    }
    cache.set_capacity(1);
    cache.insert(&7, 7u32).unwrap();
    assert_eq!((cache.len(), cache.get(&7)), (Ok(1), Ok(Some(7))));
    cache.set_capacity(0);
    cache.insert(&8, 8u32).unwrap();
    assert_eq!((cache.len(), cache.get(&8)), (Ok(0), Ok(None)));
    cache.set_capacity(1_000);
    for key in 0..1_000 {
        cache.insert(&key, key).unwrap();
    }
    assert_eq!((cache.len(), cache.validate()), (Ok(1_000), Ok(())));
}

#[test]
fn capacity_changes_while_threads_use_the_cache() {
    let cache = ConcurrentCache::<u32, u32>::builder(1_000)
        .max_weight(5_000, |_, value| u64::from(value % 10))
        .build();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let threads = [0, 1, 2].map(|thread| {
            let cache = &cache;
            scope.spawn(move || {
                for step in 0..10_000_u32 {
                    let key = (step * 7 + thread) % 2_000;
                    cache.insert(&key, key).unwrap();
                    assert!(
                        cache
                            .get(&(key / 2))
                            .unwrap()
                            .is_none_or(|found| found == key / 2)
                    );
                }
            })
        });
        scope.spawn(|| {
            while !done.load(Relaxed) {
                for capacity in [1_000, 3, 600, 0, 150] {
                    cache.set_capacity(capacity);
                    assert!(cache.len().unwrap() <= capacity);
                }
            }
        });
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        done.store(true, Relaxed);
    });
    assert_eq!(cache.validate(), Ok(()));
}
