//! The values that a `ConcurrentCache` keeps beyond its entries, under threads. A program of its
//! own: it counts all values.

use ctu_std::{Cache, ConcurrentCache};
use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

/// Counts the values that there are.
struct Counted;

static LIVE: AtomicUsize = AtomicUsize::new(0);

impl Counted {
    fn new() -> Self {
        LIVE.fetch_add(1, Relaxed);
        Self
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
    }
}

#[test]
fn values_that_left_are_dropped_by_the_end_of_the_operations() {
    let cache = ConcurrentCache::<u32, Counted>::with_capacity(100);
    for round in 0..30 {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for step in 0..2_000_u32 {
                        let key = (round * 7 + step * 31) % 300;
                        cache.insert_entry(&key, Counted::new(), None).unwrap();
                        // Hot keys are near each thread.
                        for key in [0, 1, key / 2] {
                            cache.get(&key).unwrap();
                        }
                        cache.remove(&(key / 3)).unwrap();
                    }
                });
            }
        });
        assert_eq!(LIVE.load(Relaxed), cache.len().unwrap());
    }
    drop(cache);
    assert_eq!(LIVE.load(Relaxed), 0);
}
