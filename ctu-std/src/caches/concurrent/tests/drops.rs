//! The moment at which a value that leaves is dropped.

use super::*;

/// Uses its cache when it is dropped.
#[derive(Clone)]
struct Meddler(Weak<ConcurrentCache<u32, Meddler>>, u32);

impl Drop for Meddler {
    fn drop(&mut self) {
        if let Some(cache) = self.0.upgrade() {
            cache.remove(&(self.1 + 1_000_000)).unwrap();
            assert_eq!(cache.contains(&(self.1 + 1_000_000)), Ok(false));
        }
    }
}

#[test]
fn values_are_not_dropped_under_a_lock() {
    let cache = Arc::new(ConcurrentCache::<u32, Meddler>::with_capacity(8));
    for key in 0..1_000 {
        cache
            .insert_entry(&key, Meddler(Arc::downgrade(&cache), key), None)
            .unwrap();
        cache
            .insert_entry(&key, Meddler(Arc::downgrade(&cache), key), None)
            .unwrap();
        if key % 10 == 0 {
            cache.pop(&key).unwrap();
        }
    }
    cache.clear().unwrap();
    assert_eq!(cache.validate(), Ok(()));
}

#[test]
fn values_are_dropped_with_the_cache() {
    static HELD: OnceLock<Arc<()>> = OnceLock::new();
    let held = HELD.get_or_init(Arc::default);
    let cache = ConcurrentCache::<u32, Arc<()>>::with_capacity(10);
    for key in 0..1_000 {
        cache.insert_entry(&key, Arc::clone(held), None).unwrap();
    }
    drop(cache);
    assert_eq!(Arc::strong_count(held), 1);
}

#[test]
fn value_that_leaves_is_dropped_at_once() {
    for capacity in [10, 1_000, 10_000] {
        let held = Arc::new(());
        let cache = ConcurrentCache::<usize, Arc<()>>::with_capacity(capacity);
        for key in 0..4 * capacity {
            cache.insert_entry(&key, Arc::clone(&held), None).unwrap();
            // So that some are near this thread.
            let hot = key / 256 * 256;
            for key in [key, hot, hot] {
                cache.get(&key).unwrap();
            }
            assert_eq!(Arc::strong_count(&held) - 1, cache.len().unwrap());
        }
        cache.clear().unwrap();
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
