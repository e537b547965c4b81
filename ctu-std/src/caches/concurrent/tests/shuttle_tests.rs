//! Orders in which threads can meet in a `ConcurrentCache`, tried at random by shuttle.

use super::{ConcurrentCache, SHARE};
use crate::behaviours::shuttle::{in_many_orders, spawn};
use ctu_core::{Cache, CacheExt};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

type Explored = ConcurrentCache<u32, u32>;

fn with_capacity(capacity: usize) -> Arc<Explored> {
    Arc::new(ConcurrentCache::with_capacity(capacity))
}

/// Runs threads to their end.
fn join<T>(threads: impl IntoIterator<Item = shuttle::thread::JoinHandle<T>>) {
    threads
        .into_iter()
        .for_each(|thread| drop(thread.join().unwrap()));
}

/// Two threads look up key 1 while `write` changes it in steps, each of which it announces. Returns
/// the number of explored orders in which the entry was near a thread at the end.
fn look_up_beside(write: fn(&Explored, &AtomicU32), is_shown: fn(Option<u32>, u32) -> bool) -> u32 {
    let near = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&near);
    in_many_orders(move || {
        let cache = with_capacity(10);
        cache.insert(&1, 0u32).unwrap();
        let done = Arc::new(AtomicU32::new(0));
        let announced = Arc::clone(&done);
        let writer = spawn(&cache, move |cache| write(cache, &announced));
        let readers = [(); 2].map(|()| {
            let done = Arc::clone(&done);
            spawn(&cache, move |cache| {
                for _ in 0..3 {
                    let before = done.load(SeqCst);
                    let found = cache.get(&1).unwrap();
                    assert!(is_shown(found, before), "{found:?} after step {before}");
                }
            })
        });
        join(readers.into_iter().chain([writer]));
        assert_eq!(cache.validate(), Ok(()));
        count.fetch_add(u32::from(!cache.near.entries().is_empty()), SeqCst);
    });
    near.load(SeqCst)
}

#[test]
fn read_after_a_write_shows_that_write_or_a_later_one() {
    let near = look_up_beside(
        |cache, done| {
            for step in 1..4 {
                cache.insert(&1, step).unwrap();
                done.store(step, SeqCst);
            }
        },
        |found, before| found.is_some_and(|found| found >= before),
    );
    assert!(near > 0);
}

#[test]
fn removed_entry_is_not_found() {
    look_up_beside(
        |cache, done| {
            assert_eq!(cache.remove(&1), Ok(true));
            done.store(1, SeqCst);
            cache.insert(&2, 2u32).unwrap();
            cache.clear().unwrap();
        },
        |found, before| before == 0 || found.is_none(),
    );
}

#[test]
fn no_change_by_compute_is_lost() {
    in_many_orders(|| {
        let cache = with_capacity(10);
        join([(); 3].map(|()| {
            spawn(&cache, |cache| {
                cache.get(&1).unwrap();
                let add = |count: Option<&u32>| count.map_or(1, |count| count + 1);
                cache.upsert_with(&1, add).unwrap();
            })
        }));
        assert_eq!((cache.peek(&1), cache.validate()), (Some(3), Ok(())));
    });
}

#[test]
fn weight_stays_below_its_limit_and_each_entry_leaves_once() {
    const MAX: u64 = 3;
    in_many_orders(|| {
        let left = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&left);
        // Several shards: the heaviest makes room for an entry of another.
        let cache = ConcurrentCache::<u32, u32>::builder(4 * SHARE)
            .max_weight(MAX, |key, _| u64::from(key % 3))
            .listener(move |_, _, _| {
                count.fetch_add(1, SeqCst);
            })
            .build();
        let cache = Arc::new(cache);
        join([0, 10, 20].map(|first| {
            spawn(&cache, move |cache| {
                for key in first..first + 3 {
                    cache.insert(&key, key).unwrap();
                    assert!(cache.weight() <= MAX);
                }
                cache.remove(&first).unwrap();
            })
        }));
        assert_eq!(cache.validate(), Ok(()));
        let there = cache.len().unwrap() as u32;
        assert_eq!(left.load(SeqCst) + there, 9);
    });
}

/// Sets a capacity while other threads write and read.
fn shrink(capacity: usize) -> Arc<Explored> {
    let cache = with_capacity(4 * SHARE);
    (0..4).for_each(|key| cache.insert(&key, key).unwrap());
    join([
        spawn(&cache, move |cache| cache.set_capacity(capacity)),
        spawn(&cache, |cache| {
            (4..7).for_each(|key| cache.insert(&key, key).unwrap());
        }),
        spawn(&cache, move |cache| {
            for key in 0..4 {
                let found = cache.get(&key).unwrap();
                assert!(found == Some(key) || found.is_none() && capacity < 7);
            }
        }),
    ]);
    assert_eq!((cache.validate(), cache.capacity()), (Ok(()), capacity));
    cache
}

#[test]
fn smaller_capacity_bounds_the_entries_of_every_writer() {
    in_many_orders(|| assert!(shrink(2).len().unwrap() <= 2));
}

#[test]
fn entries_with_room_stay_while_shards_are_joined() {
    in_many_orders(|| {
        // Half of the shards remain.
        let cache = shrink(2 * SHARE + 1);
        assert!((0..7).all(|key| cache.peek(&key) == Some(key)));
    });
}
