//! How much a `SieveCache` keeps beyond its capacity. A program of its own: what is collected goes from thread to thread of all of it.

use ctu_std::{Cache, SieveCache};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

/// How many values of a thread that wrote wait to be dropped at most, as the docs say.
fn held_back() -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    processors.next_power_of_two().max(32)
}

/// Counts how many of its kind there are.
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
fn what_left_is_dropped_but_for_a_few_of_each_thread() {
    const THREADS: usize = 4;
    let cache = Arc::new(SieveCache::<u32, Counted>::with_capacity(100));
    for round in 0..30 {
        let threads = [(); THREADS].map(|()| {
            let cache = Arc::clone(&cache);
            thread::spawn(move || {
                for step in 0..2_000_u32 {
                    let key = (round * 7 + step * 31) % 300;
                    cache.insert_entry(&key, Counted::new(), None).unwrap();
                    cache.get(&(key / 2)).unwrap();
                    cache.remove(&(key / 3)).unwrap();
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        // Threads that come take over what those that went have left.
        let live = LIVE.load(Relaxed);
        assert!(live <= 100 + THREADS * held_back(), "{live}");
    }
    drop(cache);
    assert_eq!(LIVE.load(Relaxed), 0);
}
