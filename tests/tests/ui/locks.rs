use ctu_core::{LockedCache, LruCache};

/// A lock with a trait of its own, as in `embassy-sync`.
struct CriticalSectionRawMutex;

static CACHE: LockedCache<CriticalSectionRawMutex, LruCache<u32, u32, 8>> =
    LockedCache::new(LruCache::new());

fn main() {
    let _ = &CACHE;
}
