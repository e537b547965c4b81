//! When what left the cache is dropped.

use super::*;

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
fn everything_is_dropped_with_the_cache() {
    static HELD: OnceLock<Arc<()>> = OnceLock::new();
    let held = HELD.get_or_init(Arc::default);
    let cache = SieveCache::<u32, Arc<()>>::with_capacity(10);
    for key in 0..1_000 {
        cache.insert_entry(&key, Arc::clone(held), None).unwrap();
    }
    drop(cache);
    assert_eq!(Arc::strong_count(held), 1);
}

#[test]
fn few_are_kept_while_the_table_is_copied() {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    for capacity in [1_000, 10_000, 33_000] {
        let held = Arc::new(());
        let cache = SieveCache::<usize, Arc<()>>::with_capacity(capacity);
        for key in 0..8 * capacity {
            cache.insert_entry(&key, Arc::clone(&held), None).unwrap();
            let beyond = Arc::strong_count(&held).saturating_sub(capacity + 1);
            let collected = processors.next_power_of_two().max(32);
            assert!(beyond <= capacity / 25 + collected, "{beyond}");
        }
    }
}
