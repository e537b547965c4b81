//! Instructions of locks and wrappers.

use crate::{Fresh, MISSING, average};
use core::cell::RefCell;
use core::hint::black_box;
use ctu_core::{
    Cache, CacheExt, CriticalSectionMutex, LockedCache, LruCache, SpinCache, StatsCache,
};

pub(crate) fn locks() {
    static SPIN: SpinCache<LruCache<u32, u32, 16>> = SpinCache::new(LruCache::new());
    static SECTION: LockedCache<CriticalSectionMutex, LruCache<u32, u32, 16>> =
        LockedCache::new(LruCache::new());
    let cell = RefCell::new(LruCache::<u32, u32, 16>::new());
    let counted = StatsCache::new(&cell);
    fn hits(subject: &str, cache: &impl Cache<Key = u32, Value = u32>) {
        for key in 0..16u32 {
            black_box(cache.insert(&key, key).is_ok());
        }
        average(subject, "hit", 256, |i| {
            black_box(cache.get(&(i % 16)).is_ok());
        });
        average(subject, "miss", 256, |i| {
            black_box(cache.get(&(i | MISSING)).is_ok());
        });
        let mut fresh = Fresh(16);
        average(subject, "insert, evicts", 256, |_| {
            black_box(cache.insert(&fresh.next(), 7).is_ok());
        });
    }
    hits("RefCell<LruCache<u32, u32, 16>>", &cell);
    hits("SpinCache<LruCache<u32, u32, 16>>", &SPIN);
    hits(
        "LockedCache<CriticalSectionMutex, LruCache<u32, u32, 16>>",
        &SECTION,
    );
    hits("StatsCache<&RefCell<LruCache<u32, u32, 16>>>", &counted);
}
