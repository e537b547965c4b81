use core::cell::RefCell;
use ctu_core::{Cache, CriticalSectionMutex, LockedCache, LruCache};

/// A lock with a trait of its own, as in `embassy-sync`.
struct CriticalSectionRawMutex;

static CACHE: LockedCache<CriticalSectionRawMutex, LruCache<u32, u32, 8>> =
    LockedCache::new(LruCache::new());

fn is_cache(_: &impl Cache) {}

fn main() {
    let _ = &CACHE;
    let mut store = LruCache::<u32, u32, 8>::new();
    is_cache(&LockedCache::<CriticalSectionMutex, _>::new(RefCell::new(&mut store)));
}
