//! When what left the cache is dropped.

use super::*;

/// How many values of a thread that wrote wait to be dropped at most, as the docs say.
fn held_back() -> usize {
    thread::available_parallelism()
        .map_or(1, usize::from)
        .max(32)
        .next_power_of_two()
}

/// Uses its cache when it is dropped.
#[derive(Clone)]
struct Meddler(Weak<SieveCache<u32, Meddler>>, u32);

impl Drop for Meddler {
    fn drop(&mut self) {
        if let Some(cache) = self.0.upgrade() {
            cache.remove(&(self.1 + 1_000_000)).unwrap();
            assert_eq!(cache.contains(&(self.1 + 1_000_000)), Ok(false));
        }
    }
}

#[test]
fn what_leaves_is_not_dropped_under_the_lock() {
    let cache = Arc::new(SieveCache::<u32, Meddler>::with_capacity(8));
    for key in 0..1_000 {
        cache
            .put(&key, Meddler(Arc::downgrade(&cache), key), None)
            .unwrap();
        cache
            .put(&key, Meddler(Arc::downgrade(&cache), key), None)
            .unwrap();
        if key % 10 == 0 {
            cache.pop(&key).unwrap();
        }
    }
    cache.clear().unwrap();
    assert_eq!(cache.validate(), Ok(()));
}

#[test]
fn everything_is_dropped_with_the_cache() {
    static HELD: OnceLock<Arc<()>> = OnceLock::new();
    let held = HELD.get_or_init(Arc::default);
    let cache = SieveCache::<u32, Arc<()>>::with_capacity(10);
    for key in 0..1_000 {
        cache.put(&key, Arc::clone(held), None).unwrap();
    }
    drop(cache);
    assert_eq!(Arc::strong_count(held), 1);
}

/// Counts how many of its kind there are.
struct Counted;

static LIVE: AtomicUsize = AtomicUsize::new(0);

impl Counted {
    fn new() -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
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
        LIVE.fetch_sub(1, Ordering::Relaxed);
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
                    cache.put(&key, Counted::new(), None).unwrap();
                    cache.get(&(key / 2)).unwrap();
                    cache.remove(&(key / 3)).unwrap();
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        // Threads that come take over what those that went have left.
        assert!(LIVE.load(Ordering::Relaxed) <= 100 + THREADS * held_back());
    }
    drop(cache);
    assert_eq!(LIVE.load(Ordering::Relaxed), 0);
}

#[test]
fn few_are_kept_while_the_table_is_copied() {
    for capacity in [1_000, 10_000, 33_000] {
        let held = Arc::new(());
        let cache = SieveCache::<usize, Arc<()>>::with_capacity(capacity);
        for key in 0..8 * capacity {
            cache.put(&key, Arc::clone(&held), None).unwrap();
            let beyond = Arc::strong_count(&held).saturating_sub(capacity + 1);
            assert!(beyond <= capacity / 25 + held_back(), "{beyond}");
        }
    }
}
