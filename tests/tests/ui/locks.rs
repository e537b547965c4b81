use ctu_core::{LockedCache, LruCache};

/// As in `embassy-sync`, whose locks have a trait of their own.
struct CriticalSectionRawMutex;

static CACHE: LockedCache<CriticalSectionRawMutex, LruCache<u32, u32, 8>> =
    LockedCache::new(LruCache::new());

fn main() {
    let _ = &CACHE;
}
