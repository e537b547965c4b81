use core::cell::RefCell;
use ctu_core::{CacheExt, CriticalSectionMutex, LockedCache, LruCache};

static CACHE: LockedCache<CriticalSectionMutex, RefCell<LruCache<u32, u32, 8>>> =
    LockedCache::new(RefCell::new(LruCache::new()));

fn main() {
    let _ = CACHE.insert(&1, 1);
}
