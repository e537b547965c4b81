use ctu_core::{LockedCache, LruCache};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;

static CACHE: LockedCache<CriticalSectionRawMutex, LruCache<u32, u32, 8>> =
    LockedCache::new(LruCache::new());

fn main() {
    let _ = &CACHE;
}
